"""A folder put together from named pieces of this host, kept in the store as one Merkle tree."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping

from mlbuild.diagnostics import ExitCode, UserError, fail
from mlbuild.reapi import encode_directory
from mlbuild.records import record
from mlbuild.seams import ContentStore
from mlbuild.terms import Digest, Directory, DirectoryNode, FileNode, SymlinkNode, TreeValue


@record
class HostFile:
    """A file's bytes as they are on this host."""

    path: str
    is_executable: bool = False


@record
class Made:
    """A file whose bytes are known."""

    content: bytes
    is_executable: bool = False


@record
class Link:
    """A symlink; `target` is relative to the link's own folder."""

    target: str


Piece = HostFile | Made | Link
Node = dict[str, "FileNode | SymlinkNode | Node"]


@record
class Kept:
    """A tree in the store: its root, and every blob that it consists of, sorted."""

    tree: TreeValue
    blobs: tuple[Digest, ...]


def keep_tree(pieces: Mapping[str, Piece], store: ContentStore) -> Kept:
    """Puts a folder into the store: `pieces` by relative path, folders implied.

    Raises:
        UserError: if a file cannot be read, or changes while it is read.
    """
    root: Node = {}
    blobs: set[Digest] = set()
    for path in sorted(pieces):
        *parents, name = path.split("/")
        node = root
        for parent in parents:
            child = node.setdefault(parent, {})
            assert isinstance(child, dict), f"`{path}` lies below something that is no folder"
            node = child
        entry = _entry(name, pieces[path], store)
        node[name] = entry
        if isinstance(entry, FileNode):
            blobs.add(entry.digest)
    return Kept(TreeValue(_keep_folder(root, store, blobs)), tuple(sorted(blobs)))


def _entry(name: str, piece: Piece, store: ContentStore) -> FileNode | SymlinkNode:
    match piece:
        case HostFile(path, is_executable):
            return FileNode(name, keep_file(path, store), is_executable)
        case Made(content, is_executable):
            return FileNode(name, store.put(content), is_executable)
        case Link(target):
            return SymlinkNode(name, target)


def keep_file(path: str, store: ContentStore) -> Digest:
    """Puts a file of this host into the store, hashed while it is copied. Raises UserError."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            before = os.fstat(file.fileno())
            if not stat.S_ISREG(before.st_mode):
                raise fail("unreadable-host-file", f"`{path}` is no regular file", exit_code=ExitCode.ENVIRONMENT)
            digest = store.put_stream(file)
            after = os.fstat(file.fileno())
    except OSError as error:
        raise unreadable(path, error) from None
    if (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size) or digest.size != after.st_size:
        raise fail(
            "host-file-changed",
            f"`{path}` changed while it was read",
            hint="build again when whatever installs or upgrades it has finished",
            exit_code=ExitCode.ENVIRONMENT,
        )
    return digest


def unreadable(path: str, error: OSError) -> UserError:
    return fail(
        "unreadable-host-file",
        f"`{path}` cannot be read: {error.strerror or error}",
        exit_code=ExitCode.ENVIRONMENT,
    )


def _keep_folder(node: Node, store: ContentStore, blobs: set[Digest]) -> Digest:
    """Recursive: as deep as the pieces' paths, which are a package's or an installation's."""
    files: list[FileNode] = []
    folders: list[DirectoryNode] = []
    links: list[SymlinkNode] = []
    for name in sorted(node, key=str.encode):
        child = node[name]
        if isinstance(child, dict):
            folders.append(DirectoryNode(name, _keep_folder(child, store, blobs)))
        elif isinstance(child, FileNode):
            files.append(child)
        else:
            links.append(child)
    digest = store.put(encode_directory(Directory(tuple(files), tuple(folders), tuple(links))))
    blobs.add(digest)
    return digest


def walk_files(root: str, skip: Iterable[str] = ()) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(files, folders) below `root` by relative path, sorted, without entries whose base name is in `skip`.

    Links are listed with the files and not followed. Raises OSError.
    """
    skipped = frozenset(skip)
    files: list[str] = []
    folders: list[str] = []
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        folders.append(folder)
        with os.scandir(os.path.join(root, folder) if folder else root) as entries:
            for entry in entries:
                if entry.name in skipped:
                    continue
                path = f"{folder}/{entry.name}" if folder else entry.name
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(path)
                else:
                    files.append(path)
    return tuple(sorted(files)), tuple(sorted(folders))
