"""When a cache was last flushed, and what a loss of power may therefore have harmed: that is read before it is believed.

The file `flushed` has the run of the machine, the time of its last flush, and windows of time. A blob whose ctime lies
in one of them was put after the last flush of a run that has ended since.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from mlbuild.files.boot import boot
from mlbuild.files.kept import keep, load_kept

MAGIC = b"mlbuild-flushed-1\n"
SLACK_NS = 2_000_000_000
"""The step of the coarsest clock of a file system."""
NOTED_AGAIN_AFTER_NS = 1_000_000_000
MOST_WINDOWS = 16

Window = tuple[int, int]


class Flushed:
    """Of one cache. A note that cannot be written, or is lost, costs those who come after a loss of power time only."""

    def __init__(self, folder: Path) -> None:
        self._path = str(folder / "flushed")
        self._run = boot()
        self._noted_ns = 0
        self._windows = self._look(folder)

    def is_doubtful(self, ctime_ns: int) -> bool:
        return any(first <= ctime_ns <= last for first, last in self._windows)

    def note(self, began_ns: int) -> None:
        """All that was put before this moment is on the disk."""
        if began_ns - self._noted_ns > NOTED_AGAIN_AFTER_NS:
            self._noted_ns = began_ns
            keep(self._path, MAGIC, (self._run, began_ns, self._windows))

    def _look(self, folder: Path) -> tuple[Window, ...]:
        windows: tuple[Window, ...]
        known = load_kept(self._path, MAGIC)
        if isinstance(known, tuple) and len(known) == 3:
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
            keep(self._path, MAGIC, (self._run, now_ns, windows))
        return windows
