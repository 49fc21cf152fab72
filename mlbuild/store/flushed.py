"""When a cache was last flushed, and what a loss of power may therefore have harmed: that is read before it is believed.

The file `flushed` has the run of the machine, the time of its last flush, and windows of time, a line each. A blob whose ctime lies
in one of them was put after the last flush of a run that has ended since.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from mlbuild.files.boot import boot
from mlbuild.store.notes import keep_note, load_note

MAGIC = b"mlbuild-flushed-2\n"
SLACK_NS = 2_000_000_000
"""The step of the coarsest clock of a file system."""
NOTED_AGAIN_AFTER_NS = 1_000_000_000
MOST_WINDOWS = 16

Window = tuple[int, int]


class Flushed:
    """Of one cache. A note that cannot be written, or is lost, costs those who come after a loss of power time only."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "flushed"
        self._run = boot()
        self._noted_ns = 0
        self._windows = self._look(folder)

    def is_doubtful(self, ctime_ns: int) -> bool:
        return any(first <= ctime_ns <= last for first, last in self._windows)

    def note(self, began_ns: int) -> None:
        """All that was put before this moment is on the disk."""
        if began_ns - self._noted_ns > NOTED_AGAIN_AFTER_NS:
            self._noted_ns = began_ns
            self._keep(began_ns, self._windows)

    def _look(self, folder: Path) -> tuple[Window, ...]:
        windows: tuple[Window, ...]
        known = self._load()
        if known is not None:
            run, flushed_ns, windows = known
        elif not os.listdir(folder / "cas"):
            run, flushed_ns, windows = self._run, 0, ()
        else:
            run, flushed_ns, windows = "", SLACK_NS, ()  # nothing is known, so everything is in doubt
        now_ns = time.time_ns()
        if run != self._run:
            windows = (*windows, (flushed_ns - SLACK_NS, now_ns))
            if len(windows) > MOST_WINDOWS:
                windows = ((windows[0][0], windows[1][1]), *windows[2:])
        if run != self._run or not known:
            self._keep(now_ns, windows)
        return windows

    def _load(self) -> tuple[str, int, tuple[Window, ...]] | None:
        try:
            run, flushed, *windows = load_note(self._path, MAGIC) or [""]
            return run, int(flushed), tuple((int(first), int(last)) for first, last in map(str.split, windows))
        except ValueError:
            return None

    def _keep(self, flushed_ns: int, windows: tuple[Window, ...]) -> None:
        keep_note(self._path, MAGIC, (self._run, str(flushed_ns), *(f"{first} {last}" for first, last in windows)))
