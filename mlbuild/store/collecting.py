"""Collecting: removes from a cache, beside any number of builds, what `collect` chooses.

The order is the argument. Entries go first, so that none names a blob that has gone. Blobs are retired, not removed:
whoever has seen one still finds it. They are removed when all who could have seen them have ended, and when nothing
that these have recorded names them.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from mlbuild.files.sharing import make_cache, open_lock, private_part
from mlbuild.files.staging import TreeStore
from mlbuild.records import record
from mlbuild.store.collect import Item, Kind, choose
from mlbuild.store.completeness import Completeness
from mlbuild.store.disk import DiskStore
from mlbuild.store.entries import decoded
from mlbuild.store.notes import keep_note, load_note
from mlbuild.store.retired import Retired
from mlbuild.store.survey import COMPILED, Amounts, amounts, survey
from mlbuild.store.words import in_words

MAGIC = b"mlbuild-collected-2\n"


@record
class Collected:
    """What a collection did. `waiting` bytes go when the commands that run now have ended."""

    before: int
    after: int
    waiting: int
    removed: tuple[tuple[Kind, int], ...]
    """How many of each kind."""
    is_alone: bool
    """Whether no other command held the staged trees: if one did, they stayed."""


@record
class LastCollection:
    """When a cache was last collected, to which size, and what it held then."""

    time_ns: int
    limit: int
    after: int


def collect(folder: Path, limit: int, target: int, *, waits: bool) -> Collected | None:
    """If the cache holds more than `limit` bytes, removes the least recently used until it holds `target`.

    Nothing if another process is collecting and `waits` is off. Raises OSError, and UserError where the cache cannot
    be written.
    """
    with _only_one(folder, waits) as is_ours:
        if not is_ours:
            return None
        _remove_retired(folder)
        before = amounts(folder)
        chosen: tuple[Item, ...] = ()
        is_alone = True
        if _counted(before) > limit:
            chosen, is_alone = _retire(folder, target)
            _remove_retired(folder)
        after = amounts(folder) if chosen else before
        keep_note(folder / "last-collection", MAGIC, map(str, (time.time_ns(), limit, after.on_disk)))
        removed = tuple((kind, sum(item.kind is kind for item in chosen)) for kind in Kind)
        return Collected(before.on_disk, after.on_disk, after.retired.on_disk, removed, is_alone)


def last_collection(folder: Path) -> LastCollection | None:
    try:
        time_ns, limit, after = map(int, load_note(folder / "last-collection", MAGIC) or ())
    except ValueError:
        return None
    return LastCollection(time_ns, limit, after)


def remove_retired(folder: Path) -> None:
    """Removes what collections have left for those who were at work then. Raises OSError."""
    with _only_one(folder, waits=True):
        _remove_retired(folder)


def _counted(found: Amounts) -> int:
    """What is retired is as good as gone."""
    return found.on_disk - found.retired.on_disk


def _retire(folder: Path, target: int) -> tuple[tuple[Item, ...], bool]:
    store = DiskStore(folder)
    trees = TreeStore(private_part(folder) / "staged", store)
    try:
        with trees.alone() as is_alone:
            # Trees in use stay, and with them the blobs that they are links to.
            kept = frozenset() if is_alone else frozenset({Kind.TREE, Kind.PROGRAM})
            found = survey(folder, store, time.time_ns())
            chosen = choose(found.items, found.sizes, target, keep=kept)
            for name in _names(chosen, Kind.TREE):
                trees.remove(name)
            for name in _names(chosen, Kind.PROGRAM):
                trees.remove_program(name)
        # Whoever waits to stage something need not wait for the rest.
        _unlink(folder / "quarantine", _names(chosen, Kind.SET_ASIDE))
        _unlink(private_part(folder) / COMPILED, _names(chosen, Kind.COMPILED))
        _unlink(folder / "ac", (f"{name[:2]}/{name}" for name in _names(chosen, Kind.ENTRY)))
        Retired(folder).retire(_names(chosen, Kind.BLOB))
        return chosen, is_alone
    finally:
        trees.close()
        store.close()


def _remove_retired(folder: Path) -> None:
    def keep_what_entries_name() -> None:
        store = DiskStore(folder)
        try:
            completeness = Completeness(store)
            for path in sorted((folder / "ac").glob("??/*")):
                with contextlib.suppress(OSError, ValueError):
                    # Asking fetches back.
                    completeness.is_complete(decoded(path.read_bytes())[1])
        finally:
            store.close()

    Retired(folder).remove(keep_what_entries_name)


def _names(chosen: Iterable[Item], kind: Kind) -> list[str]:
    return [item.name for item in chosen if item.kind is kind]


def _unlink(folder: Path, names: Iterable[str]) -> None:
    for name in names:
        (folder / name).unlink(missing_ok=True)


@contextlib.contextmanager
def _only_one(folder: Path, waits: bool) -> Iterator[bool]:
    """One process collects at a time; the lock is the kernel's."""
    with in_words(folder):
        make_cache(folder)
        descriptor = open_lock(folder / "collecting")
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if waits else fcntl.LOCK_NB))
        is_ours = True
    except BlockingIOError:
        is_ours = False
    try:
        yield is_ours
    finally:
        os.close(descriptor)
