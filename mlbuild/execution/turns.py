"""Equal work of one build is done once: who comes second waits for the first."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from mlbuild.terms import Digest


class Turns:
    """What is under way, by key. Many threads may ask at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: dict[Digest, tuple[threading.Lock, int]] = {}

    @contextmanager
    def of(self, key: Digest) -> Iterator[bool]:
        """Only one at a time is within, for each key. Gives whether nobody else was there."""
        with self._lock:
            turn, waiting = self._under_way.get(key, (threading.Lock(), 0))
            self._under_way[key] = (turn, waiting + 1)
        try:
            with turn:
                yield waiting == 0
        finally:
            with self._lock:
                _, waiting = self._under_way.pop(key)
                if waiting > 1:
                    self._under_way[key] = (turn, waiting - 1)
