"""Outputs that nobody wants here: what is still with a remote cache stays there, and what an earlier build has placed goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from mlbuild.terms import FileValue, TreeValue


class Places(Protocol):
    """An `OutputTree` that can also take away."""

    def place(self, path: str, value: FileValue | TreeValue) -> None: ...

    def remove(self, path: str) -> None: ...


class LeavingOutputs:
    """An `OutputTree` that places what is on this machine. At the path of anything else there is nothing."""

    def __init__(self, inner: Places, is_here: Callable[[FileValue | TreeValue], bool]) -> None:
        self._inner = inner
        self._is_here = is_here
        self.left: dict[str, None] = {}

    def place(self, path: str, value: FileValue | TreeValue) -> None:
        if self._is_here(value):
            self.left.pop(path, None)
            self._inner.place(path, value)
        else:
            self.left[path] = None
            self._inner.remove(path)
