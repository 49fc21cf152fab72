"""Keys of dicts and sets. Python takes `True`, 1 and 1.0 for one key, Starlark only 1 and 1.0."""

from __future__ import annotations

from mlbuild.lang.runtime.compare import equal
from mlbuild.lang.runtime.text import repr_value
from mlbuild.lang.runtime.thread import grow
from mlbuild.lang.runtime.values import fail, hashable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

_ABSENT = object()
ENTRY = 104
"""Bytes of an entry of a dict, or of a set."""


def pay_for_entries(count: int) -> None:
    """Pays for a dict or a set of so many entries."""
    if count > 4:
        grow(ENTRY * count)


def find(entries: dict[Any, Any], key: Any) -> tuple[Any] | None:
    """The entry's value in a tuple, or nothing."""
    item = entries.get(hashable(key), _ABSENT)
    if item is _ABSENT:
        return None
    if _may_mix(key) and _is_mixed(entries, key):
        return None
    return (item,)


def store(entries: dict[Any, Any], key: Any, value: Any) -> None:
    """Sets the entry of a dict that may be changed."""
    if type(key) is not str:
        key = hashable(key)
        if _may_mix(key) and _is_mixed(entries, key):
            fail("unsupported", f"a dict cannot hold both {repr_value(key)} and its equal of the other type as keys")
    dict.__setitem__(entries, key, value)


def _may_mix(key: Any) -> bool:
    kind = type(key)
    return kind is bool or ((kind is int or kind is float) and (key == 0 or key == 1)) or kind is tuple


class _Probe:
    """Looks up a key, and keeps the key that Python takes for the same."""

    __slots__ = ("found", "key")

    def __init__(self, key: Any) -> None:
        self.key = key
        self.found: Any = _ABSENT

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        if other == self.key:
            self.found = other
            return True
        return False


def _is_mixed(entries: dict[Any, Any], key: Any) -> bool:
    """Whether the dict holds the key's equal of another type."""
    probe = _Probe(key)
    return probe in entries and not equal(key, probe.found)


def make_dict(pairs: Iterable[tuple[Any, Any]]) -> dict[Any, Any]:
    """A dict display: each key once."""
    result: dict[Any, Any] = {}
    for key, value in pairs:
        if find(result, key) is not None:
            fail("duplicate-key", f"dictionary expression has duplicate key: {repr_value(key)}")
        store(result, key, value)
    return result
