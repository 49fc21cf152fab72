"""Work that no signal may interrupt, because what it has begun would be left behind."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)
"""The last one is a signal that comes again: see `mlbuild.cli.ending`."""


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """A signal that would end the command does so when the work inside is done. For work of a moment."""
    if threading.current_thread() is not threading.main_thread():
        yield  # interrupts come to the main thread alone
        return
    came: list[int] = []
    handlers = {each: handler for each in ENDING if callable(handler := signal.getsignal(each))}
    for each in handlers:
        signal.signal(each, lambda number, _: came.append(number))
    try:
        yield
    finally:
        for each, handler in handlers.items():
            signal.signal(each, handler)
        if came:
            signal.raise_signal(came[0])
