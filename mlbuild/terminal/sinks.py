"""Event sinks made of event sinks."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

from mlbuild.seams import EventSink
from mlbuild.terms.event import Event


class ListSink:
    """Keeps every event, in order."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def emit(self, event: Event) -> None:
        self.events.append(event)


class ManySinks:
    """Gives each event to every sink, from one thread at a time. A sink that fails is left out from then on, and said."""

    def __init__(self, *sinks: EventSink, complain: Callable[[str], None] = lambda line: None) -> None:
        self._sinks = list(sinks)
        self._complain = complain
        self._lock = threading.RLock()

    def emit(self, event: Event) -> None:
        with self._lock:
            for sink in tuple(self._sinks):
                try:
                    sink.emit(event)
                except BrokenPipeError:
                    self._sinks.remove(sink)
                except Exception as error:
                    # A full disk under an event file must not end the build: what happens never depends on who watches.
                    self._sinks.remove(sink)
                    with contextlib.suppress(OSError):
                        self._complain(f"WARNING: {type(sink).__name__} is told no more: {error}")
