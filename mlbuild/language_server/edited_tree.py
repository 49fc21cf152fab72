"""The source tree as the editor has it: unsaved texts before the disk. Remembers what it was asked, to tell what has changed."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

from mlbuild.seams import EntryKind
from mlbuild.terms import OUTPUT_ROOT, Digest, FileValue, TreeValue

_EXTERNAL = "external/"
_Stamp = tuple[int, int, int]


class EditedTree:
    """A `SourceTree` for loading alone: nothing of it goes into a store."""

    def __init__(self, root: Path, repositories: Mapping[str, Path], edited: Callable[[str], bytes | None]) -> None:
        self._root = str(root)
        self._repositories = {name: str(folder) for name, folder in repositories.items()}
        self._edited = edited
        self._files: dict[str, _Stamp | None] = {}
        self._folders: dict[str, tuple[_Stamp | None, tuple[tuple[str, EntryKind], ...]]] = {}

    def read(self, path: str) -> bytes:
        text = self._edited(path)
        place = self.place(path)
        self._files[path] = _stamp(place)
        if text is not None:
            return text
        return Path(place).read_bytes()

    def digest(self, path: str) -> Digest:
        return Digest.of(self.read(path))

    def list(self, path: str) -> tuple[tuple[str, EntryKind], ...]:
        place = self.place(path)
        before = _stamp(place)
        listed = _listed(place, is_root=not path)
        self._folders[path] = before, listed
        return listed

    def kind(self, path: str) -> EntryKind | None:
        if self._edited(path) is not None:
            return "file"
        try:
            found = os.stat(self.place(path))
        except (OSError, ValueError):
            self._files.setdefault(path, None)
            return None
        if stat.S_ISDIR(found.st_mode):
            return "directory"
        if not stat.S_ISREG(found.st_mode):
            return None
        self._files.setdefault(path, (found.st_mtime_ns, found.st_size, found.st_ino))
        return "file"

    def ingest(self, path: str) -> FileValue | TreeValue:
        raise NotImplementedError("an editor's files are read only")

    def place(self, path: str) -> str:
        """Where the path is on disk."""
        if path.startswith(_EXTERNAL):
            name, _, inside = path.removeprefix(_EXTERNAL).partition("/")
            if name in self._repositories:
                return f"{self._repositories[name]}/{inside}"
        return f"{self._root}/{path}" if path else self._root

    def changes(self) -> tuple[frozenset[str], bool]:
        """The files whose bytes on disk are others by now, and whether files have come or gone."""
        changed = set()
        came = False
        for path, stamp in self._files.items():
            now = _stamp(self.place(path))
            if now != stamp:
                self._files[path] = now
                came = came or now is None or stamp is None
                changed.add(path)
        for path, (stamp, listed) in self._folders.items():
            place = self.place(path)
            now = _stamp(place)
            if now != stamp:
                try:
                    fresh = _listed(place, is_root=not path)
                except OSError:
                    fresh = ()
                self._folders[path] = now, fresh
                came = came or fresh != listed
        return frozenset(changed), came


def _stamp(place: str) -> _Stamp | None:
    try:
        found = os.stat(place)
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _listed(place: str, *, is_root: bool) -> tuple[tuple[str, EntryKind], ...]:
    listed: list[tuple[str, EntryKind]] = []
    with os.scandir(place) as entries:
        for entry in sorted(entries, key=lambda each: each.name):
            if is_root and entry.name == OUTPUT_ROOT:
                continue
            try:
                entry.name.encode()
                if entry.is_dir():
                    listed.append((entry.name, "directory"))
                elif entry.is_file():
                    listed.append((entry.name, "file"))
            except (OSError, UnicodeEncodeError):
                continue
    return tuple(listed)
