"""Blobs on their way out: `retired/<generation>/<hash>`, out of sight of those who come, in reach of those who have seen them."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from mlbuild.files.sharing import make_folder, open_lock
from mlbuild.store import leases

AT_ONCE = 200
"""Blobs that are retired while those who look for one wait."""


class Retired:
    """The blobs of one cache that nobody should find any more. One process at a time retires and removes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._retired = folder / "retired"

    def retire(self, hashes: list[str]) -> None:
        """Takes blobs away from those who begin from now on. Raises OSError."""
        place = self._retired / str(leases.newest(self._folder))
        make_folder(place)
        for start in range(0, len(hashes), AT_ONCE):
            with _held(self._folder / "retiring", fcntl.LOCK_EX):
                for name in hashes[start : start + AT_ONCE]:
                    with contextlib.suppress(FileNotFoundError):
                        os.rename(self._folder / "cas" / name[:2] / name, place / name)
        leases.begin(self._folder)

    def remove(self, keep_what_entries_name: Callable[[], None]) -> None:
        """Removes the blobs that nobody can have seen any more. Raises OSError.

        Those who could have are gone, but may have recorded results with them meanwhile: `keep_what_entries_name` asks
        the store for all that the entries name, and so fetches it back.
        """
        with leases.ended(self._folder) as first:
            places = [self._retired / str(each) for each in sorted(generations(self._folder)) if each < first]
            if any(os.listdir(place) for place in places):
                keep_what_entries_name()
            for place in places:
                for name in os.listdir(place):
                    # Who came later may be fetching one back.
                    with contextlib.suppress(FileNotFoundError):
                        (place / name).unlink()
                place.rmdir()


def generations(folder: Path) -> list[int]:
    """Those that have retired blobs."""
    try:
        return [int(name) for name in os.listdir(folder / "retired") if name.isascii() and name.isdigit()]
    except FileNotFoundError:
        return []


@contextlib.contextmanager
def fetched_back(folder: Path, name: str, path: str) -> Iterator[None]:
    """Puts a blob that is retired where it was, at `path`, for the while. Who has seen a blob finds it there."""
    # Without a generation nothing is retired: those of what we have seen stay at least as long as our lease.
    if not generations(folder):
        yield
        return
    with contextlib.suppress(OSError):
        make_folder(os.path.dirname(path))
    # While nothing can be retired, a blob that is not here is there, or somebody else has just fetched it back.
    with _held(folder / "retiring", fcntl.LOCK_SH):
        for generation in generations(folder):
            with contextlib.suppress(OSError):
                os.rename(folder / "retired" / str(generation) / name, path)
                break
        yield


@contextlib.contextmanager
def _held(path: Path, how: int) -> Iterator[None]:
    try:
        lock = open_lock(path, 0o644) if how == fcntl.LOCK_EX else os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        yield
        return
    try:
        fcntl.flock(lock, how)
        yield
    finally:
        os.close(lock)
