"""What files looked like when they were read: so that an unchanged one is not read again.

A memo from path to stamp and digest, kept in one checksummed file; if it is lost or damaged, files are read again and
nothing else happens. It also gathers the witnesses of a build: every path that was asked for, and how it looked.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

from mlbuild.files.kept import keep, load_kept
from mlbuild.files.last_build import RACY_NS, Witness
from mlbuild.terms import Digest

MAGIC = b"mlbuild-file-states-1\n"

Stamp = tuple[int, int, int, int]
"""(size, mtime_ns, ctime_ns, inode). The ctime catches an edit whose mtime was set back."""


def stamp_of(found: os.stat_result) -> Stamp:
    return (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


class FileStates:
    """The owner of the memo. Any number of threads may ask and tell."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._known: dict[str, tuple[Stamp, int, str]] = _load(path) if path is not None else {}
        self._witnesses: dict[str, Witness] = {}
        self._is_changed = False
        self._lock = threading.Lock()

    def digest(self, path: str, found: os.stat_result) -> Digest | None:
        """The digest that the file had when it looked just like this; nothing if it may have changed since."""
        known = self._known.get(path)
        stamp = stamp_of(found)
        if known is None or known[0] != stamp or max(stamp[1], stamp[2]) >= known[1] - RACY_NS:
            return None
        return Digest(known[2], stamp[0])

    def learn(self, path: str, found: os.stat_result, taken_ns: int, digest: Digest) -> None:
        """The file had this digest, and this stamp both before and after it was read, from `taken_ns` on."""
        with self._lock:
            self._known[path] = (stamp_of(found), taken_ns, digest.hash)
            self._is_changed = True

    def saw_file(self, path: str, found: os.stat_result) -> None:
        self._witnesses[path] = (path, "file", *stamp_of(found))

    def saw_directory(self, path: str, found: os.stat_result) -> None:
        self._witnesses[path] = (path, "directory", 0, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)

    def saw_nothing(self, path: str) -> None:
        self._witnesses.setdefault(path, (path, "absent", 0, 0, 0, 0))

    def witnesses(self) -> tuple[Witness, ...]:
        """Every path asked for since this was made, as it looked, sorted."""
        return tuple(sorted(self._witnesses.values()))

    def save(self) -> None:
        """Keeps the memo for the next process; a disk that refuses it costs time only."""
        if self._path is None or not self._is_changed:
            return
        with self._lock:
            known = dict(self._known)
            self._is_changed = False
        keep(str(self._path), MAGIC, known)


def _load(path: Path) -> dict[str, tuple[Stamp, int, str]]:
    loaded = load_kept(str(path), MAGIC)
    return loaded if isinstance(loaded, dict) else {}
