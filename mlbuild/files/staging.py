"""Inputs on disk for sandboxes: stored Merkle trees as folders, made once and shared.

Files are hard links to the store's own, so a tree costs no bytes; sandboxes mount them read-only. A folder's modes and
times are the same however it was staged: files 0444, programs 0555, folders 0555, all of one fixed time.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from mlbuild.files import tree_list
from mlbuild.files.hashing import sha256_of
from mlbuild.files.remove import remove_tree
from mlbuild.files.tree_list import Entry, TreeList
from mlbuild.reapi import decode_directory
from mlbuild.records import record
from mlbuild.terms import Digest, Directory, FileNode

FIXED_TIME = 315_532_800
"""Modification time of every staged file, as seconds: 1 January 1980, the first that zip files can hold."""

SHARED_FROM = 64
"""A folder with this many entries below it is staged once and mounted, rather than linked for every action."""

_MOST_MOUNTS = 40
_TIMES = (FIXED_TIME * 10**9, FIXED_TIME * 10**9)


class BlobFiles(Protocol):
    """What staging needs of a store: checked bytes, and checked files to link to."""

    def get(self, digest: Digest) -> bytes: ...

    def open(self, digest: Digest) -> BinaryIO: ...

    def path_of(self, digest: Digest) -> Path: ...


@record
class StagedTree:
    """A shared tree to mount at `path`, relative to the staged folder (empty: at the folder itself)."""

    path: str
    digest: Digest


class TreeStore:
    """Whole trees by digest under `folder`, for any number of threads and processes at once.

    `trees/<hash>` is the tree and `trees/<hash>.list` what it should hold; `programs/<hash>` are copies of files that
    are executable in some tree, since a file has one mode. A tree is looked over once in a process before it is used
    (see `tree_list`); a damaged one is made again.
    """

    def __init__(self, folder: Path, store: BlobFiles) -> None:
        self._store = store
        self.trees = folder / "trees"
        self._programs = folder / "programs"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Sandboxes that run as another user pass through `trees` itself, never through the folder above it.
        for each in (self.trees, self._programs):
            each.mkdir(exist_ok=True)
            each.chmod(0o755)
        self._lock = threading.Lock()
        self._building: dict[Digest, threading.Lock] = {}
        self._sound: set[Digest] = set()
        self._read: set[Digest] = set()
        """Programs whose bytes this process has read or written."""
        self._directories: dict[Digest, Directory] = {}
        self._in_use = os.open(folder / "in-use", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if self._is_alone():
            self._remove_unfinished()
        fcntl.flock(self._in_use, fcntl.LOCK_SH)

    def close(self) -> None:
        """Says that this process uses the trees no longer."""
        if self._in_use >= 0:
            os.close(self._in_use)
            self._in_use = -1

    def tree(self, digest: Digest) -> Path:
        """The folder that holds the tree. Raises BlobMissing when the store lacks a part of it."""
        place = self.trees / digest.hash
        if digest in self._sound:
            return place
        with self._lock:
            lock = self._building.setdefault(digest, threading.Lock())
        with lock:
            if digest not in self._sound:
                if not self._is_sound(place):
                    self._build(digest, place)
                with contextlib.suppress(OSError):
                    os.utime(_listing(place))
                self._sound.add(digest)
        return place

    def directory(self, digest: Digest) -> Directory:
        """One level of a stored tree."""
        if (known := self._directories.get(digest)) is not None:
            return known
        directory = decode_directory(self._store.get(digest)) if digest.size else Directory()
        if len(self._directories) > 50_000:
            self._directories.clear()
        self._directories[digest] = directory
        return directory

    def stage(self, root: Digest, destination: Path) -> tuple[StagedTree, ...]:
        """Makes `destination` hold the tree, but for its big folders: they are empty there, and told, to be mounted.

        The trees told are sorted by path and are ready in this store. Raises BlobMissing.
        """
        shared = self._plan(root)
        if "" in shared:
            self.tree(root)
            destination.mkdir(mode=0o755)
            return (StagedTree("", root),)
        trees = tuple(StagedTree(path, shared[path]) for path in sorted(shared))
        for tree in trees:
            self.tree(tree.digest)
        self._fill(root, destination, frozenset(shared))
        return trees

    def loose(self, files: Iterable[FileNode], destination: Path) -> tuple[str, ...]:
        """Makes `destination` hold these files alone, and gives their names."""
        destination.mkdir(mode=0o755)
        folder = os.open(destination, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            names: list[str] = []
            for file in files:
                self._place(file, file.name, folder)
                names.append(file.name)
            return tuple(names)
        finally:
            os.close(folder)

    @contextlib.contextmanager
    def alone(self) -> Iterator[bool]:
        """Whether no other process uses the trees; if so, none begins to meanwhile. Nothing may be staged here then."""
        try:
            yield self._is_alone()
        finally:
            fcntl.flock(self._in_use, fcntl.LOCK_SH)

    def remove(self, name: str) -> None:
        """Removes a tree by its hash. For who is alone."""
        self._discard(self.trees / name)
        self._sound = {digest for digest in self._sound if digest.hash != name}

    def remove_program(self, name: str) -> None:
        """Removes a program by its hash; trees that hold it keep it. For who is alone."""
        (self._programs / name).unlink(missing_ok=True)

    def _is_alone(self) -> bool:
        """Whether no other process uses the trees; if so, none can begin to before we take the shared lock again.

        Where not, the shared lock is lost too: the kernel gives the old lock up before it tries for the new one.
        """
        try:
            fcntl.flock(self._in_use, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _remove_unfinished(self) -> None:
        """What processes left behind that were killed at work."""
        for folder in (self.trees, self._programs):
            for name in sorted(os.listdir(folder)):
                if name.startswith((".new-", ".old-")):
                    remove_tree(folder / name)
                elif name.endswith(".list") and not os.path.lexists(folder / name.removesuffix(".list")):
                    (folder / name).unlink()

    def _plan(self, root: Digest) -> dict[str, Digest]:
        """Which folders are mounted rather than linked, by path.

        From the leaves up: a folder is mounted when it and those below it that are not mounted themselves hold
        `SHARED_FROM` entries. So trees are cut where the bulk is, and an action's own few files around them do not
        make a new big tree for every action.
        """
        order: list[tuple[str, Digest]] = []
        known: dict[str, Digest] = {}
        waiting = [("", root)]
        while waiting:
            path, digest = waiting.pop()
            if path and digest in self._sound:
                known[path] = digest
                continue
            order.append((path, digest))
            prefix = f"{path}/" if path else ""
            waiting += [(prefix + child.name, child.digest) for child in self.directory(digest).directories]
        shared = dict(known)
        loose: dict[str, int] = {}
        for path, digest in reversed(order):
            directory = self.directory(digest)
            prefix = f"{path}/" if path else ""
            count = len(directory.files) + len(directory.symlinks) + len(directory.directories)
            count += sum(loose.get(prefix + child.name, 0) for child in directory.directories)
            if count >= SHARED_FROM:
                shared[path] = digest
                count = 0
            loose[path] = count
        digests = dict(order) | known
        shared = _without_nested(shared)
        while len(shared) > _MOST_MOUNTS:
            # Too many mounts are slow: the folder with the most of them is mounted as a whole.
            parents: dict[str, int] = {}
            for path in shared:
                parent = path.rpartition("/")[0]
                parents[parent] = parents.get(parent, 0) + 1
            fullest = max(sorted(parents), key=lambda parent: (parents[parent], parent.count("/"), parent))
            shared = _without_nested(shared | {fullest: digests[fullest]})
        return shared

    def _build(self, digest: Digest, place: Path) -> None:
        """Makes the tree beside its place and moves it there; whoever comes first wins, the others throw theirs away."""
        new = self.trees / f".new-{os.urandom(16).hex()}"
        written = new.with_suffix(".list")
        try:
            entries = self._fill(digest, new, frozenset())
            root = os.open(new, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                is_listed = tree_list.taken(entries, root).save(written)
            finally:
                os.close(root)
            if not is_listed:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(written))
            with self._placing():
                if self._is_sound(place):
                    return
                self._discard(place)
                written.replace(_listing(place))
                new.rename(place)
        finally:
            written.unlink(missing_ok=True)
            if os.path.lexists(new):
                remove_tree(new)

    @contextlib.contextmanager
    def _placing(self) -> Iterator[None]:
        """One process at a time: a tree that somebody else has just placed may be in use, and must not be replaced."""
        lock = os.open(self.trees.parent / "placing", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _discard(self, place: Path) -> None:
        """Takes a tree away under another name first, so that nobody sees half of one."""
        old = self.trees / f".old-{os.urandom(16).hex()}"
        with contextlib.suppress(FileNotFoundError):
            place.rename(old)
            remove_tree(old)
        _listing(place).unlink(missing_ok=True)

    def _is_sound(self, place: Path) -> bool:
        """Whether the tree holds what it should; what looks otherwise than when it was last read is read again."""
        known, now = _looked_over(place)
        if now is not None and now != known:
            # A disk that refuses it costs time only: the next to come reads again.
            new = self.trees / f".new-{os.urandom(16).hex()}.list"
            with contextlib.suppress(OSError):
                if now.save(new):
                    new.replace(_listing(place))
        return now is not None

    def _fill(self, digest: Digest, destination: Path, empty: frozenset[str]) -> list[Entry]:
        """Writes a tree into the new folder `destination`, leaving empty the folders at the paths in `empty`.

        Gives what it wrote, folders before what is in them.
        """
        os.mkdir(destination, 0o700)
        root = os.open(destination, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        entries: list[Entry] = [("", stat.S_IFDIR | 0o555, 0, "")]
        folders = [("", digest)]
        try:
            # The list grows while it is walked: folders before what is in them.
            for path, each in folders:
                if path in empty:
                    continue
                prefix = f"{path}/" if path else ""
                directory = self.directory(each)
                for child in directory.directories:
                    os.mkdir(prefix + child.name, 0o700, dir_fd=root)
                    entries.append((prefix + child.name, stat.S_IFDIR | 0o555, 0, ""))
                    folders.append((prefix + child.name, child.digest))
                for link in directory.symlinks:
                    os.symlink(link.target, prefix + link.name, dir_fd=root)
                    os.utime(prefix + link.name, ns=_TIMES, dir_fd=root, follow_symlinks=False)
                    entries.append((prefix + link.name, stat.S_IFLNK | 0o777, 0, link.target))
                for file in directory.files:
                    self._place(file, prefix + file.name, root)
                    mode = 0o555 if file.is_executable else 0o444
                    entries.append((prefix + file.name, stat.S_IFREG | mode, file.digest.size, file.digest.hash))
            for path, _ in reversed(folders):
                os.chmod(path or ".", 0o555, dir_fd=root)
                os.utime(path or ".", ns=_TIMES, dir_fd=root)
        finally:
            os.close(root)
        return entries

    def _place(self, file: FileNode, path: str, root: int) -> None:
        source = self._program(file.digest) if file.is_executable else self._store.path_of(file.digest)
        mode = 0o555 if file.is_executable else 0o444
        try:
            os.link(source, path, dst_dir_fd=root, follow_symlinks=False)
        except OSError as error:
            # A blob that a collection has just retired has no path for a moment; the store still opens it.
            # And another user's file may not be linked to.
            if error.errno not in {errno.EMLINK, errno.EXDEV, errno.EPERM, errno.EACCES, errno.ENOENT}:
                raise
        else:
            found = os.stat(path, dir_fd=root, follow_symlinks=False)
            # Another user's file stays his to change.
            is_ours = found.st_uid == os.geteuid()
            if is_ours and (found.st_mode, found.st_mtime_ns) == (stat.S_IFREG | mode, _TIMES[1]):
                return
            os.unlink(path, dir_fd=root)
        self._copy(file.digest, path, root, mode)

    def _program(self, digest: Digest) -> Path:
        place = self._programs / digest.hash
        with contextlib.suppress(OSError):
            found = place.lstat()
            looks_right = (found.st_mode, found.st_size, found.st_mtime_ns) == (
                stat.S_IFREG | 0o555, digest.size, _TIMES[1],
            )  # fmt: skip
            if looks_right and digest not in self._read:
                with place.open("rb", buffering=0) as file:
                    looks_right = sha256_of(file) == digest.hash
            if looks_right:
                self._read.add(digest)
                return place
        new = f".new-{os.urandom(16).hex()}"
        folder = os.open(self._programs, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            self._copy(digest, new, folder, 0o555)
            os.replace(new, place.name, src_dir_fd=folder, dst_dir_fd=folder)
            self._read.add(digest)
        finally:
            os.close(folder)
        return place

    def _copy(self, digest: Digest, path: str, root: int, mode: int) -> None:
        target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=root)
        try:
            with self._store.open(digest) as source:
                while chunk := source.read(1 << 20):
                    rest = memoryview(chunk)
                    while rest:
                        rest = rest[os.write(target, rest) :]
            os.fchmod(target, mode)
            os.utime(target, ns=_TIMES)
        finally:
            os.close(target)


def is_sound(place: Path) -> bool:
    """Whether the tree at `place` holds what it should; see `tree_list` for what is read to know that. Changes nothing."""
    return _looked_over(place)[1] is not None


def _looked_over(place: Path) -> tuple[TreeList | None, TreeList | None]:
    """What is listed of a tree, and that as it is now; nothing, for a tree that does not hold it."""
    known = tree_list.load(_listing(place))
    if known is None:
        return None, None
    try:
        root = os.open(place, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return known, None
    try:
        return known, tree_list.looked_over(known, root, _TIMES[1])
    finally:
        os.close(root)


def _listing(place: Path) -> Path:
    return place.with_suffix(".list")


def _without_nested(shared: dict[str, Digest]) -> dict[str, Digest]:
    """Without the folders that lie in others of them."""
    return {path: digest for path, digest in shared.items() if not any(above in shared for above in _above(path))}


def _above(path: str) -> Iterator[str]:
    while path:
        path = path.rpartition("/")[0]
        yield path
