"""Folders that a group of users shares: set-group-ID, and writable for the group, but not for everybody.

What is made in such a folder is the group's too, whatever the umask; in any other, its maker's alone. So the mode of
a cache's folder says whose the cache is, and nobody has to be told.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path

from mlbuild.diagnostics import ExitCode, fail

PARTS = ("ac", "cas", "leases", "run", "staged", "state", "tmp")
"""The folders at the top of a cache without which nothing is built."""

_GROUPS = stat.S_ISGID | stat.S_IRWXG


def is_shared(folder: str | Path) -> bool:
    """Whether its group shares the folder; one that is not there is nobody's."""
    try:
        mode = os.stat(folder).st_mode
    except OSError:
        return False
    return mode & (_GROUPS | stat.S_IWOTH) == _GROUPS


def make_cache(folder: Path) -> None:
    """Makes a cache's folder if need be: its maker's alone, wherever it lies. Who wants to share one, says so. Raises OSError."""
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700, parents=True)


def make_folder(path: str | Path) -> None:
    """Makes a folder, and those above it, if need be. Raises OSError."""
    path = os.fspath(path)
    if os.path.isdir(path):
        return
    above = os.path.dirname(path)
    make_folder(above)
    if not is_shared(above):
        with contextlib.suppress(FileExistsError):
            os.mkdir(path, 0o700)
        return
    # It appears with its mode: another user may come at once.
    new = _beside(path)
    os.mkdir(new, 0o700)
    try:
        os.chmod(new, stat.S_IMODE(os.stat(above).st_mode))
        _rename_to_nothing(new, path)
    except OSError as error:
        os.rmdir(new)
        if not isinstance(error, FileExistsError):
            raise


def file_mode(folder: str | Path, private: int = 0o600) -> int:
    """The mode of a new file in a folder that all who share it have to read and lock: `private` where nobody does."""
    return stat.S_IMODE(os.stat(folder).st_mode) & 0o666 if is_shared(folder) else private


def open_lock(path: str | Path, private: int = 0o600) -> int:
    """A descriptor of a file to be locked, which is made if need be. Raises OSError."""
    path = os.fspath(path)
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
    if not is_shared(os.path.dirname(path)):
        return os.open(path, flags | os.O_CREAT, private)
    while True:
        try:
            return os.open(path, flags)
        except FileNotFoundError:
            _make_file(path)


def private_part(cache: Path) -> Path:
    """Where a user keeps what is believed without a digest: in a shared cache that is a folder of his own."""
    return cache / "users" / str(os.geteuid()) if is_shared(cache) else cache


def make_private_part(cache: Path) -> Path:
    """The same; made if need be, where it is not the cache itself. Raises UserError, where it is not his alone."""
    place = private_part(cache)
    if place == cache:
        return cache
    try:
        if not os.path.isdir(place):
            make_folder(place.parent)
            with contextlib.suppress(FileExistsError):
                os.mkdir(place, 0o700)
        found = os.lstat(place)
    except OSError as error:
        raise _not_his(place, os.strerror(error.errno or 0).lower()) from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise _not_his(place, "it is another's, or others may enter it")
    return place


def _make_file(path: str) -> None:
    """An empty file, unless somebody else is first; it appears with its mode."""
    new = _beside(path)
    descriptor = os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        os.fchmod(descriptor, file_mode(os.path.dirname(path)))
        with contextlib.suppress(FileExistsError):
            os.link(new, path)
    finally:
        os.close(descriptor)
        os.unlink(new)


def _rename_to_nothing(old: str, new: str) -> None:
    """Raises FileExistsError where there is something: `rename` would put a folder in the place of an empty one.

    And who is about to put a file into that one would find no folder at all.
    """
    import ctypes

    at_working_folder, no_replace = -100, 1
    arguments = at_working_folder, os.fsencode(old), at_working_folder, os.fsencode(new), no_replace
    if ctypes.CDLL(None, use_errno=True).renameat2(*arguments) != 0:
        number = ctypes.get_errno()
        if number != errno.EINVAL:
            raise OSError(number, os.strerror(number), new)
        os.rename(old, new)  # a file system that knows no better, such as NFS


def _beside(path: str) -> str:
    return f"{os.path.dirname(path)}/.new-{os.urandom(16).hex()}"


def _not_his(place: Path, why: str) -> Exception:
    return fail(
        "no-private-part",
        f"the shared cache has no folder `{place}` that is yours alone: {why}",
        hint="remove or rename that folder: mlbuild makes it; or name another cache with `--disk_cache`",
        exit_code=ExitCode.ENVIRONMENT,
    )
