"""What the commands that work in a session have in common: who watches, and how an end by an error is told to them."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from mlbuild.diagnostics import Diagnostic, ExitCode, UserError, fail
from mlbuild.terminal.console import Console, Style
from mlbuild.terminal.sinks import ManySinks
from mlbuild.terms.event import BuildFinished, Event, Warned

if TYPE_CHECKING:
    from mlbuild.config import BuildRequest
    from mlbuild.seams import EventSink
    from mlbuild.session import Session


def in_session(request: BuildRequest, do: Callable[[Session], int]) -> int:
    """Opens the watchers and a session, and does one thing in it. Raises UserError."""
    from mlbuild.session import Session

    began = time.time()
    console = _console(request)
    files = Files(ManySinks(*_event_files(request), complain=console.say))
    sink = ManySinks(console, files, complain=console.say)
    for line in request.rc_lines:
        console.say(f"INFO: {line}")
    try:
        with Session.open(request, sink) as session:
            return do(session)
    except BaseException as error:
        files.end(error, time.time() - began)
        if isinstance(error, KeyboardInterrupt):
            console.interrupted()
        raise
    finally:
        console.close()


class Files:
    """The files that events go to. They are told how the build ended even where the session could not say it."""

    def __init__(self, sink: EventSink) -> None:
        self._sink = sink
        self._is_open = True

    def emit(self, event: Event) -> None:
        self._sink.emit(event)
        if isinstance(event, BuildFinished):
            self._is_open = False

    def end(self, error: BaseException, seconds: float) -> None:
        """The build was ended by an error."""
        if not self._is_open:
            return
        if isinstance(error, UserError):
            code, reasons = error.exit_code, error.diagnostics
        elif isinstance(error, KeyboardInterrupt):
            code, reasons = ExitCode.INTERRUPTED, (Diagnostic("interrupted", "the build was interrupted"),)
        elif isinstance(error, OSError):
            code, reasons = ExitCode.ENVIRONMENT, (Diagnostic("environment", str(error)),)
        else:
            code, reasons = ExitCode.INTERNAL, (Diagnostic("internal", f"a bug in mlbuild: {error}"),)
        for reason in reasons:
            self.emit(Warned(reason, "error"))
        self.emit(BuildFinished(code, seconds))


def _console(request: BuildRequest) -> Console:
    style = Style.choose(
        sys.stderr,
        request.environ,
        color=request.color,
        curses=request.curses,
        shows_progress=request.show_progress,
        show_result=request.show_result,
        verbose_failures=request.verbose_failures,
        subcommands=request.subcommands,
        test_output=request.test_output,
    )
    return Console(sys.stderr, style)


def _event_files(request: BuildRequest) -> tuple[EventSink, ...]:
    """Opened before the build, so that a path that cannot be written to is said at once."""
    sinks: list[EventSink] = []
    try:
        if path := request.build_event_json_file:
            from mlbuild.terminal.bep import BuildEventFile

            sinks.append(BuildEventFile(path, str(request.workspace)))
        if path := request.profile:
            from mlbuild.terminal.trace import TraceFile

            sinks.append(TraceFile(path))
    except OSError as error:
        raise fail(
            "cannot-write",
            f"`{path}` cannot be written: {error.strerror}",
            hint="name a file in a folder that exists and is yours",
            exit_code=ExitCode.ENVIRONMENT,
        ) from None
    return tuple(sinks)
