"""When what was written is durable: one `syncfs` for as much as possible."""

from __future__ import annotations

import ctypes
import os
import threading
from pathlib import Path


class Durability:
    """Of the file system that holds `folder`. Threads that flush at the same time share one `syncfs`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._counting = threading.Lock()
        self._syncing = threading.Lock()
        self._written = 0
        self._durable = 0
        self._failure: OSError | None = None

    @property
    def has_written(self) -> bool:
        return self._written > 0

    def wrote(self) -> None:
        """A file has got its final name."""
        with self._counting:
            self._written += 1

    def flush(self) -> bool:
        """All that was written before the call is durable when this returns. Raises OSError, then and ever after.

        Whether there was anything to do.
        """
        wanted = self._written
        with self._syncing:
            # Whoever waited for another thread's `syncfs` that began after its own last write has nothing left to do.
            if self._durable >= wanted:
                return False
            if self._failure is not None:
                # The kernel says once that it could not write, and then forgets it: a second try would succeed falsely.
                raise self._failure
            reached = self._written
            try:
                sync_file_system(self._folder)
            except OSError as error:
                self._failure = error
                raise
            self._durable = reached
            return True


def sync_file_system(folder: Path) -> None:
    """`syncfs(2)` on the file system that holds the folder. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(descriptor) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(folder))
    finally:
        os.close(descriptor)
