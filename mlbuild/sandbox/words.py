"""Words for what goes wrong around a spawn, whoever runs it."""

from __future__ import annotations

import errno
import signal
from pathlib import Path

from mlbuild.diagnostics import ExitCode, UserError, fail


def disk_trouble(error: OSError, folder: Path) -> UserError:
    """For files of a run that cannot be handled."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return fail(
            "disk-full",
            f"the disk that holds `{folder}` is full",
            hint="free some space and run the same command again, or name a folder on another disk with `--disk_cache`",
            exit_code=ExitCode.ENVIRONMENT,
        )
    where = f" at `{error.filename}`" if error.filename else ""
    return fail(
        "sandbox-files",
        f"the files of a sandbox cannot be handled: {(error.strerror or str(error)).lower()}{where}",
        exit_code=ExitCode.ENVIRONMENT,
    )


def signal_name(number: int) -> str:
    """`SIGKILL` for 9."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
