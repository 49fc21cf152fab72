"""The real command as a process: what it says, how it ends, and what it leaves running."""

from __future__ import annotations

import ctypes
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import mlbuild

REPOSITORY = Path(mlbuild.__file__).parents[1]
MLBUILD = (sys.executable, "-P", "-m", "mlbuild")
PASSED_ON = re.compile(r"(UV|PIP)_|.*_proxy$|.*_PROXY$|SSL_CERT|REQUESTS_CA|PATH$|TMPDIR$")
PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    said: str
    """stderr."""
    out: str

    @property
    def ran(self) -> int:
        found = re.search(r"^INFO: \d+ actions?: (\d+) ran", self.said, re.MULTILINE)
        assert found is not None, self.said
        return int(found[1])

    @property
    def lines(self) -> list[str]:
        return self.said.splitlines()


def environment(cache: Path, **more: str) -> Mapping[str, str]:
    """A home of the test's own; how packages are found is the machine's."""
    passed = {name: value for name, value in os.environ.items() if PASSED_ON.match(name)}
    home = cache.parent / "home"
    home.mkdir(exist_ok=True)
    bytecode = str(cache.parent / "bytecode")
    ours = {"HOME": str(home), "LANG": "C.UTF-8", "TERM": "dumb", "PYTHONPATH": str(REPOSITORY)}
    return {**passed, **ours, "PYTHONPYCACHEPREFIX": bytecode, **more}


def words(cache: Path, command: str, *arguments: str) -> list[str]:
    """Without lines of progress: they are told when a build takes long, and how long it takes is the machine's."""
    quiet = ["--noshow_progress"] if command in ("build", "test", "run") else []
    return [*MLBUILD, command, f"--disk_cache={cache}", *quiet, *arguments]


def mlbuild_ends(
    folder: Path,
    cache: Path,
    command: str,
    *arguments: str,
    before: tuple[str, ...] = (),
    seconds: float = 120,
    **more: str,
) -> Ended:
    """Runs to the end; `before` are the words of a program that starts it. Never a traceback, never our bug."""
    done = subprocess.run(
        [*before, *words(cache, command, *arguments)], cwd=folder, env=environment(cache, **more), capture_output=True,
        timeout=seconds, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return ended(done.returncode, done.stderr, done.stdout)


def ended(code: int, stderr: bytes, stdout: bytes) -> Ended:
    said, out = (text.decode("utf-8", "backslashreplace") for text in (stderr, stdout))
    for sign in ("Traceback", 'File "', "Exception ignored", "error[internal]"):
        assert sign not in said, said
    assert code != 37, said
    return Ended(code, said, out)


def started(folder: Path, cache: Path, command: str, *arguments: str, **more: str) -> subprocess.Popen[bytes]:
    """In a session of its own; a SIGHUP that the tests' own caller ignores (`nohup`) is not ignored there."""
    return subprocess.Popen(
        ["env", "--default-signal=HUP", *words(cache, command, *arguments)], cwd=folder, env=environment(cache, **more), stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip


def wait_until(holds: Callable[[], bool], process: subprocess.Popen[bytes], seconds: float = 60) -> bool:
    """Whether it came to hold before the process ended."""
    deadline = time.monotonic() + seconds
    while not holds():
        if process.poll() is not None:
            return False
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.0005)  # until another process has done something: there is nothing else to wait on
    return True


class Orphanage:
    """Adopts what a process leaves behind when it dies: whoever's parent dies becomes a child of ours."""

    def __enter__(self) -> Orphanage:
        self._set(1)
        self._before = _children()
        return self

    def __exit__(self, *_: object) -> None:
        self._set(0)
        for pid in _children() - self._before:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)

    def left(self, within: float) -> list[str]:
        """What still runs after so many seconds; it does not wait longer than it has to."""
        deadline = time.monotonic() + within
        while running := self._running():
            if time.monotonic() > deadline:
                return running
            time.sleep(0.005)
        return []

    def _running(self) -> list[str]:
        found: list[str] = []
        for pid in sorted(_children() - self._before):
            if os.waitpid(pid, os.WNOHANG)[0] == 0:
                command = Path(f"/proc/{pid}/cmdline")
                found.append(f"{pid}: {command.read_bytes()[:200]!r}" if command.exists() else str(pid))
        return found

    def _set(self, value: int) -> None:
        assert ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, value, 0, 0, 0) == 0


def _children() -> set[int]:
    """Of all threads of ours."""
    return {
        int(child)
        for task in Path("/proc/self/task").iterdir()
        for child in (task / "children").read_text().split()
    }  # fmt: skip
