"""Outputs from disk into the store: what a program left, read by descriptor, never through one of its links.

All processes that could change the folder are dead by now. What they left may still be hostile: links out, pipes that
block, depths without end, modes that forbid reading.
"""

from __future__ import annotations

import os
import stat
from typing import BinaryIO, Protocol

from mlbuild.reapi import encode_directory
from mlbuild.records import record
from mlbuild.terms import Digest, Directory, DirectoryNode, FileNode, FileValue, SymlinkNode, TreeValue

_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFLNK: "a symbolic link",
}
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_MOST_LINKS_FOLLOWED = 40


class BlobSink(Protocol):
    """What collecting needs of a store."""

    def put(self, data: bytes) -> Digest: ...

    def put_stream(self, source: BinaryIO) -> Digest: ...


@record
class Bounds:
    """How much one output may be."""

    entries: int = 1_000_000
    depth: int = 100
    size: int = 1 << 40


class OddOutput(Exception):
    """The output is there, but cannot be kept; the message says why, in words for a person."""


def collect(root: int, path: str, store: BlobSink, bounds: Bounds = Bounds()) -> FileValue | TreeValue:
    """Puts the file or folder at `path` below the folder `root` (a descriptor) into the store.

    Raises FileNotFoundError when nothing is there, OddOutput when it cannot be kept, OSError as it comes.
    """
    folder, opened = root, -1
    try:
        *parents, name = path.split("/")
        for count, parent in enumerate(parents, 1):
            inner = _open_folder(folder, parent, "/".join(parents[:count]))
            if opened >= 0:
                os.close(opened)
            folder = opened = inner
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
        collector = _Collector(store, bounds, path)
        if stat.S_ISDIR(mode):
            return collector.tree(folder, name)
        file = collector.file(folder, name, path)
        return FileValue(file.digest, file.is_executable)
    finally:
        if opened >= 0:
            os.close(opened)


class _Folder:
    """A folder on its way: what is in it already, and what is still to be read, last first."""

    def __init__(self, fd: int, path: str, name: str, waiting: list[str]) -> None:
        self.fd = fd
        self.path = path
        self.name = name
        self.waiting = waiting
        self.files: list[FileNode] = []
        self.links: dict[str, str] = {}
        self.folders: dict[str, _Folder] = {}
        self.digest: Digest | None = None

    def encoded(self) -> bytes:
        return encode_directory(
            Directory(
                tuple(self.files),
                tuple(
                    DirectoryNode(name, inner.digest)
                    for name, inner in sorted(self.folders.items(), key=lambda item: item[0].encode())
                    if inner.digest is not None
                ),
                tuple(
                    SymlinkNode(name, target)
                    for name, target in sorted(self.links.items(), key=lambda item: item[0].encode())
                ),
            )
        )


class _Collector:
    def __init__(self, store: BlobSink, bounds: Bounds, output: str) -> None:
        self._store = store
        self._bounds = bounds
        self._output = output
        self._entries = 0
        self._size = 0

    def tree(self, parent: int, name: str) -> TreeValue:
        root = self._enter(parent, name, self._output)
        open_folders = [root]
        try:
            while open_folders:
                folder = open_folders[-1]
                if not folder.waiting:
                    folder.digest = self._store.put(folder.encoded())
                    os.close(folder.fd)
                    open_folders.pop()
                    continue
                entry = folder.waiting.pop()
                path = f"{folder.path}/{entry}"
                mode = os.stat(entry, dir_fd=folder.fd, follow_symlinks=False).st_mode
                if stat.S_ISDIR(mode):
                    if len(open_folders) >= self._bounds.depth:
                        raise OddOutput(f"`{path}` is more than {self._bounds.depth} folders deep")
                    inner = self._enter(folder.fd, entry, path)
                    folder.folders[entry] = inner
                    open_folders.append(inner)
                elif stat.S_ISLNK(mode):
                    folder.links[entry] = self._link(folder.fd, entry, path)
                else:
                    folder.files.append(self.file(folder.fd, entry, path))
        finally:
            for folder in open_folders:
                os.close(folder.fd)
        _check_links(root)
        assert root.digest is not None
        return TreeValue(root.digest)

    def file(self, folder: int, name: str, path: str) -> FileNode:
        fd = _open_file(folder, name, path)
        with os.fdopen(fd, "rb", buffering=0) as source:
            found = os.fstat(fd)
            self._size += found.st_size
            if self._size > self._bounds.size:
                raise OddOutput(f"`{self._output}` is bigger than {self._bounds.size} bytes")
            if _is_mostly_holes(found) and found.st_size > _room(fd):
                raise OddOutput(
                    f"`{path}` is {found.st_size} bytes, most of them holes, and the disk has no room for so many"
                )
            return FileNode(name, self._store.put_stream(source), bool(found.st_mode & 0o111))

    def _enter(self, parent: int, name: str, path: str) -> _Folder:
        fd = _open_folder(parent, name, path)
        try:
            names = os.listdir(fd)
            self._entries += len(names)
            if self._entries > self._bounds.entries:
                raise OddOutput(f"`{self._output}` holds more than {self._bounds.entries} files")
            for each in names:
                _check_text(each, f"`{path}` holds a file whose name")
            names.sort(key=str.encode, reverse=True)
            return _Folder(fd, path, name, names)
        except BaseException:
            os.close(fd)
            raise

    def _link(self, folder: int, name: str, path: str) -> str:
        target = os.readlink(name, dir_fd=folder)
        _check_text(target, f"`{path}` is a symbolic link whose target")
        return target


def _check_links(root: _Folder) -> None:
    """Refuses links that lead out of the tree, to nothing, or round in a circle.

    Resolved step by step as the kernel would, since what `..` leads to depends on the links before it.
    """
    waiting: list[tuple[_Folder, tuple[_Folder, ...]]] = [(root, (root,))]
    while waiting:
        folder, way = waiting.pop()
        for name, target in folder.links.items():
            if not _resolves(way, target):
                raise OddOutput(
                    f"`{folder.path}/{name}` is a symbolic link to `{target}`, which is not inside `{root.path}`"
                )
        waiting += [(inner, (*way, inner)) for inner in folder.folders.values()]


def _resolves(way: tuple[_Folder, ...], target: str) -> bool:
    """Whether `target`, of a link in the last folder of `way`, is something in the first."""
    here = list(way)
    followed = 1
    steps = _steps(target)
    if steps is None:
        return False
    while steps:
        step = steps.pop()
        folder = here[-1]
        if step == "..":
            here.pop()
            if not here:
                return False
        elif step in folder.folders:
            here.append(folder.folders[step])
        elif step in folder.links:
            more = _steps(folder.links[step])
            followed += 1
            if more is None or followed > _MOST_LINKS_FOLLOWED:
                return False
            steps += more
        else:
            return not steps and any(file.name == step for file in folder.files)
    return True


def _steps(target: str) -> list[str] | None:
    """The parts of a relative path, last first; nothing for one from the root."""
    if target.startswith("/") or not target:
        return None
    return [part for part in reversed(target.split("/")) if part not in {"", "."}]


def _open_folder(parent: int, name: str, path: str) -> int:
    try:
        return os.open(name, _FOLDER, dir_fd=parent)
    except PermissionError:
        _make_readable(parent, name, 0o700)
        return os.open(name, _FOLDER, dir_fd=parent)
    except NotADirectoryError:
        mode = os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode
        raise OddOutput(f"`{path}` is {_KINDS.get(stat.S_IFMT(mode), 'a file')}, not a folder") from None


def _open_file(folder: int, name: str, path: str) -> int:
    mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    if not stat.S_ISREG(mode):
        raise OddOutput(f"`{path}` is {_KINDS.get(stat.S_IFMT(mode), 'of an unknown kind')}, not a file")
    try:
        return os.open(name, _FILE, dir_fd=folder)
    except PermissionError:
        _make_readable(folder, name, mode & 0o111 | 0o400)
        return os.open(name, _FILE, dir_fd=folder)


def _is_mostly_holes(found: os.stat_result) -> bool:
    return found.st_blocks * 512 < found.st_size // 2


def _room(fd: int) -> int:
    """The bytes that are free where the file is: about what there is for a copy of it."""
    disk = os.fstatvfs(fd)
    return disk.f_bavail * disk.f_frsize


def _make_readable(folder: int, name: str, mode: int) -> None:
    """The program took its own output's permissions away; by descriptor, so that no link is followed."""
    fd = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        os.chmod(f"/proc/self/fd/{fd}", mode)
    finally:
        os.close(fd)


def _check_text(text: str, what: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise OddOutput(f"{what} is not UTF-8: {os.fsencode(text)!r}") from None
