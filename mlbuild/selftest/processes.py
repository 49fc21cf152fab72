"""mlbuild in a process of its own, without the time that its imports take: a fork of this one, which has them."""

from __future__ import annotations

import contextlib
import ctypes
import io
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from mlbuild.records import record
from mlbuild.selftest.campaign import Violation
from mlbuild.selftest.stage import Main, Scene, environ

PR_SET_CHILD_SUBREAPER = 36
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PATIENCE = 60.0
"""Seconds that a command may take before it counts as hung."""


@record
class Ended:
    """How a command ended: its exit code, or less than 0 for the signal that killed it, and what it said on stderr."""

    code: int
    said: str


class Command:
    """mlbuild at work. `prepare` is done in its process before anything else; `main` lets signals in."""

    def __init__(self, main: Main, scene: Scene, *arguments: str, prepare: Callable[[], None] | None = None) -> None:
        # In memory: the scene's own disk may be full.
        self._stderr = os.memfd_create("stderr", os.MFD_CLOEXEC)
        argv = (*arguments[:1], f"--disk_cache={scene.cache}", *arguments[1:])
        home = environ(scene)
        # What ends it waits until it listens: a process that has not yet begun is not what a trial is about.
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        self.pid = os.fork()
        if self.pid != 0:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
        else:
            code = 70
            try:
                code = _become(main, argv, home, scene.folder, self._stderr, prepare)
            finally:
                os._exit(code)
        self._status: int | None = None

    def poll(self) -> bool:
        """Whether it has ended."""
        if self._status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._status = status
        return self._status is not None

    def send(self, number: int) -> None:
        if not self.poll():
            os.kill(self.pid, number)

    def wait(self, seconds: float = PATIENCE) -> Ended:
        """Raises Violation if it does not end; it is killed then."""
        deadline = time.monotonic() + seconds
        pause = 0.0002
        while not self.poll():
            if time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                raise Violation(f"it has not ended after {seconds:.0f} s, and said:\n{self._said()}")
            time.sleep(pause)
            pause = min(pause * 1.5, 0.005)
        assert self._status is not None
        return Ended(os.waitstatus_to_exitcode(self._status), self._said())

    def _said(self) -> str:
        size = os.fstat(self._stderr).st_size
        return os.pread(self._stderr, size, 0).decode("utf-8", "backslashreplace")

    def __del__(self) -> None:
        os.close(self._stderr)


def is_honest(ended: Ended) -> None:
    """Raises Violation for a traceback or a bug told as one."""
    for sign in ("Traceback", 'File "', "Exception ignored", "error[internal]"):
        if sign in ended.said:
            raise Violation(f"it ended with {ended.code} and said:\n{ended.said}")
    if ended.code > 0 and not any(word in ended.said for word in ("error", "ERROR", "interrupted: ")):
        raise Violation(f"it ended with {ended.code} and did not say why:\n{ended.said}")


def _become(
    main: Main, argv: tuple[str, ...], home: object, folder: Path, stderr: int, prepare: Callable[[], None] | None
) -> int:
    """In the new process: a session, streams and an environment of its own, then the command."""
    os.setsid()
    assert isinstance(home, dict)
    os.environ.clear()
    os.environ.update(home)
    os.chdir(folder)
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor, opened in ((0, null), (1, null), (2, stderr)):
        os.dup2(opened, descriptor)
    sys.stdout = io.TextIOWrapper(io.FileIO(1, "w", closefd=False), "utf-8", "backslashreplace", line_buffering=True)
    sys.stderr = io.TextIOWrapper(io.FileIO(2, "w", closefd=False), "utf-8", "backslashreplace", write_through=True)
    for ending in ENDING[1:]:
        signal.signal(ending, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if prepare is not None:
        prepare()
    os.closerange(3, 4096)
    return main(argv, os.environ)


@contextlib.contextmanager
def adopting() -> Iterator[None]:
    """Whoever's parent dies becomes a child of this process, so that what is left of a command can be seen."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def nothing_survives(seconds: float = 2.0) -> None:
    """Raises Violation for a process that is still there after so many seconds. For a process that adopts."""
    deadline = time.monotonic() + seconds
    while running := _running():
        if time.monotonic() > deadline:
            for pid, _ in running:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            raise Violation("still running: " + "; ".join(f"{pid}: {command}" for pid, command in running))
        time.sleep(0.001)


def _running() -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    for task in Path("/proc/self/task").iterdir():
        for word in (task / "children").read_text().split():
            pid = int(word)
            if os.waitpid(pid, os.WNOHANG)[0] == 0:
                with contextlib.suppress(OSError):
                    found.append((pid, repr(Path(f"/proc/{pid}/cmdline").read_bytes()[:200])))
    return found
