"""Runs a spawn as an ordinary process of this machine, for machines without a sandbox. It promises nothing.

The spawn gets copies of its inputs in a folder of its own, and the environment that it declares. It can read and write
all that the user can, and use the network; what it leaves running in another session lives on. So its results have keys
of their own and are never shared. What it takes of memory, processes and the disk is watched, and nothing else is bounded
but its time.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, Protocol

from mlbuild.files.remove import remove_tree
from mlbuild.files.staging import TreeStore
from mlbuild.sandbox.bounds import Enforcement, no_limits
from mlbuild.sandbox.control_groups import CONTROLLERS
from mlbuild.sandbox.limits import DEFAULT, NONE, Limits, in_words
from mlbuild.sandbox.outputs import collect_outputs
from mlbuild.sandbox.own_folder import OwnFolder
from mlbuild.sandbox.watching import INTERVAL, Watch
from mlbuild.sandbox.words import disk_trouble, signal_name
from mlbuild.terms import EMPTY, WORKING_DIRECTORY, Digest, Spawn, SpawnResult

NAME = "no-sandbox"
SALT = b"no sandbox"
"""Part of the key of all that runs without a sandbox."""

_CANNOT_START = 127
_KILLED = 128 + signal.SIGKILL


class Store(Protocol):
    """What the runner needs of a store."""

    def put(self, data: bytes) -> Digest: ...

    def put_stream(self, source: BinaryIO) -> Digest: ...


class PlainRunner:
    """A `SpawnRunner` without walls. `run` may be called from many threads at once.

    `folder`, `limits` and `enforcement` are as for `LinuxRunner`; raises UserError where only the kernel's own limits will do.
    Toolchains are copied once for all spawns of this runner.
    """

    def __init__(
        self,
        store: Store,
        trees: TreeStore,
        folder: Path,
        *,
        limits: Limits = DEFAULT,
        enforcement: Enforcement = "auto",
    ) -> None:
        if enforcement == "kernel":
            raise no_limits(CONTROLLERS, "without a sandbox")
        self._limits = NONE if enforcement == "no" else limits
        self._store = store
        self._trees = trees
        self._folder = folder
        self._lock = threading.Lock()
        self._own: OwnFolder | None = None
        self._running: set[int] = set()
        self._is_interrupted = False

    def run(self, spawn: Spawn) -> SpawnResult:
        """Runs it and puts its outputs and logs into the store. Raises UserError, and BlobMissing as a sandbox does."""
        try:
            place = self._ready() / os.urandom(16).hex()
            place.mkdir(mode=0o700)
            try:
                return self._run_in(place, spawn)
            finally:
                remove_tree(place)
        except OSError as error:
            raise disk_trouble(error, self._folder) from error

    def interrupt(self) -> None:
        """Ends every spawn that runs now or would begin."""
        with self._lock:
            self._is_interrupted = True
            for pid in self._running:
                _end_group(pid)

    def close(self) -> None:
        """Removes what is left. No `run` may be under way: `interrupt` first."""
        with self._lock:
            self._is_interrupted = True
            if self._own:
                self._own.remove()
            self._own = None

    def _ready(self) -> Path:
        with self._lock:
            if self._own is None:
                self._own = OwnFolder(self._folder)
                (self._own.path / "mounts").mkdir()
            return self._own.path

    def _run_in(self, place: Path, spawn: Spawn) -> SpawnResult:
        mounts = self._stage(place, spawn)
        work = place / WORKING_DIRECTORY
        (place / "tmp").mkdir()
        environment = {name: _moved(value, mounts) for name, value in spawn.environment}
        environment = {"HOME": str(place / "tmp"), "TMPDIR": str(place / "tmp"), "PWD": str(work), **environment}
        with (place / "stdout").open("w+b") as stdout, (place / "stderr").open("w+b") as stderr:
            started = time.monotonic()
            exit_code, failure = self._wait_for(spawn, work, mounts, environment, stdout, stderr)
            seconds = time.monotonic() - started
            logs: list[Digest] = []
            for log in (stdout, stderr):
                log.seek(0)
                logs.append(self._store.put_stream(log))
        outputs, faults = collect_outputs(work, spawn, self._store)
        if exit_code == 0 and failure is None and faults:
            failure = "; ".join(faults)
        return SpawnResult(exit_code, outputs, logs[0], logs[1], failure=failure, runner=NAME, wall_seconds=seconds)

    def _wait_for(
        self,
        spawn: Spawn,
        work: Path,
        mounts: Mapping[str, Path],
        environment: Mapping[str, str],
        stdout: BinaryIO,
        stderr: BinaryIO,
    ) -> tuple[int, str | None]:
        """The exit code, and in words why it failed if the code does not say it."""
        first, *rest = spawn.arguments
        program = _moved(first, mounts) if "/" in first else f"./{first}"
        with self._lock:
            if self._is_interrupted:
                return _KILLED, "interrupted"
            try:
                process = subprocess.Popen(
                    [program, *rest],
                    cwd=work, env=dict(environment), stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr,
                    start_new_session=True,
                )  # fmt: skip
            except OSError as error:
                return _CANNOT_START, f"cannot start `{first}`: {error.strerror}"
            self._running.add(process.pid)
        limits = self._limits if self._limits is NONE else self._limits.of(spawn)
        pidfd = os.pidfd_open(process.pid)
        try:
            reason = _watched(
                pidfd, process.pid, Watch(limits, work, memory=True, processes=True), spawn.timeout_seconds
            )
        finally:
            os.close(pidfd)
            with self._lock:
                # Nobody has waited for it yet, so the number is still its own. What it left behind ends with it.
                _end_group(process.pid)
                self._running.discard(process.pid)
                code = process.wait()
        if self._is_interrupted:
            return _KILLED, "interrupted"
        if reason:
            return _KILLED, in_words(reason, limits) or f"timed out after {spawn.timeout_seconds} s"
        if code < 0:
            return 128 - code, f"killed by {signal_name(-code)}"
        return code, None

    def _stage(self, place: Path, spawn: Spawn) -> Mapping[str, Path]:
        """Copies the inputs to where the command line expects them, and says where each mount is."""
        root = self._trees.directory(spawn.input_root)
        mounts: dict[str, Path] = {}
        for directory in root.directories:
            if directory.name == WORKING_DIRECTORY:
                continue
            mounts[directory.name] = place / directory.name
            (place / directory.name).symlink_to(self._mount(directory.digest))
        for link in root.symlinks:
            (place / link.name).symlink_to(link.target)
        if root.files:
            self._trees.loose(root.files, place / "loose")
            for file in root.files:
                shutil.copy2(place / "loose" / file.name, place / file.name)
        inputs = next((each.digest for each in root.directories if each.name == WORKING_DIRECTORY), EMPTY)
        work = place / WORKING_DIRECTORY
        _copy(self._trees.tree(inputs), work)
        for output in spawn.output_paths:
            path = work / output
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_symlink() or path.is_file():
                path.unlink()
        return mounts

    def _mount(self, digest: Digest) -> Path:
        """A copy of a tree that all spawns of this runner share: what one does to it, the store never sees."""
        own = self._ready()
        copy = own / "mounts" / digest.hash
        with self._lock:
            if not copy.exists():
                unfinished = own / "mounts" / "unfinished"
                _copy(self._trees.tree(digest), unfinished)
                unfinished.rename(copy)
        return copy


def _copy(tree: Path, destination: Path) -> None:
    """A copy whose folders can be written to."""
    shutil.copytree(tree, destination, symlinks=True)
    for folder, _, _ in os.walk(destination):
        os.chmod(folder, 0o755)


def _moved(value: str, mounts: Mapping[str, Path]) -> str:
    """A path, or several with colons between them, with those below a mount's place put where the mount is."""
    return ":".join(_one_moved(part, mounts) for part in value.split(":"))


def _one_moved(path: str, mounts: Mapping[str, Path]) -> str:
    first, slash, rest = path[1:].partition("/")
    return f"{mounts[first]}{slash}{rest}" if path.startswith("/") and first in mounts else path


def _watched(pidfd: int, pid: int, watch: Watch, seconds: float) -> str:
    """Waits for a process; says why it is to be ended, if it did not end by itself."""
    ready = select.poll()
    ready.register(pidfd, select.POLLIN)
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        if ready.poll(min(left, INTERVAL) * 1000):
            return ""
        if reason := watch.look(pid):
            return reason
    return "timeout"


def _end_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
