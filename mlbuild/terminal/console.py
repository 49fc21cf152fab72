"""The person's view of a build: progress on stderr while it runs, results when it is done.

On a terminal that can, one status line and a few lines of what runs are redrawn in place; elsewhere there are plain
lines, now and then, and no control code. Nothing grows with the number of cached actions.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from mlbuild.diagnostics import escape
from mlbuild.diagnostics import render as render_diagnostic
from mlbuild.terminal import render
from mlbuild.terms.event import (
    ActionFailed,
    ActionFinished,
    ActionRunning,
    ActionStarted,
    BuildFinished,
    Event,
    ExecutionPlanned,
    PackageLoaded,
    PhaseStarted,
    TargetCompleted,
    TargetConfigured,
    TestFinished,
    Warned,
)

if TYPE_CHECKING:
    from rich.live import Live

PLAIN_INTERVAL = 5.0
SHOWN_RUNNING = 4


@dataclass(frozen=True, slots=True)
class Style:
    """How to show: `is_live` redraws in place; `is_coloured` uses colour, never for meaning alone."""

    is_live: bool
    is_coloured: bool
    shows_progress: bool = True
    verbose_failures: bool = False
    subcommands: bool = False
    test_output: str = "errors"

    @classmethod
    def choose(
        cls, stream: TextIO, environ: Mapping[str, str], *, color: str, curses: str, **more: bool | str
    ) -> Style:
        """`auto` means what the stream and the environment can: a dumb terminal, a pipe and CI get plain lines."""
        can = stream.isatty() and environ.get("TERM", "dumb") != "dumb"
        is_live = curses == "yes" or (curses == "auto" and can and not environ.get("CI"))
        is_coloured = color == "yes" or (color == "auto" and can and "NO_COLOR" not in environ)
        return cls(is_live, is_coloured, **more)  # type: ignore[arg-type]


class Console:
    """An event sink that writes to a stream."""

    def __init__(self, stream: TextIO, style: Style, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._style = style
        self._clock = clock
        self._lock = threading.RLock()
        self._began = clock()
        self._phase = ""
        self._loaded = self._configured = self._total = self._done = self._cached = self._ran = self._failed = 0
        self._started: dict[int, tuple[str, float]] = {}
        self._running: dict[int, None] = {}
        self._tests: list[TestFinished] = []
        self._last_plain = self._began
        self._live: Live | None = None

    def emit(self, event: Event) -> None:
        with self._lock:
            self._show(event)
            if isinstance(event, BuildFinished):
                self.close()
            elif self._style.shows_progress:
                self._progress()

    def close(self) -> None:
        """Ends the live display; the cursor is as it was."""
        with self._lock:
            if self._live is not None:
                live, self._live = self._live, None
                live.stop()

    def _show(self, event: Event) -> None:
        match event:
            case PhaseStarted(phase=phase):
                self._phase = phase
            case PackageLoaded():
                self._loaded += 1
            case TargetConfigured():
                self._configured += 1
            case ExecutionPlanned(total=total):
                self._total = total
            case ActionStarted():
                self._started[event.action_id] = (event.description, self._clock())
            case ActionRunning():
                self._running[event.action_id] = None
                if self._style.subcommands:
                    import shlex

                    description = self._started.get(event.action_id, ("", 0.0))[0]
                    self._print(f"SUBCOMMAND: {escape(description)}\n  {escape(shlex.join(event.arguments))}")
            case ActionFinished():
                self._finished(event)
            case ActionFailed():
                self._print("\n".join(render.failure(event, self._style.verbose_failures)), "red")
            case TargetCompleted():
                self._print("\n".join(render.completed(event)))
            case TestFinished():
                self._tested(event)
            case Warned():
                label = "INFO" if event.level == "info" else "WARNING"
                text = event.diagnostic.message if event.level == "info" else render_diagnostic(event.diagnostic)
                self._print(f"{label}: {text.replace('error[', 'warning[', 1)}", "" if label == "INFO" else "yellow")
            case BuildFinished():
                self._summary(event)

    def _finished(self, event: ActionFinished) -> None:
        self._started.pop(event.action_id, None)
        self._running.pop(event.action_id, None)
        self._done += 1
        self._ran += event.how == "ran"
        self._cached += event.how.startswith("cached")
        self._failed += event.how == "failed"

    def _tested(self, event: TestFinished) -> None:
        self._tests.append(event)
        wanted = self._style.test_output
        if event.log and (wanted == "all" or (wanted == "errors" and event.status not in ("PASSED", "NO_STATUS"))):
            self._print("\n".join(render.test_log(event)))
        self._print(render.verdict(event), "green" if event.status == "PASSED" else "red")

    def _summary(self, event: BuildFinished) -> None:
        self.close()
        if self._tests:
            self._print(render.tests_summary(self._tests))
        if event.critical_path_seconds >= 0.1 and event.ran:
            self._print(f"INFO: critical path {render.duration(event.critical_path_seconds)}")
        if int(event.exit_code) != 0:
            self._print(f"ERROR: {render.outcome(event.exit_code)}", "red")
        self._print(f"INFO: {render.last_line(event)}", "green" if int(event.exit_code) == 0 else "")

    def _progress(self) -> None:
        if self._style.is_live:
            if self._live is None:
                self._live = self._start_live()
            return
        now = self._clock()
        if now - self._last_plain >= PLAIN_INTERVAL and self._phase:
            self._last_plain = now
            print(self._status(now), file=self._stream, flush=True)

    def _status(self, now: float) -> str:
        """One line: how far it is, and what has been running longest."""
        if self._phase != "execution":
            what = f"{self._loaded} packages loaded" + (f", {self._configured} targets" if self._configured else "")
            return f"{self._phase.capitalize()}: {what}"
        running = sorted(
            (self._started[each][1], self._started[each][0]) for each in self._running if each in self._started
        )
        parts = [f"[{self._done} / {self._total}]", f"{self._ran} ran, {self._cached} cached"]
        if self._failed:
            parts.append(f"{self._failed} failed")
        if running:
            began, description = running[0]
            more = f" … {len(running)} running" if len(running) > 1 else ""
            parts.append(f"{escape(description)}; {render.duration(now - began)}{more}")
        return " ".join((parts[0], "; ".join(parts[1:])))

    def lines(self) -> list[str]:
        """What the live display shows now: the status, and what runs, the longest first."""
        with self._lock:
            now = self._clock()
            lines = [self._status(now)]
            if self._phase == "execution":
                running = sorted(
                    (self._started[each][1], self._started[each][0]) for each in self._running if each in self._started
                )
                lines += [
                    f"    {escape(what)}; {render.duration(now - began)}" for began, what in running[:SHOWN_RUNNING]
                ]
                if len(running) > SHOWN_RUNNING:
                    lines.append(f"    … and {len(running) - SHOWN_RUNNING} more")
            return lines

    def _start_live(self) -> Live:
        from rich.console import Console as RichConsole
        from rich.live import Live
        from rich.text import Text

        console = RichConsole(file=self._stream, force_terminal=True, highlight=False, markup=False, emoji=False,
                              no_color=not self._style.is_coloured)  # fmt: skip
        live = Live(
            get_renderable=lambda: Text("\n".join(self.lines()), no_wrap=True, overflow="ellipsis"),
            console=console,
            refresh_per_second=8,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        live.start()
        return live

    def _print(self, text: str, colour: str = "") -> None:
        """Above the live display, if there is one."""
        if self._live is not None:
            from rich.text import Text

            with contextlib.suppress(BrokenPipeError):
                self._live.console.print(Text(text, style=colour if self._style.is_coloured else ""), soft_wrap=True)
            return
        codes = {"red": "31", "green": "32", "yellow": "33"}
        if colour and self._style.is_coloured:
            first, newline, rest = text.partition("\n")
            text = f"\x1b[{codes[colour]}m{first}\x1b[0m{newline}{rest}"
        print(text, file=self._stream, flush=True)
