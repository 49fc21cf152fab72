"""The same folder on a file system of memory, so that listing it gives its names in the reverse order.

File systems list a folder by hash, by age or by name, each in its own way; a program that relies on one of them gives other
results elsewhere. What lies in memory is listed by age, so the order can be chosen.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path

MEMORY = Path("/dev/shm")
"""Where machines have such a file system, as a rule."""

MOST = 256 << 20
"""Bigger folders are not copied: memory is dear."""


def memory_folder() -> Path | None:
    """A folder of this user's in memory, or nothing where the machine has none with room."""
    folder = MEMORY / f"mlbuild-{os.getuid()}"
    try:
        room = os.statvfs(MEMORY)
        if not os.path.ismount(MEMORY) or room.f_bavail * room.f_frsize < 4 * MOST:
            return None
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return None
    is_ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077
    return folder if is_ours else None


def lists_newest_first(folder: Path) -> bool:
    """How the file system of a new, empty folder lists it."""
    for name in ("1", "2", "3"):
        (folder / name).touch()
    listed = os.listdir(folder)
    for name in listed:
        (folder / name).unlink()
    return listed[0] == "3"


def size_of(*folders: Path) -> int:
    """The bytes of all files in the folders."""
    size = 0
    for top in folders:
        for folder, _, names in os.walk(top):
            size += sum(os.lstat(os.path.join(folder, name)).st_size for name in names)
    return size


def mirror(source: Path, destination: Path, mounted: Mapping[str, Path], *, newest_first: bool) -> None:
    """Makes the new folder `destination` hold what `source` has, listed in the reverse order.

    `mounted` has folders, by path, that are to be seen in the place of those in `source`. Modes, times and owners are kept.
    """
    found = source.lstat()
    destination.mkdir(mode=0o700)
    names = os.listdir(source)
    for name in names if newest_first else reversed(names):
        inner = mounted.get(name, source / name)
        new = destination / name
        kind = inner.lstat()
        if stat.S_ISDIR(kind.st_mode):
            below = {path[len(name) + 1 :]: each for path, each in mounted.items() if path.startswith(f"{name}/")}
            mirror(inner, new, below, newest_first=newest_first)
        elif stat.S_ISLNK(kind.st_mode):
            new.symlink_to(inner.readlink())
            os.utime(new, ns=(kind.st_atime_ns, kind.st_mtime_ns), follow_symlinks=False)
        else:
            shutil.copyfile(inner, new)
            _dress(new, kind)
    _dress(destination, found)


def _dress(path: Path, like: os.stat_result) -> None:
    if (like.st_uid, like.st_gid) != (os.getuid(), os.getgid()) and os.getuid() == 0:
        os.chown(path, like.st_uid, like.st_gid)
    path.chmod(stat.S_IMODE(like.st_mode))
    os.utime(path, ns=(like.st_atime_ns, like.st_mtime_ns))
