"""What a cache holds, and when each thing was last used. Looks, and changes nothing."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from mlbuild.files.sharing import private_part
from mlbuild.files.staged import staged
from mlbuild.reapi import decode_directory
from mlbuild.records import record, replace
from mlbuild.seams import BlobMissing
from mlbuild.store.collect import Item, Kind
from mlbuild.store.completeness import Blobs
from mlbuild.store.entries import decoded
from mlbuild.store.retired import generations
from mlbuild.terms import Digest, FileValue, SpawnResult, TreeValue

HASH_LENGTH = 64
COMPILED = "lang"
"""The folder of the language's own files, in the user's part of the cache's."""


@record
class Tally:
    """How many there are, their bytes, and what they take on disk."""

    count: int = 0
    size: int = 0
    on_disk: int = 0


@record
class Amounts:
    """What is where. `on_disk` counts a file that has several names once."""

    blobs: Tally
    entries: Tally
    trees: Tally
    compiled: Tally
    """Compiled files and evaluated packages."""
    set_aside: Tally
    retired: Tally
    on_disk: int


def amounts(folder: Path) -> Amounts:
    """By looking at every file, and reading none. Raises OSError."""
    private = private_part(folder)
    disk: dict[int, int] = {}
    blobs = _tally(_in_pairs(folder / "cas"), disk)
    entries = _tally(_in_pairs(folder / "ac"), disk)
    compiled = _tally(_in(private / COMPILED), disk)
    set_aside = _tally(_in(folder / "quarantine"), disk)
    retired = _tally((each for gen in generations(folder) for each in _in(folder / "retired" / str(gen))), disk)
    trees = 0
    staged_files: dict[int, int] = {}
    for each in staged(private / "staged"):
        trees += not each.is_program
        staged_files.update(each.files)
    own = sum(size for inode, size in staged_files.items() if inode not in disk)
    disk.update(staged_files)
    return Amounts(blobs, entries, Tally(trees, 0, own), compiled, set_aside, retired, sum(disk.values()))


@record
class Survey:
    """Everything that a collection may remove, and the bytes of its files by inode."""

    items: tuple[Item, ...]
    sizes: Mapping[int, int]


def survey(folder: Path, store: Blobs, now_ns: int) -> Survey:
    """Everything with its last use: what lies in the future, after a change of the clock, was used just now.

    An entry is used when it answers, a compiled file when it is read. A blob is used when an entry or a staged tree that it belongs to is; any other,
    when its file was last put or linked, which its ctime tells. Raises OSError.
    """
    private = private_part(folder)
    sizes: dict[int, int] = {}
    items: list[Item] = []
    results: list[tuple[int, SpawnResult]] = []
    uses: dict[int, int] = {}
    for path, found in _in(folder / "quarantine"):
        items.append(_item(Kind.SET_ASIDE, path, 0, found, sizes))
    for path, found in _in(private / COMPILED):
        items.append(_item(Kind.COMPILED, path, min(found.st_mtime_ns, now_ns), found, sizes))
    for path, found in _in_pairs(folder / "ac"):
        used = min(found.st_mtime_ns, now_ns)
        items.append(_item(Kind.ENTRY, path, used, found, sizes))
        with contextlib.suppress(OSError, ValueError):
            results.append((used, decoded(Path(path).read_bytes())[1]))
    trees: list[tuple[int, str]] = []
    programs: list[Item] = []
    for each in staged(private / "staged"):
        sizes.update(each.files)
        used = min(each.used_ns, now_ns)
        if each.is_program:
            programs.append(Item(Kind.PROGRAM, each.name, used, tuple(each.files)))
            continue
        items.append(Item(Kind.TREE, each.name, used, tuple(each.files)))
        trees.append((used, each.name))
        for inode in each.files:
            uses[inode] = max(uses.get(inode, 0), used)
    # A program is used when a tree that holds it is.
    items += [replace(each, used_ns=uses.get(each.inodes[0], each.used_ns)) for each in programs]
    named = _named(results, trees, folder, store)
    for path, found in _in_pairs(folder / "cas"):
        name = os.path.basename(path)
        known = max(named.get(name, 0), uses.get(found.st_ino, 0)) or min(found.st_ctime_ns, now_ns)
        items.append(_item(Kind.BLOB, path, known, found, sizes))
    return Survey(tuple(items), sizes)


def _named(
    results: Iterable[tuple[int, SpawnResult]], staged_trees: Iterable[tuple[int, str]], folder: Path, store: Blobs
) -> Mapping[str, int]:
    """The last use of every blob that an entry or a staged tree names, at any depth."""
    roots: list[tuple[int, Digest, bool]] = []
    for used, result in results:
        roots += [(used, digest, False) for digest in (result.stdout, result.stderr)]
        for _, value in result.outputs:
            if isinstance(value, FileValue | TreeValue):
                roots.append((used, value.digest, isinstance(value, TreeValue)))
    for used, name in staged_trees:
        # A staged tree's name says only its hash; its message is looked up for the size.
        with contextlib.suppress(OSError):
            size = os.lstat(folder / "cas" / name[:2] / name).st_size
            roots.append((used, Digest(name, size), True))
    uses: dict[str, int] = {}
    opened: set[Digest] = set()
    # The latest first: whoever comes to a blob first has its last use.
    for used, root, is_tree in sorted(roots, key=lambda each: -each[0]):
        waiting = [root] if is_tree else []
        uses.setdefault(root.hash, used)
        while waiting:
            digest = waiting.pop()
            if digest in opened or not digest.size:
                continue
            opened.add(digest)
            try:
                directory = decode_directory(store.get(digest))
            except (BlobMissing, ValueError):
                continue
            for file in directory.files:
                uses.setdefault(file.digest.hash, used)
            for child in directory.directories:
                uses.setdefault(child.digest.hash, used)
                waiting.append(child.digest)
    return uses


def _item(kind: Kind, path: str, used_ns: int, found: os.stat_result, sizes: dict[int, int]) -> Item:
    sizes[found.st_ino] = found.st_blocks * 512
    return Item(kind, os.path.basename(path), used_ns, (found.st_ino,))


def _tally(files: Iterable[tuple[str, os.stat_result]], disk: dict[int, int]) -> Tally:
    count = size = on_disk = 0
    for _, found in files:
        count += 1
        size += found.st_size
        on_disk += found.st_blocks * 512
        disk[found.st_ino] = found.st_blocks * 512
    return Tally(count, size, on_disk)


def _in_pairs(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """The files in `folder/ab/`, sorted, but what has a name of another kind."""
    for pair in _names(str(folder)):
        if len(pair) == 2:
            for path, found in _in(folder / pair):
                if len(os.path.basename(path)) == HASH_LENGTH:
                    yield path, found


def _in(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """The files in a folder, sorted. What goes meanwhile is left out."""
    for name in _names(str(folder)):
        path = f"{folder}/{name}"
        with contextlib.suppress(FileNotFoundError):
            found = os.lstat(path)
            if not stat.S_ISDIR(found.st_mode):
                yield path, found


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []
