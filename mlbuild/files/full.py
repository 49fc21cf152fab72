"""Words for a disk that has no more room."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from mlbuild.diagnostics import ExitCode, UserError, fail

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def full_disk(what: str, folder: Path) -> UserError:
    """For an OSError of `FULL` below `folder`, which `what` names (`the cache folder`)."""
    named = f"{what} `{folder}`".lstrip()
    if _has_room(folder):
        return fail(
            "disk-full",
            f"the disk that holds {named} has room, but for no more files",
            hint="remove files there (`df -i` counts them) and run the same command again, "
            "or name a folder on another disk with `--disk_cache`",
            exit_code=ExitCode.ENVIRONMENT,
        )
    return fail(
        "disk-full",
        f"the disk that holds {named} is full",
        hint="free some space and run the same command again, or name a folder on another disk with `--disk_cache`",
        exit_code=ExitCode.ENVIRONMENT,
    )


def _has_room(folder: Path) -> bool:
    """Whether it is the number of files that is used up: what was half made is removed, so neither may be at zero."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return False
    return found.f_favail * found.f_blocks < found.f_bavail * found.f_files
