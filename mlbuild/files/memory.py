"""A workspace and an output folder in memory, for tests of other rooms and of rules."""

from __future__ import annotations

from collections.abc import Mapping

from mlbuild.diagnostics import fail
from mlbuild.files.paths import check_path
from mlbuild.reapi import encode_directory
from mlbuild.seams import ContentStore, EntryKind
from mlbuild.terms import OUTPUT_ROOT, Digest, Directory, DirectoryNode, FileNode, FileValue, TreeValue


class MemorySourceTree:
    """A `SourceTree` over a dictionary of files by path."""

    def __init__(self, files: Mapping[str, bytes | str], store: ContentStore) -> None:
        self.files = {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}
        self._store = store

    def read(self, path: str) -> bytes:
        _check(path)
        if path in self.files:
            return self.files[path]
        if self.kind(path) == "directory":
            raise IsADirectoryError(path)
        raise FileNotFoundError(path)

    def digest(self, path: str) -> Digest:
        return Digest.of(self.read(path))

    def list(self, path: str) -> tuple[tuple[str, EntryKind], ...]:
        _check(path)
        prefix = f"{path}/" if path else ""
        below = [name.removeprefix(prefix) for name in self.files if name.startswith(prefix)]
        if not below and path:
            raise FileNotFoundError(path)
        kinds: dict[str, EntryKind] = {}
        for name in sorted(below):
            first, slash, _ = name.partition("/")
            if not path and first == OUTPUT_ROOT:
                continue
            kinds[first] = "directory" if slash else "file"
        return tuple(sorted(kinds.items()))

    def kind(self, path: str) -> EntryKind | None:
        _check(path)
        if path in self.files:
            return "file"
        return "directory" if not path or any(name.startswith(f"{path}/") for name in self.files) else None

    def ingest(self, path: str) -> FileValue | TreeValue:
        _check(path)
        if path in self.files:
            return FileValue(self._store.put(self.files[path]))
        return TreeValue(self._ingest_folder(path))

    def _ingest_folder(self, path: str) -> Digest:
        files: list[FileNode] = []
        directories: list[DirectoryNode] = []
        for name, kind in self.list(path):
            inside = f"{path}/{name}"
            if kind == "file":
                files.append(FileNode(name, self._store.put(self.files[inside])))
            else:
                directories.append(DirectoryNode(name, self._ingest_folder(inside)))
        return self._store.put(encode_directory(Directory(tuple(files), tuple(directories))))


class MemoryOutputTree:
    """An `OutputTree` that remembers what was placed."""

    def __init__(self) -> None:
        self.placed: dict[str, FileValue | TreeValue] = {}

    def place(self, path: str, value: FileValue | TreeValue) -> None:
        check_path(path)
        if not path.startswith(f"{OUTPUT_ROOT}/"):
            raise ValueError(f"outputs are placed in `{OUTPUT_ROOT}` only, not at `{path}`")
        self.placed[path] = value


def _check(path: str) -> None:
    check_path(path)
    if f"{path}/".startswith(f"{OUTPUT_ROOT}/"):
        raise fail("output-as-input", f"`{path}` lies in `{OUTPUT_ROOT}/`, which is never an input")
