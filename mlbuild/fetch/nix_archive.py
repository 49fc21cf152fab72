"""What `nix-store --export` writes, read into the store: each path of a closure as a tree, with the paths that it refers to.

Source: E. Dolstra, The Purely Functional Software Deployment Model, section 5.2.1 (archives); the export adds to each
archive its path, the paths that it refers to, and what it was made from.
"""

from __future__ import annotations

import io
import re
from typing import BinaryIO

from mlbuild.reapi import encode_directory
from mlbuild.records import record
from mlbuild.seams import ContentStore
from mlbuild.terms import Digest, Directory, DirectoryNode, FileNode, SymlinkNode

STORE = "/nix/store/"

_STORE_PATH = re.compile(r"/nix/store/[0-9a-z]{32}-[\w+.?=-]{1,211}\Z")
_MAGIC = 0x4558494E
_LONGEST_WORD = 1 << 16
_DEEPEST = 400

Node = FileNode | SymlinkNode | DirectoryNode


class BadArchive(Exception):
    """The stream is not what Nix writes."""


@record
class Exported:
    """A path of the closure by its name in the Nix store, and the names that it refers to, sorted."""

    node: Node
    references: tuple[str, ...]


def read_export(stream: BinaryIO, store: ContentStore) -> tuple[Exported, ...]:
    """Every path of an export; its files and folders are put into the store. Raises BadArchive."""
    reader = _Reader(stream, store)
    found: list[Exported] = []
    while (more := reader.number()) == 1:
        found.append(reader.path())
    if more != 0:
        raise BadArchive(f"{more} instead of the end")
    return tuple(found)


def name_of(path: str) -> str:
    """The name of a path in the Nix store. Raises BadArchive for what is no such path."""
    if not _STORE_PATH.match(path):
        raise BadArchive(f"`{path[:300]}` is no path of the Nix store")
    return path.removeprefix(STORE)


class _Reader:
    def __init__(self, stream: BinaryIO, store: ContentStore) -> None:
        self._stream = stream
        self._store = store

    def number(self) -> int:
        return int.from_bytes(self._exactly(8), "little")

    def path(self) -> Exported:
        self._expect("nix-archive-1")
        digest = self._node("", 0)
        if self.number() != _MAGIC:
            raise BadArchive("an archive does not end as an export's do")
        name = name_of(self._word())
        references = sorted(name_of(self._word()) for _ in range(self.number()))
        self._word()  # what it was made from: says nothing about what it is
        if self.number() != 0:
            raise BadArchive("a signature of an old format")
        return Exported(_named(digest, name), tuple(references))

    def _node(self, name: str, depth: int) -> Node:
        if depth > _DEEPEST:
            raise BadArchive(f"folders are nested more than {_DEEPEST} deep")
        self._expect("(")
        self._expect("type")
        match self._word():
            case "regular":
                node: Node = self._file(name)
            case "symlink":
                self._expect("target")
                node = SymlinkNode(name, self._word())
                self._expect(")")
            case "directory":
                node = self._folder(name, depth)
            case other:
                raise BadArchive(f"an entry of the type `{other[:50]}`")
        return node

    def _file(self, name: str) -> FileNode:
        word = self._word()
        is_executable = word == "executable"
        if is_executable:
            self._expect("")
            word = self._word()
        if word == ")":
            return FileNode(name, self._store.put(b""), is_executable)
        if word != "contents":
            raise BadArchive(f"a file with `{word[:50]}`")
        size = self.number()
        # A reader of its own: the store reads to the end, and hashes while it copies.
        part = _Part(self._stream, size)
        digest = self._store.put_stream(io.BufferedReader(part))
        if digest.size != size:
            raise BadArchive("the archive ends within a file")
        self._padding(size)
        self._expect(")")
        return FileNode(name, digest, is_executable)

    def _folder(self, name: str, depth: int) -> DirectoryNode:
        files: list[FileNode] = []
        folders: list[DirectoryNode] = []
        links: list[SymlinkNode] = []
        while (word := self._word()) == "entry":
            self._expect("(")
            self._expect("name")
            entry = self._word()
            self._expect("node")
            match self._node(entry, depth + 1):
                case FileNode() as file:
                    files.append(file)
                case DirectoryNode() as folder:
                    folders.append(folder)
                case SymlinkNode() as link:
                    links.append(link)
            self._expect(")")
        if word != ")":
            raise BadArchive(f"a folder with `{word[:50]}`")
        return DirectoryNode(name, keep_folder(files, folders, links, self._store))

    def _expect(self, word: str) -> None:
        if (found := self._word()) != word:
            raise BadArchive(f"`{found[:50]}` instead of `{word}`")

    def _word(self) -> str:
        size = self.number()
        if size > _LONGEST_WORD:
            raise BadArchive(f"a word of {size} bytes")
        data = self._exactly(size)
        self._padding(size)
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise BadArchive("a name that is not UTF-8") from None

    def _padding(self, size: int) -> None:
        if any(self._exactly(-size % 8)):
            raise BadArchive("padding that is not zero")

    def _exactly(self, size: int) -> bytes:
        data = self._stream.read(size)
        if len(data) != size:
            raise BadArchive("the archive ends too early")
        return data


class _Part(io.RawIOBase):
    """The next `size` bytes of a stream."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self._left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._stream.read(min(len(buffer), self._left))
        buffer[: len(data)] = data
        self._left -= len(data)
        return len(data)


def keep_folder(
    files: list[FileNode], folders: list[DirectoryNode], links: list[SymlinkNode], store: ContentStore
) -> Digest:
    """One level of a tree, put into the store. Raises BadArchive for names that no folder can hold."""
    try:
        return store.put(encode_directory(Directory(tuple(files), tuple(folders), tuple(links))))
    except ValueError as error:
        raise BadArchive(str(error)) from None


def _named(node: Node, name: str) -> Node:
    match node:
        case FileNode():
            return FileNode(name, node.digest, node.is_executable)
        case SymlinkNode():
            return SymlinkNode(name, node.target)
        case DirectoryNode():
            return DirectoryNode(name, node.digest)
