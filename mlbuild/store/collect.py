"""What to remove from a cache that has grown too big: the oldest use first. Decides, and touches no disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import IntEnum

from mlbuild.records import record


class Kind(IntEnum):
    """In the order in which things of one age go: what names another goes before it."""

    SET_ASIDE = 0
    COMPILED = 1
    ENTRY = 2
    TREE = 3
    PROGRAM = 4
    BLOB = 5


@record
class Item:
    """One thing that can be removed. `inodes` are the files that it holds: a linked one is free when nobody holds it.

    A blob was used when the last of those was that name or hold it: so in the order of use they go first.
    """

    kind: Kind
    name: str
    used_ns: int
    inodes: tuple[int, ...]


def choose(items: Iterable[Item], sizes: Mapping[int, int], limit: int, *, keep: frozenset[Kind]) -> tuple[Item, ...]:
    """What to remove, in this order, so that no more than `limit` bytes are left; never the kinds in `keep`.

    What shares a file with something that is kept stays too: removing it would free nothing.
    """
    items = tuple(items)
    holders = Counter(inode for item in items for inode in item.inodes)
    kept = {inode for item in items if item.kind in keep for inode in item.inodes}
    left = sum(sizes[inode] for inode in holders)
    chosen: list[Item] = []
    for item in sorted(items, key=lambda item: (item.used_ns, item.kind, item.name)):
        if left <= limit:
            break
        if item.kind in keep or any(inode in kept for inode in item.inodes):
            continue
        chosen.append(item)
        for inode in item.inodes:
            holders[inode] -= 1
            if not holders[inode]:
                left -= sizes[inode]
    return tuple(chosen)
