"""Digests and what they name: blobs, files, folders."""

from __future__ import annotations

import hashlib

from mlbuild.records import ordered_record, record


@ordered_record
class Digest:
    """REAPI's `Digest`: the hash of a blob in lower-case hex, and its size in bytes."""

    hash: str
    size: int

    @classmethod
    def of(cls, data: bytes) -> Digest:
        """The SHA-256 digest of `data`."""
        return cls(hashlib.sha256(data).hexdigest(), len(data))

    def __str__(self) -> str:
        return f"{self.hash}/{self.size}"

    @classmethod
    def parse(cls, text: str) -> Digest:
        name, _, size = text.partition("/")
        return cls(name, int(size))


EMPTY = Digest.of(b"")


@ordered_record
class FileNode:
    name: str
    digest: Digest
    is_executable: bool = False


@ordered_record
class SymlinkNode:
    name: str
    target: str


@ordered_record
class DirectoryNode:
    name: str
    digest: Digest


@record
class Directory:
    """REAPI's `Directory`: one level of a Merkle tree. Each tuple is sorted by name (as UTF-8 bytes)."""

    files: tuple[FileNode, ...] = ()
    directories: tuple[DirectoryNode, ...] = ()
    symlinks: tuple[SymlinkNode, ...] = ()


@ordered_record
class FileValue:
    """The content of a file artifact."""

    digest: Digest
    is_executable: bool = False


@ordered_record
class TreeValue:
    """The content of a directory artifact: the digest of its root `Directory` message.

    Every `Directory` message and every file of the tree is a blob of the store.
    """

    digest: Digest


@ordered_record
class SymlinkValue:
    """A symlink in an input root; `target` is relative to the link's own folder."""

    target: str


Value = FileValue | TreeValue | SymlinkValue
