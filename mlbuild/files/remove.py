"""Removes folders that programs have filled: whatever their modes, however deep, and never through a link."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def remove_tree(path: Path) -> None:
    """Removes a file, a link, or a folder with all that is in it. Raises OSError, FileNotFoundError too.

    Nobody else may be changing it meanwhile, but programs have: folders below are moved up to the top one by one, so
    depth costs neither recursion, nor descriptors, nor long paths.
    """
    if not stat.S_ISDIR(path.lstat().st_mode):
        path.unlink()
        return
    path.chmod(0o700)
    top = os.open(path, _OPEN)
    try:
        moved = 0
        waiting = _empty(top)
        while waiting:
            name = waiting.pop()
            os.chmod(name, 0o700, dir_fd=top)
            folder = os.open(name, _OPEN, dir_fd=top)
            try:
                for inner in _empty(folder):
                    os.chmod(inner, 0o700, dir_fd=folder)
                    moved += 1
                    while True:
                        # A program may have made a folder of that very name.
                        lifted = f".removed-{moved}"
                        try:
                            os.stat(lifted, dir_fd=top, follow_symlinks=False)
                        except FileNotFoundError:
                            break
                        moved += 1
                    os.rename(inner, lifted, src_dir_fd=folder, dst_dir_fd=top)
                    waiting.append(lifted)
            finally:
                os.close(folder)
            os.rmdir(name, dir_fd=top)
    finally:
        os.close(top)
    path.rmdir()


def _empty(folder: int) -> list[str]:
    """Removes all but the folders that are not empty, and gives those."""
    left: list[str] = []
    with os.scandir(folder) as entries:
        names = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    for name, is_folder in names:
        if not is_folder:
            os.unlink(name, dir_fd=folder)
            continue
        try:
            os.rmdir(name, dir_fd=folder)
        except OSError:
            left.append(name)
    with contextlib.suppress(OSError):
        os.lseek(folder, 0, os.SEEK_SET)
    return left
