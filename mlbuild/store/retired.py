"""Blobs on their way out: `retired/<generation>/<hash>`, out of sight of those who come, in reach of those who have seen them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from mlbuild.store import leases


class Retired:
    """The blobs of one cache that nobody should find any more. One process at a time retires and removes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._retired = folder / "retired"

    def retire(self, hashes: list[str]) -> None:
        """Takes blobs away from those who begin from now on. Raises OSError."""
        place = self._retired / str(leases.newest(self._folder))
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in hashes:
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


def fetch_back(folder: Path, name: str, path: str) -> bool:
    """Puts a retired blob where it was, at `path`; says whether it could."""
    found = generations(folder)
    if found:
        with contextlib.suppress(OSError):
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    for generation in found:
        with contextlib.suppress(OSError):
            os.rename(folder / "retired" / str(generation) / name, path)
            return True
    return False
