"""What a staged tree should hold, and how each piece looked when its bytes were last known to be right.

A piece that looks otherwise, were it only by its ctime, is read again; after a start of the machine all of them are,
since a power loss spares no stamp; and of those that look the same some are read at each use.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from mlbuild.files.boot import boot
from mlbuild.files.hashing import sha256_of
from mlbuild.records import record

MAGIC = b"mlbuild-tree-2\n"
SAMPLE = 1 << 20
"""Bytes of a tree that are read at each first use, though nothing shows that they have changed."""

Entry = tuple[str, int, int, str]
"""(path, mode, size, hash of a file or target of a link); a folder comes before what is in it."""

Stamp = tuple[int, int]
"""(inode, ctime_ns)"""


@record
class TreeList:
    """The file at `path` says it; `boot` is when the stamps were taken."""

    entries: tuple[Entry, ...]
    stamps: tuple[Stamp, ...]
    boot: str

    def save(self, path: Path) -> bool:
        from mlbuild.files.kept import keep

        return keep(str(path), MAGIC, (self.entries, self.stamps, self.boot))


def load(path: Path) -> TreeList | None:
    """Nothing, if it is not there or not to be trusted."""
    from mlbuild.files.kept import load_kept

    kept = load_kept(str(path), MAGIC)
    return TreeList(*kept) if isinstance(kept, tuple) and len(kept) == 3 else None


def taken(entries: Iterable[Entry], root: int) -> TreeList:
    """A tree below the descriptor `root` that has just been made, of checked bytes."""
    entries = tuple(entries)
    stamps = tuple(_stamp(os.stat(each[0] or ".", dir_fd=root, follow_symlinks=False)) for each in entries)
    return TreeList(entries, stamps, boot())


def looked_over(known: TreeList, root: int, mtime_ns: int) -> TreeList | None:
    """The list as it is now, if the tree below the descriptor `root` holds what it should; nothing if it does not."""
    now = boot()
    names: dict[str, set[str]] = {}
    stamps: list[Stamp] = []
    doubtful: list[Entry] = []
    files: list[Entry] = []
    for entry, before in zip(known.entries, known.stamps, strict=True):
        path, mode, size, _ = entry
        if path:
            above, _, name = path.rpartition("/")
            names[above].add(name)
        try:
            found = os.stat(path or ".", dir_fd=root, follow_symlinks=False)
        except OSError:
            return None
        if found.st_mode != mode or (not stat.S_ISLNK(mode) and found.st_mtime_ns != mtime_ns):
            return None
        if stat.S_ISREG(mode):
            if found.st_size != size:
                return None
            files.append(entry)
        elif stat.S_ISDIR(mode):
            names[path] = set()
        stamps.append(_stamp(found))
        if stamps[-1] != before or known.boot != now:
            doubtful.append(entry)
    if not all(_holds(entry, root, names) for entry in (*doubtful, *_sample(files))):
        return None
    return TreeList(known.entries, tuple(stamps), now)


def _sample(files: list[Entry]) -> list[Entry]:
    """Some files in a row, up to a bound of bytes, from a random one on."""
    if not files:
        return []
    start = int.from_bytes(os.urandom(4), "little") % len(files)
    chosen: list[Entry] = []
    left = SAMPLE
    for entry in (*files[start:], *files[:start]):
        left -= entry[2]
        if left < 0:
            break
        chosen.append(entry)
    return chosen


def _holds(entry: Entry, root: int, names: dict[str, set[str]]) -> bool:
    path, mode, _, content = entry
    try:
        if stat.S_ISDIR(mode):
            return _listed(path, root) == names[path]
        if stat.S_ISLNK(mode):
            return os.readlink(path, dir_fd=root) == content
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=root)
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            return sha256_of(file) == content
    except OSError:
        return False


def _listed(path: str, root: int) -> set[str]:
    descriptor = os.open(path or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=root)
    try:
        return set(os.listdir(descriptor))
    finally:
        os.close(descriptor)


def _stamp(found: os.stat_result) -> Stamp:
    return found.st_ino, found.st_ctime_ns
