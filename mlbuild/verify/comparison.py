"""Two results of one spawn, compared: which outputs differ, in which file, and in what."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from mlbuild.differs import how_they_differ
from mlbuild.execution.input_root import members
from mlbuild.records import record
from mlbuild.terms import Digest, FileValue, TreeValue

Read = Callable[[Digest], bytes]
Outputs = Mapping[str, FileValue | TreeValue]

LARGEST = 256 << 20
"""Bigger files are not looked into."""


@record
class Difference:
    """One file that differs: its path, and in words how."""

    path: str
    how: tuple[str, ...]


def differences(first: Outputs, second: Outputs, read: Read) -> tuple[Difference, ...]:
    """Every file that is not the same in both, sorted by path."""
    return tuple(_differences(first, second, read))


def _differences(first: Outputs, second: Outputs, read: Read) -> Iterator[Difference]:
    for path in sorted(first.keys() | second.keys()):
        one, other = first.get(path), second.get(path)
        if one == other:
            continue
        if isinstance(one, TreeValue) and isinstance(other, TreeValue):
            inner = differences(_below(path, one, read), _below(path, other, read), read)
            yield from inner or (Difference(path, ("its links or its empty folders are not the same",)),)
        elif one is None or other is None:
            yield Difference(path, (f"it is there in the {'second' if one is None else 'first'} run only",))
        elif isinstance(one, TreeValue) or isinstance(other, TreeValue):
            yield Difference(path, ("it is a folder in one run, and a file in the other",))
        elif one.digest == other.digest:
            yield Difference(path, ("it can be executed in one run, and not in the other",))
        else:
            yield Difference(path, _told(path, one.digest, other.digest, read))


def _below(path: str, tree: TreeValue, read: Read) -> dict[str, FileValue | TreeValue]:
    return {f"{path}/{name}": value for name, value in members(tree, read)}


def _told(path: str, one: Digest, other: Digest, read: Read) -> tuple[str, ...]:
    if max(one.size, other.size) > LARGEST:
        return (f"{one.size:,} bytes and {other.size:,} bytes",)
    return how_they_differ(path, read(one), read(other))
