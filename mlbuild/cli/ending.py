"""What ends a command from outside: Ctrl-C, SIGTERM, SIGHUP. Each ends it as Ctrl-C does, so that nothing is left."""

from __future__ import annotations

import signal
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sys import UnraisableHookArgs

SETTLING = 2.0
"""Seconds in which a second signal changes nothing: what runs is being ended, and what is left of it removed."""

AGAIN = 0.01
"""Seconds after which a signal that was lost comes again."""


class Ending:
    """A signal handler: the first signal raises KeyboardInterrupt, as does one that comes when that has not helped."""

    def __init__(self) -> None:
        self._last: float | None = None

    def __call__(self, number: int, frame: object) -> None:
        now = time.monotonic()
        if self._last is None or now - self._last > SETTLING:
            self._last = now
            raise KeyboardInterrupt

    def swallowed(self, unraisable: UnraisableHookArgs) -> None:
        """Where nothing can be raised (a callback, a destructor) Python prints it and goes on: the signal comes again in a moment."""
        if unraisable.exc_type is KeyboardInterrupt:
            self._last = None
            signal.setitimer(signal.ITIMER_REAL, AGAIN)
        else:
            sys.__unraisablehook__(unraisable)


def listen() -> None:
    """From now on; a signal that is ignored (`nohup`) stays so."""
    ending = Ending()
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(each) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(each, ending)
    signal.signal(signal.SIGALRM, ending)
    sys.unraisablehook = ending.swallowed
