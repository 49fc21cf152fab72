"""What ends a command from outside: Ctrl-C, SIGTERM, SIGHUP. Each ends it as Ctrl-C does, so that nothing is left."""

from __future__ import annotations

import signal
import time

SETTLING = 2.0
"""Seconds in which a second signal changes nothing: what runs is being ended, and what is left of it removed."""


class Ending:
    """A signal handler: the first signal raises KeyboardInterrupt, as does one that comes when that has not helped."""

    def __init__(self) -> None:
        self._last: float | None = None

    def __call__(self, number: int, frame: object) -> None:
        now = time.monotonic()
        if self._last is None or now - self._last > SETTLING:
            self._last = now
            raise KeyboardInterrupt


def listen() -> None:
    """From now on; a signal that is ignored (`nohup`) stays so."""
    ending = Ending()
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(each) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(each, ending)
