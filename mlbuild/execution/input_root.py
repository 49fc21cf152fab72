"""Input roots: from artifacts and their values to one Merkle tree. Nothing is stored until it is needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mlbuild.reapi import decode_directory, encode_directory
from mlbuild.records import record
from mlbuild.seams import ContentStore
from mlbuild.terms import (
    Digest,
    Directory,
    DirectoryNode,
    FileNode,
    FileValue,
    SymlinkNode,
    SymlinkValue,
    TreeValue,
    Value,
)

Node = dict[str, "Value | Node"]
"""A folder being put together: by name, a value or a folder in turn."""


@record
class MerkleTree:
    """A folder by digest, and the encoded `Directory` messages that were made for it, by digest."""

    digest: Digest
    messages: tuple[tuple[Digest, bytes], ...]

    def keep_in(self, store: ContentStore) -> None:
        """Puts the messages that the store lacks."""
        missing = set(store.missing(digest for digest, _ in self.messages))
        for digest, message in self.messages:
            if digest in missing:
                store.put(message)


def merkle_tree(contents: Mapping[str, Value], read: Callable[[Digest], bytes]) -> MerkleTree:
    """The tree that holds each value at its path.

    A path inside a tree value replaces what the tree has there; `read` gives the messages of such trees. Paths that
    only repeat what an outer tree holds change nothing. Raises BlobMissing through `read`.
    """
    root: Node = {}
    for path in sorted(contents, key=_parts):
        _insert(root, _parts(path), contents[path], read)
    return encoded(root)


def members(tree: TreeValue, read: Callable[[Digest], bytes]) -> tuple[tuple[str, FileValue], ...]:
    """Every file below the tree by relative path, sorted by path."""
    found: list[tuple[str, FileValue]] = []
    waiting = [("", tree.digest)]
    while waiting:
        prefix, digest = waiting.pop()
        directory = load(digest, read)
        found += [(prefix + file.name, FileValue(file.digest, file.is_executable)) for file in directory.files]
        waiting += [(f"{prefix}{child.name}/", child.digest) for child in directory.directories]
    return tuple(sorted(found))


def directory_of(tree: TreeValue, path: str, read: Callable[[Digest], bytes]) -> Value | None:
    """What the tree holds at a relative path, or nothing."""
    digest = tree.digest
    *parents, name = _parts(path)
    for parent in parents:
        child = next((each for each in load(digest, read).directories if each.name == parent), None)
        if child is None:
            return None
        digest = child.digest
    return entries(load(digest, read)).get(name)


def load(digest: Digest, read: Callable[[Digest], bytes]) -> Directory:
    """A folder by its digest. Raises BlobMissing through `read`."""
    return decode_directory(read(digest)) if digest.size else Directory()


def _parts(path: str) -> tuple[str, ...]:
    return tuple(path.split("/"))


def _insert(root: Node, parts: tuple[str, ...], value: Value, read: Callable[[Digest], bytes]) -> None:
    node = root
    for part in parts[:-1]:
        child = node.get(part)
        if isinstance(child, TreeValue):
            child = dict(entries(load(child.digest, read)))
            node[part] = child
        elif not isinstance(child, dict):
            child = node[part] = {}
        node = child
    node[parts[-1]] = value


def entries(directory: Directory) -> Mapping[str, Value]:
    """What a folder holds, by name."""
    return {
        **{file.name: FileValue(file.digest, file.is_executable) for file in directory.files},
        **{child.name: TreeValue(child.digest) for child in directory.directories},
        **{link.name: SymlinkValue(link.target) for link in directory.symlinks},
    }


def encoded(root: Node) -> MerkleTree:
    """The tree of a folder that was put together. Bottom up and iterative: paths may be deep."""
    messages: dict[Digest, bytes] = {}
    order: list[tuple[Node, str, Node]] = []
    waiting = [root]
    while waiting:
        node = waiting.pop()
        for name, child in node.items():
            if isinstance(child, dict):
                order.append((node, name, child))
                waiting.append(child)
    done: dict[int, Digest] = {}
    for _, _, child in reversed(order):
        done[id(child)] = _encode_level(child, done, messages)
    return MerkleTree(_encode_level(root, done, messages), tuple(messages.items()))


def _encode_level(node: Node, done: Mapping[int, Digest], messages: dict[Digest, bytes]) -> Digest:
    files: list[FileNode] = []
    directories: list[DirectoryNode] = []
    symlinks: list[SymlinkNode] = []
    for name in sorted(node, key=str.encode):
        value = node[name]
        if isinstance(value, FileValue):
            files.append(FileNode(name, value.digest, value.is_executable))
        elif isinstance(value, TreeValue):
            directories.append(DirectoryNode(name, value.digest))
        elif isinstance(value, SymlinkValue):
            symlinks.append(SymlinkNode(name, value.target))
        else:
            directories.append(DirectoryNode(name, done[id(value)]))
    message = encode_directory(Directory(tuple(files), tuple(directories), tuple(symlinks)))
    digest = Digest.of(message)
    messages[digest] = message
    return digest
