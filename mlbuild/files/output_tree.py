"""Outputs where people find them: copies, placed whole or not at all.

Never hard links: an edit under `mlbuild-out/` would change the store. What was placed is remembered with its stamp, so
that an unchanged output is not copied again and an edited one is replaced.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import shutil
import stat
from pathlib import Path
from typing import Protocol

from mlbuild.diagnostics import ExitCode, fail
from mlbuild.files.kept import keep, load_kept
from mlbuild.files.last_build import Witness, witness
from mlbuild.files.remove import remove_tree
from mlbuild.reapi import decode_directory
from mlbuild.terms import Digest, Directory, FileValue, TreeValue

FICLONE = 0x40049409
MAGIC = b"mlbuild-placed-1\n"
Placed = dict[str, tuple[tuple[object, ...], tuple[Witness, ...]]]


class BlobFiles(Protocol):
    """What placing needs of a store: checked messages, and checked files to copy."""

    def get(self, digest: Digest) -> bytes: ...

    def path_of(self, digest: Digest) -> Path: ...


class DiskOutputTree:
    """An `OutputTree` at a folder. `memory` is the file that remembers what was placed, outside that folder."""

    def __init__(self, root: Path, store: BlobFiles, memory: Path) -> None:
        self._root = root
        self._store = store
        self._memory = memory
        self._placed = _load(memory)
        self._used: dict[str, None] = {}
        self._is_changed = False

    def place(self, path: str, value: FileValue | TreeValue) -> None:
        """Raises UserError when the disk is full or the folder cannot be written, BlobMissing."""
        self._used[path] = None
        wanted = _as_tuple(value)
        known = self._placed.get(path)
        if known is not None and known[0] == wanted and all(witness(each[0], each[1]) == each for each in known[1]):
            return
        place = self._root / path
        temporary = place.with_name(f".{secrets.token_hex(8)}.mlbuild")
        try:
            self._make_parents(place)
            try:
                seen = self._write(temporary, value)
                self._replace(temporary, place)
            finally:
                if os.path.lexists(temporary):
                    remove_tree(temporary)
        except OSError as error:
            raise _in_words(error, place) from error
        kept = tuple(
            witness(f"{place}{inside}", "output" if kind == "output" else "directory") for inside, kind in seen
        )
        self._placed[path] = (wanted, kept)
        self._is_changed = True

    def witnesses(self) -> tuple[Witness, ...]:
        """Everything that was placed by this process or found in place, as it looks."""
        return tuple(each for path in self._used for each in self._placed[path][1])

    def save(self) -> None:
        """Remembers for the next process; if that fails, outputs are placed again."""
        if not self._is_changed:
            return
        keep(str(self._memory), MAGIC, self._placed)

    def _make_parents(self, place: Path) -> None:
        """Folders up to the output; a file of an earlier build that is in the way is removed."""
        for parent in reversed(place.relative_to(self._root).parents[:-1]):
            folder = self._root / parent
            if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
                folder.unlink()
            folder.mkdir(exist_ok=True)

    def _write(self, place: Path, value: FileValue | TreeValue) -> list[tuple[str, str]]:
        """Writes the value; gives the paths below `place` that witness it, with their kinds."""
        if isinstance(value, FileValue):
            self._copy(value.digest, place, value.is_executable)
            return [("", "output")]
        seen: list[tuple[str, str]] = []
        waiting = [("", value.digest)]
        while waiting:
            inside, digest = waiting.pop()
            directory = decode_directory(self._store.get(digest)) if digest.size else Directory()
            Path(f"{place}{inside}").mkdir()
            for file in directory.files:
                self._copy(file.digest, Path(f"{place}{inside}/{file.name}"), file.is_executable)
                seen.append((f"{inside}/{file.name}", "output"))
            for link in directory.symlinks:
                Path(f"{place}{inside}/{link.name}").symlink_to(link.target)
            waiting += [(f"{inside}/{child.name}", child.digest) for child in directory.directories]
            seen.append((inside, "directory"))
        return seen

    def _copy(self, digest: Digest, place: Path, is_executable: bool) -> None:
        with self._store.path_of(digest).open("rb") as source, place.open("xb") as target:
            try:
                fcntl.ioctl(target.fileno(), FICLONE, source.fileno())
            except OSError:
                shutil.copyfileobj(source, target, 1 << 20)
            os.fchmod(target.fileno(), 0o555 if is_executable else 0o444)

    def _replace(self, temporary: Path, place: Path) -> None:
        if os.path.lexists(place) and (stat.S_ISDIR(place.lstat().st_mode) or stat.S_ISDIR(temporary.lstat().st_mode)):
            remove_tree(place)
        temporary.replace(place)


def _as_tuple(value: FileValue | TreeValue) -> tuple[object, ...]:
    if isinstance(value, FileValue):
        return ("file", value.digest.hash, value.digest.size, value.is_executable)
    return ("tree", value.digest.hash, value.digest.size)


def _load(path: Path) -> Placed:
    loaded = load_kept(str(path), MAGIC)
    return loaded if isinstance(loaded, dict) else {}


def _in_words(error: OSError, place: Path) -> Exception:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return fail(
            "disk-full",
            f"the disk is full: `{place}` could not be placed",
            hint="free some space and run the same command again: what was built is kept",
            exit_code=ExitCode.ENVIRONMENT,
        )
    return fail(
        "output-not-writable",
        f"`{place}` could not be placed: {os.strerror(error.errno or 0).lower()}",
        hint="make the workspace writable for you",
        exit_code=ExitCode.ENVIRONMENT,
    )
