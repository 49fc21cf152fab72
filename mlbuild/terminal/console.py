"""The person's view of a build: progress on stderr while it runs, results when it is done.

On a terminal that can, a few lines are redrawn in place; elsewhere there are plain lines, now and then, and no control
code. Nothing grows with the number of cached actions, and a build with nothing to do draws nothing.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TextIO

from mlbuild.diagnostics import render as render_diagnostic
from mlbuild.records import record
from mlbuild.terminal import render
from mlbuild.terminal.progress import Progress
from mlbuild.terms.event import (
    ActionFailed,
    ActionRunning,
    BuildFinished,
    BuildStarted,
    Event,
    PhaseStarted,
    TargetCompleted,
    TestFinished,
    Warned,
)

if TYPE_CHECKING:
    from mlbuild.terminal.live import LiveLines

DRAWN_AFTER = 0.3
"""Seconds before the live display appears, unless an action runs: what is over at once should not flash."""
REDRAW_INTERVAL = 0.125
PLAIN_INTERVAL = 5.0
LONGEST_PLAIN_INTERVAL = 60.0
COLOURS = {"red": "31", "green": "32", "yellow": "33"}


@record
class Style:
    """How to show: `is_live` redraws in place; `is_coloured` uses colour, never for meaning alone."""

    is_live: bool
    is_coloured: bool
    shows_progress: bool = True
    show_result: int = 10
    verbose_failures: bool = False
    subcommands: bool = False
    test_output: str = "errors"

    @classmethod
    def choose(
        cls,
        stream: TextIO,
        environ: Mapping[str, str],
        *,
        color: str,
        curses: str,
        shows_progress: bool = True,
        show_result: int = 10,
        verbose_failures: bool = False,
        subcommands: bool = False,
        test_output: str = "errors",
    ) -> Style:
        """`auto` means what the stream and the environment can: a dumb terminal, a pipe and CI get plain lines."""
        can = stream.isatty() and environ.get("TERM", "dumb") != "dumb"
        return cls(
            is_live=curses == "yes" or (curses == "auto" and can and not environ.get("CI")),
            is_coloured=color == "yes" or (color == "auto" and can and not environ.get("NO_COLOR")),
            shows_progress=shows_progress,
            show_result=show_result,
            verbose_failures=verbose_failures,
            subcommands=subcommands,
            test_output=test_output,
        )


class Console:
    """An event sink that writes to a stream."""

    def __init__(self, stream: TextIO, style: Style, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._style = style
        self._clock = clock
        self._lock = threading.RLock()
        self._began = self._last_plain = clock()
        self._progress = Progress()
        self._command = ""
        self._listed = self._unlisted = 0
        self._tests: list[TestFinished] = []
        self._live: LiveLines | None = None
        self._ticking: threading.Event | None = None
        self._is_closed = False

    def emit(self, event: Event) -> None:
        with self._lock:
            self._progress.take(event, self._clock())
            self._show(event)
            if self._style.shows_progress and not self._is_closed:
                if isinstance(event, PhaseStarted):
                    self._start_ticking()
                self.tick()

    def say(self, line: str) -> None:
        """A line beside the events, above what is redrawn."""
        with self._lock:
            self._print(render.safe(line))

    def tick(self) -> None:
        """Time has passed: draws what is due."""
        with self._lock:
            if self._is_closed or not self._progress.has_begun:
                return
            now = self._clock()
            if not self._style.is_live:
                # The longer it takes, the rarer the lines: an hour is some eighty of them.
                interval = min(max(PLAIN_INTERVAL, (now - self._began) / 10), LONGEST_PLAIN_INTERVAL)
                if now - self._last_plain >= interval:
                    self._last_plain = now
                    print(self._progress.status(now), file=self._stream, flush=True)
            elif self._live is None and (self._progress.is_running or now - self._began >= DRAWN_AFTER):
                from mlbuild.terminal.live import LiveLines

                self._live = LiveLines(self._stream, self.lines, is_coloured=self._style.is_coloured)

    def lines(self) -> list[str]:
        """What the live display shows now."""
        with self._lock:
            return self._progress.lines(self._clock())

    def close(self) -> None:
        """Ends the progress display; results may follow."""
        with self._lock:
            self._is_closed = True
            if self._ticking is not None:
                self._ticking.set()
            if self._live is not None:
                live, self._live = self._live, None
                with contextlib.suppress(OSError):
                    live.stop()

    def interrupted(self) -> None:
        """Ends the display and says how far the build has come."""
        self.close()
        with self._lock:
            if self._progress.has_executed:
                self._print(f"INFO: {self._progress.summary()}")

    def _start_ticking(self) -> None:
        """An action that runs for an hour sends no events meanwhile: time itself has to move the display."""
        if self._ticking is not None:
            return
        ended = self._ticking = threading.Event()

        def tick() -> None:
            while not ended.wait(REDRAW_INTERVAL):
                try:
                    with self._lock:
                        self.tick()
                        if self._live is not None:
                            self._live.refresh()
                except (OSError, ValueError):  # the terminal has gone; the build goes on
                    return

        with contextlib.suppress(RuntimeError):  # the machine lets no more threads start: events alone move it then
            threading.Thread(target=tick, name="progress", daemon=True).start()

    def _show(self, event: Event) -> None:
        match event:
            case BuildStarted(command=command):
                self._command = command
            case ActionRunning() if self._style.subcommands:
                self._print("\n".join(render.subcommand(event, self._progress.description(event.action_id))))
            case ActionFailed():
                self._print("\n".join(render.failure(event, self._style.verbose_failures)), "red")
            case TargetCompleted():
                self._completed(event)
            case TestFinished():
                self._tested(event)
            case Warned(level="info"):
                place = f"{event.diagnostic.location}: " if event.diagnostic.location else ""
                self._print(f"INFO: {render.safe(place + event.diagnostic.message)}")
            case Warned():
                text = render_diagnostic(event.diagnostic)
                if event.level == "warning":
                    text = text.replace("error[", "warning[", 1)
                self._print(text, "yellow" if event.level == "warning" else "red")
            case BuildFinished():
                self._summary(event)

    def _completed(self, event: TargetCompleted) -> None:
        if event.is_success:
            if self._command == "test" and not event.reports:
                return  # what counts are the verdicts, which follow
            self._listed += 1
            if self._listed > self._style.show_result and not event.reports:
                self._unlisted += 1
                return
        self._print("\n".join(render.completed(event)), "" if event.is_success else "red")

    def _end_the_list(self) -> None:
        if self._unlisted:
            self._print(f"… and {self._unlisted} more up-to-date (`--show_result=N` lists more)")
            self._unlisted = 0

    def _tested(self, event: TestFinished) -> None:
        self._end_the_list()
        self._tests.append(event)
        wanted = self._style.test_output
        if event.log and (wanted == "all" or (wanted == "errors" and event.status not in ("PASSED", "NO_STATUS"))):
            self._print("\n".join(render.test_log(event)))
        self._print(render.verdict(event), "green" if event.status == "PASSED" else "red")

    def _summary(self, event: BuildFinished) -> None:
        self.close()
        self._end_the_list()
        if self._tests:
            self._print(render.tests_summary(self._tests))
        if event.critical_path_seconds >= 0.1 and event.ran:
            self._print(f"INFO: critical path {render.duration(event.critical_path_seconds)}")
        if int(event.exit_code) != 0:
            self._print(f"ERROR: {render.outcome(event.exit_code, self._command)}", "red")
        self._print(f"INFO: {render.last_line(event)}", "green" if int(event.exit_code) == 0 else "")

    def _print(self, text: str, colour: str = "") -> None:
        """Above the live display, if there is one."""
        first, newline, rest = text.partition("\n")
        if self._live is not None:
            self._live.print(first, rest, colour)
            return
        if colour and self._style.is_coloured:
            first = f"\x1b[{COLOURS[colour]}m{first}\x1b[0m"
        print(f"{first}{newline}{rest}", file=self._stream, flush=True)
