"""What the disk of the cache says, in words for a person."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from mlbuild.diagnostics import ExitCode, UserError, fail

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
REFUSED = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})


@contextlib.contextmanager
def in_words(folder: Path) -> Iterator[None]:
    """Turns every OSError of writing to the cache into a UserError (exit code 36)."""
    try:
        yield
    except OSError as error:
        raise cannot_write(folder, error) from error


def cannot_write(folder: Path, error: OSError) -> UserError:
    if error.errno in FULL and _has_room(folder):
        return fail(
            "disk-full",
            f"the disk that holds the cache folder `{folder}` has room, but for no more files",
            hint="remove files there (`df -i` counts them) and run the same command again, "
            "or name a folder on another disk with `--disk_cache`",
            exit_code=ExitCode.ENVIRONMENT,
        )
    if error.errno in FULL:
        return fail(
            "disk-full",
            f"the disk that holds the cache folder `{folder}` is full",
            hint="free some space and run the same command again, or name a folder on another disk with `--disk_cache`",
            exit_code=ExitCode.ENVIRONMENT,
        )
    if error.errno in REFUSED:
        return fail(
            "cache-not-writable",
            f"the cache folder `{folder}` cannot be written: {reason(error)}",
            hint="make it writable for you, or name another with `--disk_cache`",
            exit_code=ExitCode.ENVIRONMENT,
        )
    return fail(
        "cache-unusable",
        f"writing to the cache folder `{folder}` failed: {reason(error)}",
        hint="run the same command again; if this comes again, check the disk, or name another with `--disk_cache`",
        exit_code=ExitCode.ENVIRONMENT,
    )


def _has_room(folder: Path) -> bool:
    """Whether it is only the number of files that is used up."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return False
    return found.f_files > 0 and found.f_favail == 0 and found.f_bavail > 0


def cannot_read(folder: Path, error: OSError) -> UserError:
    return fail(
        "cache-not-readable",
        f"the cache folder `{folder}` cannot be read: {reason(error)}",
        hint="make it and all in it readable for you, or name another with `--disk_cache`",
        exit_code=ExitCode.ENVIRONMENT,
    )


def reason(error: OSError) -> str:
    return os.strerror(error.errno).lower() if error.errno else str(error)
