"""Outputs where people find them: copies, placed whole or not at all.

Never hard links: an edit under `mlbuild-out/` would change the store. What was placed is remembered with its stamp, so
that an unchanged output is not copied again and an edited one is replaced.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from mlbuild.diagnostics import ExitCode, UserError, fail
from mlbuild.files.boot import boot, is_in_doubt
from mlbuild.files.full import FULL
from mlbuild.files.hashing import sha256_of
from mlbuild.files.kept import keep, load_kept
from mlbuild.files.last_build import Witness
from mlbuild.files.paths import check_path
from mlbuild.files.remove import remove_tree
from mlbuild.files.states import Stamp
from mlbuild.reapi import decode_directory
from mlbuild.terms import OUTPUT_ROOT, Digest, Directory, FileValue, TreeValue

FICLONE = 0x40049409
SMALL = 1 << 20
"""Bytes up to which an output goes through memory, rather than being read a second time to be copied."""

MAGIC = b"mlbuild-placed-3\n"

Piece = tuple[str, str, tuple[int, int, int, int, int]]
"""(path below the output, `file HASH`, `link TARGET` or `folder`, stamp)."""

Record = tuple[tuple[object, ...], int, tuple[Piece, ...]]
"""What was placed, when that was looked at, and every piece of it as it looked then."""


class Blobs(Protocol):
    """What placing needs of a store: checked bytes."""

    def get(self, digest: Digest) -> bytes: ...

    def open(self, digest: Digest) -> BinaryIO: ...


def make_output_root(workspace: Path) -> bool:
    """Makes the folder of outputs; whether it was not there. One that cannot be made is told when something is placed."""
    try:
        os.mkdir(workspace / OUTPUT_ROOT)
    except OSError:
        return False
    return True


class DiskOutputTree:
    """An `OutputTree` at the workspace's root. `memory` is the file that remembers what was placed, outside of it.

    One process at a time: whoever places holds the workspace's lock.
    """

    def __init__(self, root: Path, store: Blobs, memory: Path | None) -> None:
        self._root = root
        self._store = store
        self._memory = memory
        self._placed = {} if memory is None else _load(memory)
        self._used: dict[str, None] = {}
        self._is_ready = False
        self._is_changed = False

    def place(self, path: str, value: FileValue | TreeValue) -> None:
        """Raises UserError when the disk is full or the folder cannot be written, BlobMissing."""
        check_path(path)
        if not path.startswith(f"{OUTPUT_ROOT}/"):
            raise ValueError(f"outputs are placed in `{OUTPUT_ROOT}` only, not at `{path}`")
        place = f"{self._root}/{path}"
        with _in_words(place):
            wanted = _as_tuple(value)
            record = self._placed.get(path)
            if record is None or record[0] != wanted or not self._is_in_place(path, place, record):
                self._placed.pop(path, None)
                self._put(path, place, value)
        self._used[path] = None

    def remove(self, path: str) -> None:
        """Makes `path` hold nothing. Never through a link."""
        check_path(path)
        place = f"{self._root}/{path}"
        with _in_words(place):
            folder = str(self._root)
            for part in path.split("/")[:-1]:
                folder = f"{folder}/{part}"
                if not os.path.isdir(folder) or os.path.islink(folder):
                    return
            if os.path.lexists(place):
                remove_tree(Path(place))
        self._used.pop(path, None)
        if self._placed.pop(path, None) is not None:
            self._is_changed = True

    def witnesses(self) -> tuple[Witness, ...]:
        """Everything that was placed by this process or found in place, as it looks."""
        return tuple(
            (f"{self._root}/{path}{inside}", "output", stamp[0], stamp[1], stamp[2], stamp[3])
            for path in self._used
            for inside, kind, stamp in self._placed[path][2]
            if not kind.startswith("link ")
        )

    def save(self) -> None:
        """Remembers for the next process; if that fails, outputs are placed again."""
        if self._is_changed and self._memory is not None:
            keep(str(self._memory), MAGIC, (boot(), time.time_ns(), self._placed))
            self._is_changed = False

    def _is_in_place(self, path: str, place: str, record: Record) -> bool:
        """Whether every piece looks as it did; read, where it was looked at too early for its stamp to mean that."""
        wanted, taken, pieces = record
        looked = time.time_ns()
        is_settled = True
        for inside, kind, known in pieces:
            try:
                if _look(place + inside) != known:
                    return False
                if not Stamp(*known).is_settled(taken):
                    is_settled = False
                    if not _holds(place + inside, inside, kind, pieces):
                        return False
            except (FileNotFoundError, NotADirectoryError):
                return False
        if not is_settled:
            self._remember(path, (wanted, looked, pieces))
        return True

    def _put(self, path: str, place: str, value: FileValue | TreeValue) -> None:
        new = self._beside(".new-")
        try:
            self._make_folders(path)
            written = list(self._write(new, value))
            self._replace(new, place)
        finally:
            if os.path.lexists(new):
                remove_tree(Path(new))
        looked = time.time_ns()
        pieces = tuple((inside, kind, _look(place + inside)) for inside, kind in written)
        self._remember(path, (_as_tuple(value), looked, pieces))

    def _remember(self, path: str, record: Record) -> None:
        self._placed[path] = record
        self._is_changed = True

    def _beside(self, prefix: str) -> str:
        """A new name at the top of the output folder: on the same disk, and easy to find for who comes after a crash."""
        top = f"{self._root}/{OUTPUT_ROOT}"
        if not self._is_ready:
            if os.path.islink(top):
                raise fail(
                    "output-root-is-link",
                    f"`{OUTPUT_ROOT}` is a link to `{os.readlink(top)}`: outputs are never placed through a link",
                    hint=f"remove the link `{OUTPUT_ROOT}`; mlbuild makes the folder itself",
                    exit_code=ExitCode.ENVIRONMENT,
                )
            os.makedirs(top, exist_ok=True)
            for name in sorted(os.listdir(top)):
                if name.startswith((".new-", ".old-")):
                    remove_tree(Path(top, name))
            self._is_ready = True
        return f"{top}/{prefix}{os.urandom(8).hex()}"

    def _make_folders(self, path: str) -> None:
        """Folders down to the output; a file or link of an earlier build that is in the way is removed."""
        folder = str(self._root)
        for part in path.split("/")[:-1]:
            folder = f"{folder}/{part}"
            try:
                os.mkdir(folder)
            except FileExistsError:
                if not stat.S_ISDIR(os.lstat(folder).st_mode):
                    os.unlink(folder)
                    os.mkdir(folder)

    def _write(self, place: str, value: FileValue | TreeValue) -> Iterator[tuple[str, str]]:
        """Writes the value; gives each piece's path below `place` and kind."""
        if isinstance(value, FileValue):
            self._copy(value.digest, place, value.is_executable)
            yield "", f"file {value.digest.hash}"
            return
        waiting = [("", value.digest)]
        while waiting:
            inside, digest = waiting.pop()
            directory = decode_directory(self._store.get(digest)) if digest.size else Directory()
            os.mkdir(place + inside)
            yield inside, "folder"
            for file in directory.files:
                self._copy(file.digest, f"{place}{inside}/{file.name}", file.is_executable)
                yield f"{inside}/{file.name}", f"file {file.digest.hash}"
            for link in directory.symlinks:
                os.symlink(link.target, f"{place}{inside}/{link.name}")
                yield f"{inside}/{link.name}", f"link {link.target}"
            waiting += [(f"{inside}/{child.name}", child.digest) for child in directory.directories]

    def _copy(self, digest: Digest, place: str, is_executable: bool) -> None:
        mode = 0o555 if is_executable else 0o444
        if digest.size <= SMALL:
            # Read once: what is hashed is what is written.
            data = self._store.get(digest)
            descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            try:
                rest = memoryview(data)
                while rest:
                    rest = rest[os.write(descriptor, rest) :]
                os.fchmod(descriptor, mode)
            finally:
                os.close(descriptor)
            return
        with self._store.open(digest) as source, Path(place).open("xb") as target:
            try:
                fcntl.ioctl(target.fileno(), FICLONE, source.fileno())
            except OSError:
                from shutil import copyfileobj

                copyfileobj(source, target, 1 << 20)
                target.flush()
            if os.fstat(target.fileno()).st_size != digest.size:
                raise OSError(errno.EIO, "a copy is not as long as its original")
            os.fchmod(target.fileno(), mode)

    def _replace(self, new: str, place: str) -> None:
        """What is there moves away first if it is a folder: a folder cannot be replaced in one step."""
        is_folder = stat.S_ISDIR(os.lstat(new).st_mode)
        if os.path.lexists(place) and (is_folder or stat.S_ISDIR(os.lstat(place).st_mode)):
            old = self._beside(".old-")
            os.rename(place, old)
            os.rename(new, place)
            remove_tree(Path(old))
        else:
            os.replace(new, place)


def _look(place: str) -> tuple[int, int, int, int, int]:
    """How it looks now, as a plain tuple: what is kept on disk knows no other."""
    size, mtime, ctime, inode, mode = Stamp.of(os.lstat(place))
    return size, mtime, ctime, inode, mode


def _holds(place: str, inside: str, kind: str, pieces: tuple[Piece, ...]) -> bool:
    """Whether a piece is what was placed, by its content."""
    what, _, detail = kind.partition(" ")
    if what == "file":
        with Path(place).open("rb") as file:
            return sha256_of(file) == detail
    if what == "link":
        return os.readlink(place) == detail
    below = {each[len(inside) + 1 :] for each, _, _ in pieces if each != inside and each.startswith(f"{inside}/")}
    return set(os.listdir(place)) == {name for name in below if "/" not in name}


def _as_tuple(value: FileValue | TreeValue) -> tuple[object, ...]:
    if isinstance(value, FileValue):
        return ("file", value.digest.hash, value.digest.size, value.is_executable)
    return ("tree", value.digest.hash, value.digest.size)


def _load(path: Path) -> dict[str, Record]:
    loaded = load_kept(str(path), MAGIC)
    if not isinstance(loaded, tuple) or len(loaded) != 3:
        return {}
    kept, saved_ns, placed = loaded
    return placed if kept == boot() else {each: _doubted(record, saved_ns) for each, record in placed.items()}


def _doubted(record: Record, saved_ns: int) -> Record:
    """The record, as one to be compared by content if the machine may have lost something of it."""
    value, taken_ns, pieces = record
    return (value, 0 if any(is_in_doubt(stamp[2], saved_ns) for _, _, stamp in pieces) else taken_ns, pieces)


@contextlib.contextmanager
def _in_words(place: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _cannot_place(error, place) from error


def _cannot_place(error: OSError, place: str) -> UserError:
    if error.errno in FULL:
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
