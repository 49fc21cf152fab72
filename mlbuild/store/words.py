"""What the disk of the cache says, in words for a person."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from mlbuild.diagnostics import ExitCode, UserError, fail
from mlbuild.files.full import FULL, full_disk
from mlbuild.files.sharing import PARTS

REFUSED = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
IN_THE_WAY = frozenset({errno.ENOTDIR, errno.EEXIST})


@contextlib.contextmanager
def in_words(folder: Path) -> Iterator[None]:
    """Turns every OSError of writing to the cache into a UserError (exit code 36)."""
    try:
        yield
    except OSError as error:
        raise cannot_write(folder, error) from error


def cannot_write(folder: Path, error: OSError) -> UserError:
    if error.errno in FULL:
        return full_disk("the cache folder", folder)
    if error.errno in REFUSED:
        return fail(
            "cache-not-writable",
            f"the cache folder `{folder}` cannot be written: {reason(error)}",
            hint="make it writable for you, or name another with `--disk_cache`",
            exit_code=ExitCode.ENVIRONMENT,
        )
    if error.errno in IN_THE_WAY and (name := _file_for_a_folder(folder)):
        return _in_the_way(folder, name)
    return fail(
        "cache-unusable",
        f"writing to the cache folder `{folder}` failed: {reason(error)}",
        hint="run the same command again; if this comes again, check the disk, or name another with `--disk_cache`",
        exit_code=ExitCode.ENVIRONMENT,
    )


def cannot_read(folder: Path, error: OSError) -> UserError:
    if error.errno in IN_THE_WAY and (name := _file_for_a_folder(folder)):
        return _in_the_way(folder, name)
    return fail(
        "cache-not-readable",
        f"the cache folder `{folder}` cannot be read: {reason(error)}",
        hint="make it and all in it readable for you, or name another with `--disk_cache`",
        exit_code=ExitCode.ENVIRONMENT,
    )


def _file_for_a_folder(folder: Path) -> str:
    return next((name for name in (*PARTS, "staged/trees") if (folder / name).is_file()), "")


def _in_the_way(folder: Path, name: str) -> UserError:
    return fail(
        "cache-unusable",
        f"in the cache folder `{folder}`, `{name}` is a file where a folder belongs",
        hint="remove that file and run the same command again, or name another folder with `--disk_cache`",
        exit_code=ExitCode.ENVIRONMENT,
    )


def reason(error: OSError) -> str:
    return os.strerror(error.errno).lower() if error.errno else str(error)
