"""Ends calls that stand still: a stream of gigabytes may take hours, but not a minute without a byte."""

from __future__ import annotations

import threading
import time
from typing import Protocol


class Call(Protocol):
    def cancel(self) -> object: ...


class Watched:
    """One call: touched with every byte that moves."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self.moved = time.monotonic()
        self.is_ended = False

    def touch(self) -> None:
        self.moved = time.monotonic()

    def end(self) -> None:
        """It stands still: whoever waits for it gets an error."""
        self.is_ended = True
        self._call.cancel()


class IdleWatch:
    """Looks at all calls of one channel, by a thread that lives while there are any."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._calls: set[Watched] = set()
        self._has_thread = False

    def watch(self, call: Call) -> Watched:
        watched = Watched(call)
        with self._lock:
            self._calls.add(watched)
            if not self._has_thread:
                self._has_thread = True
                threading.Thread(target=self._look, name="remote-idle", daemon=True).start()
        return watched

    def done(self, watched: Watched) -> None:
        with self._lock:
            self._calls.discard(watched)

    def _look(self) -> None:
        while True:
            time.sleep(min(1.0, self._seconds / 4))
            with self._lock:
                if not self._calls:
                    self._has_thread = False
                    return
                idle = [each for each in self._calls if time.monotonic() - each.moved > self._seconds]
            for each in idle:
                each.end()
