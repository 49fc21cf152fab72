"""Files on their way to a final name: in a folder of this process, which others clear away when it has died."""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import threading
from pathlib import Path

from mlbuild.files.remove import remove_tree
from mlbuild.files.sharing import make_folder


class TemporaryFiles:
    """Makes temporary files under `folder`, in a folder of its own whose lock the kernel gives up at our death.

    The folder is made with the first file, and again if it is removed meanwhile.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._count = itertools.count()
        self._own: str | None = None
        self._held = -1

    def make(self) -> tuple[int, str]:
        """A new file, open for writing, and its path. Raises OSError."""
        own = self._own or self._claim(None)
        while True:
            path = f"{own}/{next(self._count)}"
            try:
                return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600), path
            except FileNotFoundError:
                own = self._claim(own)

    def clear_away(self) -> None:
        """Removes what the dead have left, now rather than with the first file. Raises OSError."""
        self._claim(None)

    def drop(self, descriptor: int, path: str) -> None:
        """Closes the file and removes it, if it has not been renamed."""
        os.close(descriptor)
        with contextlib.suppress(OSError):
            os.unlink(path)

    def close(self) -> None:
        with self._lock:
            if self._own is not None:
                with contextlib.suppress(OSError):
                    remove_tree(Path(self._own))
                os.close(self._held)
            self._own, self._held = None, -1

    def _claim(self, lost: str | None) -> str:
        """A folder of our own, other than the one that was lost."""
        with self._lock:
            if self._own is not None and self._own != lost:
                return self._own
            if self._held >= 0:
                os.close(self._held)
                self._own, self._held = None, -1
            make_folder(self._folder)
            if lost is None:
                self._remove_orphans()
            while self._own is None:
                own = f"{self._folder}/{os.urandom(16).hex()}"
                os.mkdir(own, 0o700)
                held = _locked(own)
                if held is not None:
                    self._own, self._held = own, held
            return self._own

    def _remove_orphans(self) -> None:
        """What dead processes left: nobody holds its lock."""
        for name in sorted(os.listdir(self._folder)):
            path = f"{self._folder}/{name}"
            with contextlib.suppress(OSError):
                held = _locked(path)
                if held is not None:
                    remove_tree(Path(path))
                    os.close(held)


def _locked(folder: str) -> int | None:
    """A descriptor that holds the folder's lock; nothing if another has it, or has removed the folder."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.stat(folder), os.fstat(descriptor)):
            descriptor, held = -1, descriptor
            return held
    except (BlockingIOError, FileNotFoundError):
        pass
    finally:
        if descriptor >= 0:
            os.close(descriptor)
    return None
