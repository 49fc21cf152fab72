"""Words for what goes wrong around a spawn, whoever runs it."""

from __future__ import annotations

import signal
from pathlib import Path

from mlbuild.diagnostics import ExitCode, UserError, fail
from mlbuild.files.full import FULL, full_disk


def disk_trouble(error: OSError, folder: Path) -> UserError:
    """For files of a run that cannot be handled."""
    if error.errno in FULL:
        return full_disk("", folder)
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
