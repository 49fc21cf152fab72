"""Locks that the kernel holds: they end with their process, and nobody ever removes one by hand."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType

from mlbuild.diagnostics import ExitCode, fail


class WorkspaceLock:
    """One command at a time places outputs in a workspace. A context manager."""

    def __init__(self, path: Path, *, block: bool) -> None:
        self._path = path
        self._block = block
        self._descriptor = -1

    def __enter__(self) -> WorkspaceLock:
        """Raises UserError (exit 9) when another command holds it and this one shall not wait."""
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | (0 if self._block else fcntl.LOCK_NB))
        except BlockingIOError:
            holder = os.pread(self._descriptor, 32, 0).decode("ascii", "replace").strip()
            os.close(self._descriptor)
            raise fail(
                "lock-held",
                "another mlbuild command is at work in this workspace" + (f" (process {holder})" if holder else ""),
                hint="wait for it, or leave out `--noblock_for_lock` to wait here",
                exit_code=ExitCode.LOCK_HELD,
            ) from None
        except BaseException:
            os.close(self._descriptor)
            raise
        os.truncate(self._descriptor, 0)
        os.pwrite(self._descriptor, str(os.getpid()).encode(), 0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)
