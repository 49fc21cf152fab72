"""Who may still rely on a blob that he has seen: leases that the kernel holds, in generations.

A store holds the newest file of `leases/` shared for as long as it is open, so its lease ends with its process. Whoever
collects begins a new generation after he has taken blobs away: once nobody holds the generations before it, nobody is
left who has seen them.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from mlbuild.files.sharing import make_folder, open_lock

_CANNOT_MAKE = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})


class Lease:
    """Of the generation that was the newest when it was taken."""

    def __init__(self, folder: Path) -> None:
        """Raises OSError. A cache that may only be read and has never been leased goes without."""
        self._descriptor = _shared(folder / "leases")

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def newest(folder: Path) -> int:
    """The generation that a lease taken now is of; `folder` is the cache's. Raises OSError."""
    return max(_generations(folder / "leases"), default=0)


def begin(folder: Path) -> None:
    """Begins a new generation: leases taken from now on are of it. One process at a time. Raises OSError."""
    leases = folder / "leases"
    _make(leases, max(_generations(leases), default=-1) + 1)


@contextlib.contextmanager
def ended(folder: Path) -> Iterator[int]:
    """Gives the first generation that may still be leased; none below it is, now or ever again. Raises OSError."""
    leases = folder / "leases"
    held: list[int] = []
    try:
        *old, last = sorted(_generations(leases)) or [0]
        first = last
        for generation in old:
            descriptor = os.open(leases / str(generation), os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
            held.append(descriptor)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                first = generation
                break
        yield first
        for generation in old:
            if generation < first:
                (leases / str(generation)).unlink()
    finally:
        for descriptor in held:
            os.close(descriptor)


def _shared(leases: Path) -> int:
    while True:
        known = _generations(leases)
        if not known:
            try:
                _make(leases, 0)
            except OSError as error:
                if error.errno in _CANNOT_MAKE:
                    return -1
                raise
            continue
        generation = max(known)
        path = leases / str(generation)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            # A generation begun before we held ours may be about blobs that we could not have seen in time.
            if max(_generations(leases), default=-1) == generation and os.path.samestat(
                path.stat(), os.fstat(descriptor)
            ):
                descriptor, held = -1, descriptor
                return held
        except (BlockingIOError, FileNotFoundError):
            continue
        finally:
            if descriptor >= 0:
                os.close(descriptor)


def _generations(leases: Path) -> list[int]:
    try:
        return [int(name) for name in os.listdir(leases) if name.isascii() and name.isdigit()]
    except FileNotFoundError:
        return []


def _make(leases: Path, generation: int) -> None:
    make_folder(leases)
    os.close(open_lock(leases / str(generation), 0o644))
