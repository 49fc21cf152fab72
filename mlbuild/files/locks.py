"""Locks that the kernel holds: they end with their process, and nobody ever removes one by hand."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from mlbuild.diagnostics import ExitCode, UserError, fail
from mlbuild.files.full import FULL


class WorkspaceLock:
    """One command at a time places outputs in a workspace. A context manager.

    With `block` off, a lock that is held raises UserError (exit code 9). Otherwise `on_wait` is told, in words, once.
    """

    def __init__(self, path: Path, *, block: bool, on_wait: Callable[[str], None] | None = None) -> None:
        self._path = path
        self._block = block
        self._on_wait = on_wait
        self._descriptor = -1

    def __enter__(self) -> WorkspaceLock:
        while self._descriptor < 0:
            try:
                descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            except OSError as error:
                raise _unusable(self._path, error) from error
            try:
                self._take(descriptor)
                if _is_at(descriptor, self._path):
                    os.truncate(descriptor, 0)
                    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
                    self._descriptor, descriptor = descriptor, -1
            except OSError as error:
                raise _unusable(self._path, error) from error
            finally:
                if descriptor >= 0:
                    os.close(descriptor)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)
        self._descriptor = -1

    def _take(self, descriptor: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
        work = "another mlbuild command is at work in this workspace" + (f" (process {holder})" if holder else "")
        if not self._block:
            raise fail(
                "lock-held",
                work,
                hint="wait for it, or leave out `--noblock_for_lock` to wait here",
                exit_code=ExitCode.LOCK_HELD,
            )
        if self._on_wait is not None:
            self._on_wait(f"{work}: waiting")
        fcntl.flock(descriptor, fcntl.LOCK_EX)


def _is_at(descriptor: int, path: Path) -> bool:
    """Whether the file that we locked is the one that others find. `clean` removes it while it holds the lock."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _unusable(path: Path, error: OSError) -> UserError:
    return fail(
        "lock-unusable",
        f"the lock `{path}` cannot be taken: {os.strerror(error.errno or 0).lower()}",
        hint="free some space there" if error.errno in FULL else "make its folder writable for you",
        exit_code=ExitCode.ENVIRONMENT,
    )
