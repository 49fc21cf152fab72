"""What files looked like when they were read: so that an unchanged one is not read again.

A memo from path to stamp and digest, kept in one checksummed file; if it is lost or damaged, files are read again and
nothing else happens. After a start of the machine, so are those that had changed shortly before. It also gathers the witnesses of a build: every path that was asked for, and how it looked.
"""

from __future__ import annotations

import os
import struct
import threading
import time
from pathlib import Path
from typing import NamedTuple

from mlbuild.files.boot import boot, is_in_doubt
from mlbuild.files.kept import keep, load_kept
from mlbuild.files.last_build import RACY_NS, Witness
from mlbuild.terms import Digest

MAGIC = b"mlbuild-file-states-3\n"

COARSE_NS = 2_000_000_000
"""The step of the clock on file systems that keep whole seconds (FAT: every other one)."""

_PACK = struct.Struct("<QqqQI")
_FORGETFUL_FROM = 10_000


class Stamp(NamedTuple):
    """How a file looks. The ctime shows an edit whose mtime was set back; permissions are a part of what is read."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    mode: int

    @classmethod
    def of(cls, found: os.stat_result) -> Stamp:
        return cls(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_mode)

    def is_settled(self, taken_ns: int) -> bool:
        """Whether a later change would show: not if the file changed within a tick of the moment it was looked at."""
        if self.ctime_ns % 1_000_000 == 0:
            return max(self.mtime_ns, self.ctime_ns) + COARSE_NS < taken_ns
        return self.ctime_ns + RACY_NS < taken_ns


class FileStates:
    """The owner of the memo. Any number of threads may ask and tell. Without a `path` it forgets at the end."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._known: dict[str, bytes] = {} if path is None else _load(path)
        self._asked: set[str] = set()
        self._witnesses: dict[str, Witness] = {}
        self._is_changed = False
        self._lock = threading.Lock()

    def digest(self, path: str, stamp: Stamp) -> Digest | None:
        """The digest that the file had when it looked just like this; nothing if it may have changed since."""
        self._asked.add(path)
        known = self._known.get(path)
        if known is None or known[: _PACK.size] != _PACK.pack(*stamp):
            return None
        return Digest(known[_PACK.size :].hex(), stamp.size)

    def last_digest(self, path: str, size: int) -> Digest | None:
        """What the file was when it was last read, if it had this size: a guess that has to be checked."""
        known = self._known.get(path)
        if known is None or _PACK.unpack_from(known)[0] != size:
            return None
        return Digest(known[_PACK.size :].hex(), size)

    def learn(self, path: str, stamp: Stamp, taken_ns: int, digest: Digest) -> None:
        """The file had this digest, and this stamp both before and after it was read, from `taken_ns` on."""
        with self._lock:
            self._asked.add(path)
            # A file that may change within the same tick keeps its digest as a guess, with a stamp that no file has.
            trusted = stamp if stamp.is_settled(taken_ns) else _guessed(stamp)
            self._known[path] = _PACK.pack(*trusted) + bytes.fromhex(digest.hash)
            self._is_changed = True

    def saw(self, path: str, found: os.stat_result, kind: str) -> None:
        """The path was asked for, and this is how it looked: a `file`, or a `directory` whose listing counts.

        What was seen first stays: if it looked otherwise later, the build is not to be trusted to have seen one state.
        """
        size, ctime = (found.st_size, found.st_ctime_ns) if kind == "file" else (0, found.st_ctime_ns)
        self._witnesses.setdefault(path, (path, kind, size, found.st_mtime_ns, ctime, found.st_ino))

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
            if len(self._known) > 2 * len(self._asked) + _FORGETFUL_FROM:
                self._known = {path: known for path, known in self._known.items() if path in self._asked}
            known = dict(self._known)
            self._is_changed = False
        keep(str(self._path), MAGIC, (boot(), time.time_ns(), known))


def _load(path: Path) -> dict[str, bytes]:
    loaded = load_kept(str(path), MAGIC)
    if not isinstance(loaded, tuple) or len(loaded) != 3:
        return {}
    kept, saved_ns, known = loaded
    return known if kept == boot() else {each: _doubted(state, saved_ns) for each, state in known.items()}


def _doubted(state: bytes, saved_ns: int) -> bytes:
    """The state, as a guess if the machine may have lost the file's last bytes."""
    stamp = Stamp(*_PACK.unpack_from(state))
    return _PACK.pack(*_guessed(stamp)) + state[_PACK.size :] if is_in_doubt(stamp.ctime_ns, saved_ns) else state


def _guessed(stamp: Stamp) -> Stamp:
    """A stamp that no file has."""
    return stamp._replace(inode=0)
