"""Folders of runs: each belongs to a process, and whoever comes later removes those whose process has died."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from mlbuild.files.remove import remove_tree


class OwnFolder:
    """This process's part of a folder that all share; its lock says that the process lives. Raises OSError."""

    def __init__(self, folder: Path) -> None:
        runs = folder / "runs"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        runs.mkdir(mode=0o700, exist_ok=True)
        remove_leftovers(folder)
        while True:
            name = os.urandom(16).hex()
            self._lock_path = runs / f"{name}.lock"
            self._lock = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            if self._lock_path.exists():
                break
            # Who removes leftovers has taken it for one, before it was locked.
            os.close(self._lock)
        self.path = runs / name
        self.path.mkdir(mode=0o755)
        self.path.chmod(0o755)

    def remove(self) -> None:
        remove_tree(self.path)
        self._lock_path.unlink(missing_ok=True)
        os.close(self._lock)


def remove_leftovers(folder: Path) -> None:
    """Removes what runners left that were killed: their locks are free, since the kernel held them. Raises OSError."""
    runs = folder / "runs"
    for name in sorted(os.listdir(runs)) if runs.is_dir() else ():
        if not name.endswith(".lock"):
            continue
        try:
            lock = os.open(runs / name, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            left = runs / name.removesuffix(".lock")
            if left.exists():
                remove_tree(left)
            (runs / name).unlink(missing_ok=True)
        except (BlockingIOError, FileNotFoundError):
            continue
        finally:
            os.close(lock)
