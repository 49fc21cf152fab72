"""What is staged, for who counts and checks it: the trees and programs of a `TreeStore`'s folder. Changes nothing."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from mlbuild.reapi import decode_directory
from mlbuild.records import record
from mlbuild.terms import Digest, Directory


@record
class Staged:
    """A tree, or a program that trees link to: its bytes on disk by inode, and when it was last used."""

    name: str
    is_program: bool
    used_ns: int
    files: Mapping[int, int]


def staged(folder: Path) -> Iterator[Staged]:
    """Everything staged under `folder`, sorted. What goes meanwhile is left out."""
    for name in _names(folder / "trees"):
        listing = folder / "trees" / f"{name}.list"
        if name.endswith(".list"):
            continue
        used = 0
        files: dict[int, int] = {}
        with contextlib.suppress(FileNotFoundError):
            found = listing.stat()
            used = found.st_mtime_ns
            files[found.st_ino] = found.st_blocks * 512
        with contextlib.suppress(FileNotFoundError):
            files.update(_sizes(folder / "trees" / name))
            yield Staged(name, False, used, files)
    for name in _names(folder / "programs"):
        with contextlib.suppress(FileNotFoundError):
            found = (folder / "programs" / name).lstat()
            yield Staged(name, True, found.st_ctime_ns, {found.st_ino: found.st_blocks * 512})


def differs(place: Path, root: Digest, read: Callable[[Digest], bytes], known: Mapping[int, str]) -> str | None:
    """What in a staged tree is not as the Merkle tree says, if anything.

    `known` has the hashes of files by inode, so that what is linked is not read again. Raises what `read` raises.
    """
    waiting = [("", root)]
    while waiting:
        path, digest = waiting.pop()
        directory = decode_directory(read(digest)) if digest.size else Directory()
        wanted = [node.name for nodes in (directory.files, directory.symlinks, directory.directories) for node in nodes]
        if sorted(os.listdir(place / path)) != sorted(wanted):
            return path or "."
        for link in directory.symlinks:
            if os.readlink(place / path / link.name) != link.target:
                return f"{path}{link.name}"
        for file in directory.files:
            if not _holds(place / path / file.name, file.digest, known):
                return f"{path}{file.name}"
        waiting += [(f"{path}{child.name}/", child.digest) for child in directory.directories]
    return None


def _holds(path: Path, digest: Digest, known: Mapping[int, str]) -> bool:
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode) or found.st_size != digest.size:
        return False
    if (linked := known.get(found.st_ino)) is not None:
        return linked == digest.hash
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == digest.hash


def _sizes(top: Path) -> Iterator[tuple[int, int]]:
    found = top.lstat()
    yield found.st_ino, found.st_blocks * 512
    waiting = [str(top)]
    while waiting:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                found = entry.stat(follow_symlinks=False)
                yield found.st_ino, found.st_blocks * 512
                if stat.S_ISDIR(found.st_mode):
                    waiting.append(entry.path)


def _names(folder: Path) -> list[str]:
    """What is whole: `.new-` and `.old-` are on their way."""
    try:
        return sorted(name for name in os.listdir(folder) if not name.startswith("."))
    except FileNotFoundError:
        return []
