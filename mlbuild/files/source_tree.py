"""The workspace on disk, and the other repositories: read, listed, and put into the store while they are hashed."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from mlbuild.diagnostics import Location, UserError, fail
from mlbuild.files.states import FileStates, stamp_of
from mlbuild.reapi import encode_directory
from mlbuild.seams import ContentStore, EntryKind
from mlbuild.terms import (
    OUTPUT_ROOT,
    Digest,
    Directory,
    DirectoryNode,
    FileNode,
    FileValue,
    TreeValue,
)

ATTEMPTS = 3
EXTERNAL = "external/"


class DiskSourceTree:
    """A `SourceTree` over folders. Links are followed as long as they stay inside their repository."""

    def __init__(
        self, workspace: Path, repositories: Mapping[str, Path], store: ContentStore, states: FileStates
    ) -> None:
        self._roots = {"": os.path.realpath(workspace)}
        self._roots.update({name: os.path.realpath(folder) for name, folder in repositories.items()})
        self._store = store
        self._states = states

    def read(self, path: str) -> bytes:
        with self._opened(path) as file:
            return file.read()

    def list(self, path: str) -> tuple[tuple[str, EntryKind], ...]:
        place = self._place(path)
        names = os.listdir(place)
        self._states.saw_directory(place, os.stat(place))
        found: list[tuple[str, EntryKind]] = []
        for name in sorted(names, key=os.fsencode):
            if not path and name == OUTPUT_ROOT:
                continue
            _check_name(name, path)
            kind = self.kind(f"{path}/{name}" if path else name)
            if kind is not None:
                found.append((name, kind))
        return tuple(found)

    def kind(self, path: str) -> EntryKind | None:
        try:
            place = self._place(path)
            found = os.stat(place)
        except (FileNotFoundError, NotADirectoryError):
            self._states.saw_nothing(self._plain(path))
            return None
        except UserError:
            return None  # a link that leads out: there is nothing there for a build
        if stat.S_ISREG(found.st_mode):
            return "file"
        return "directory" if stat.S_ISDIR(found.st_mode) else None

    def ingest(self, path: str) -> FileValue | TreeValue:
        place = self._place(path)
        if stat.S_ISDIR(os.stat(place).st_mode):
            return self._ingest_folder(path)
        return self._ingest_file(path, place)

    def _ingest_file(self, path: str, place: str) -> FileValue:
        found = os.stat(place)
        is_executable = bool(found.st_mode & 0o100)
        self._states.saw_file(place, found)
        known = self._states.digest(place, found)
        if known is not None and not self._store.missing([known]):
            return FileValue(known, is_executable)
        for _ in range(ATTEMPTS):
            taken = time.time_ns()
            with self._opened(path) as file:
                before = os.fstat(file.fileno())
                digest = self._store.put_stream(file)
                after = os.fstat(file.fileno())
            # The path may name another file by now: its stamp has to be the one that was read.
            if stamp_of(before) == stamp_of(after) == stamp_of(os.stat(place)) and digest.size == after.st_size:
                self._states.saw_file(place, after)
                self._states.learn(place, after, taken, digest)
                return FileValue(digest, is_executable)
        raise fail(
            "input-changed",
            f"`{path}` changes while it is read",
            location=Location(path),
            hint="wait until whatever writes it has finished, then run the same command again",
        )

    def _ingest_folder(self, path: str) -> TreeValue:
        """Bottom up and iterative: folders may be deep."""
        digests: dict[str, Digest] = {}
        order: list[str] = []
        listings: dict[str, tuple[tuple[str, EntryKind], ...]] = {}
        waiting = [path]
        while waiting:
            folder = waiting.pop()
            order.append(folder)
            listings[folder] = self.list(folder)
            waiting += [f"{folder}/{name}" for name, kind in listings[folder] if kind == "directory"]
            if len(order) > 1_000_000:
                raise fail("too-many-folders", f"`{path}` has more than a million folders", location=Location(path))
        for folder in reversed(order):
            files: list[FileNode] = []
            directories: list[DirectoryNode] = []
            for name, kind in listings[folder]:
                inside = f"{folder}/{name}"
                if kind == "directory":
                    directories.append(DirectoryNode(name, digests[inside]))
                else:
                    value = self._ingest_file(inside, self._place(inside))
                    files.append(FileNode(name, value.digest, value.is_executable))
            message = encode_directory(Directory(tuple(files), tuple(directories)))
            digests[folder] = self._store.put(message)
        return TreeValue(digests[path])

    def _opened(self, path: str) -> BinaryIO:
        place = self._place(path)
        descriptor = os.open(place, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            os.close(descriptor)
            if stat.S_ISDIR(found.st_mode):
                raise IsADirectoryError(path)
            raise fail("odd-source", f"`{path}` is neither a file nor a folder", location=Location(path))
        self._states.saw_file(place, found)
        return os.fdopen(descriptor, "rb", buffering=0)

    def _plain(self, path: str) -> str:
        """The absolute path, links not followed. Raises UserError for a path that is not inside its root."""
        root, inside = self._split(path)
        if inside.startswith("/") or ".." in inside.split("/") or "\0" in inside:
            raise fail("path-outside-workspace", f"`{path}` leads out of the workspace", location=Location(path))
        if root == self._roots[""] and inside.split("/")[0] == OUTPUT_ROOT:
            raise fail(
                "output-as-input",
                f"`{path}` lies in `{OUTPUT_ROOT}/`, which holds copies of outputs and is never an input",
                hint="name the target that makes the file instead",
            )
        return f"{root}/{inside}" if inside else root

    def _place(self, path: str) -> str:
        """The absolute path with links followed, which has to stay inside its root."""
        plain = self._plain(path)
        real = os.path.realpath(plain)
        root, _ = self._split(path)
        if real != root and not real.startswith(root + "/"):
            raise fail(
                "path-outside-workspace",
                f"`{path}` is a link to `{real}`, outside the workspace",
                location=Location(path),
                hint="copy the file into the workspace, or fetch it with a pinned digest (`http_file`)",
            )
        return real

    def _split(self, path: str) -> tuple[str, str]:
        if path.startswith(EXTERNAL):
            name, _, inside = path.removeprefix(EXTERNAL).partition("/")
            if name in self._roots:
                return self._roots[name], inside
        return self._roots[""], path


def _check_name(name: str, folder: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError:
        raise fail(
            "name-not-utf8",
            f"the folder `{folder or '.'}` holds a name that is not UTF-8: {os.fsencode(name)!r}",
            hint="rename the file",
        ) from None
