"""`Directory` and `Tree`: folders as Merkle trees."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TypeVar

from mlbuild.reapi.wire import Message, encode_digest, message_field, text_field
from mlbuild.terms import Digest, Directory, DirectoryNode, FileNode, SymlinkNode

_SHORT_DIGEST = re.compile(rb"\x12.\n@[0-9a-f]{64}\x10[\x80-\xff]{0,3}[\x01-\x7f](?:\x20\x01)?", re.DOTALL)

Node = TypeVar("Node", FileNode, DirectoryNode, SymlinkNode)


def encode_directory(directory: Directory) -> bytes:
    """The canonical message. Raises ValueError for names that no folder can hold, or that it has twice."""
    _check_names(directory)
    return b"".join(
        [
            *[message_field(1, _file(node)) for node in _sorted(directory.files)],
            *[message_field(2, _folder(node)) for node in _sorted(directory.directories)],
            *[
                message_field(3, text_field(1, node.name) + text_field(2, node.target))
                for node in _sorted(directory.symlinks)
            ],
        ]
    )


def decode_directory(data: bytes) -> Directory:
    """The folder of a message, sorted. Raises ValueError for names that could lead elsewhere, or that it has twice."""
    directory = _decode(Message(data))
    _check_names(directory)
    return directory


def encode_tree(root: Directory, children: Iterable[Directory]) -> bytes:
    """A `Tree`: the root and every folder below it, each once, in the order given."""
    return message_field(1, encode_directory(root)) + b"".join(
        [message_field(2, encode_directory(child)) for child in children]
    )


def decode_tree(data: bytes) -> tuple[Directory, tuple[Directory, ...]]:
    """The root and the folders below it, in whatever order they stand. Raises ValueError."""
    message = Message(data)
    root = message.inner(1)
    directories = [_decode(each) for each in (*(() if root is None else (root,)), *message.inners(2))]
    for directory in directories:
        _check_names(directory)
    return (directories[0], tuple(directories[1:])) if root is not None else (Directory(), tuple(directories))


def _decode(message: Message) -> Directory:
    return Directory(
        _sorted(
            tuple(_short_file_node(each) or _file_node(each) for each in message.raws(1)),
        ),
        _sorted(tuple(DirectoryNode(each.text(1), each.needed_digest(2)) for each in message.inners(2))),
        _sorted(tuple(SymlinkNode(each.text(1), each.text(2)) for each in message.inners(3))),
    )


def _file_node(data: bytes) -> FileNode:
    message = Message(data)
    return FileNode(message.text(1), message.needed_digest(2), message.flag(4))


def _short_file_node(data: bytes) -> FileNode | None:
    """The same, for what nearly every file looks like; nothing for others. Trees have thousands of files."""
    if len(data) < 72 or data[0] != 0x0A or data[1] > 0x7F:
        return None
    middle = 2 + data[1]
    body = data[middle:]
    # A digest with a hash of 64 bytes, a size of one to four, and maybe the flag that says executable.
    if not _SHORT_DIGEST.fullmatch(body) or body[1] != len(body) - 2 - (2 if body.endswith(b"\x20\x01") else 0):
        return None
    size = 0
    end = 2 + body[1]
    for position in range(end - 1, 68, -1):
        size = size << 7 | body[position] & 0x7F
    return FileNode(data[2:middle].decode(), Digest(body[4:68].decode(), size), end < len(body))


def _file(node: FileNode) -> bytes:
    head = text_field(1, node.name) + message_field(2, encode_digest(node.digest))
    return head + b"\x20\x01" if node.is_executable else head


def _folder(node: DirectoryNode) -> bytes:
    return text_field(1, node.name) + message_field(2, encode_digest(node.digest))


def _sorted(nodes: Sequence[Node]) -> tuple[Node, ...]:
    # By code points is by UTF-8 bytes.
    return tuple(sorted(nodes, key=lambda node: node.name))


def _check_names(directory: Directory) -> None:
    names = [node.name for nodes in (directory.files, directory.directories, directory.symlinks) for node in nodes]
    if len(set(names)) != len(names):
        twice = next(name for name in sorted(names) if names.count(name) > 1)
        raise ValueError(f"a folder holds `{twice}` twice")
    for name in names:
        if name in ("", ".", "..") or "/" in name or "\0" in name:
            raise ValueError(f"{name!r} is not the name of a file")
    for link in directory.symlinks:
        if not link.target or "\0" in link.target:
            raise ValueError(f"{link.target!r} is not the target of a link")
