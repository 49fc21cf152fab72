"""Runs a spawn in a sandbox of this machine: stages its inputs, starts it, collects its outputs."""

from __future__ import annotations

import errno
import os
import platform
import signal
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO, Protocol

from mlbuild.diagnostics import ExitCode, fail
from mlbuild.files.remove import remove_tree
from mlbuild.files.staging import StagedTree, TreeStore
from mlbuild.records import replace
from mlbuild.sandbox import clock
from mlbuild.sandbox.availability import SandboxStatus, probe
from mlbuild.sandbox.bounds import Bounded, Bounds, Enforcement
from mlbuild.sandbox.bubblewrap import STARTER, Layout, arguments, needs_starter
from mlbuild.sandbox.limits import DEFAULT, EACH_PROCESS, LOG_LIMIT, MIB, Limits
from mlbuild.sandbox.mirrored import MOST, lists_newest_first, memory_folder, mirror, size_of
from mlbuild.sandbox.outputs import collect_outputs
from mlbuild.sandbox.own_folder import OwnFolder
from mlbuild.sandbox.seccomp import ARCHITECTURES, filter_program
from mlbuild.sandbox.spawning import UNPRIVILEGED, SandboxOutcome, SandboxRequest, Spawner, SpawnerError
from mlbuild.sandbox.starter import starter
from mlbuild.sandbox.surroundings import PROCESSORS, write_etc, write_proc, write_processors
from mlbuild.sandbox.watching import processes_of
from mlbuild.sandbox.words import disk_trouble, signal_name
from mlbuild.sandbox.work_folder import OutputBlocked, make_work_folder
from mlbuild.terms import EMPTY, ORDINARY, WORKING_DIRECTORY, Digest, Spawn, SpawnResult, Surroundings

NAME = "linux-sandbox"

_NO_SPACE = os.strerror(errno.ENOSPC)
_CANNOT_START = 127
_TOO_FAST = 8
"""Times the processes that an action may have: what multiplies faster than it is watched meets the kernel there. Nothing else does, since
the kernel counts all of a user's."""
_KILLED = 128 + signal.SIGKILL
_SUPPLIED = frozenset({"proc", "dev", "tmp", "inputs"})


class Store(Protocol):
    """What the runner needs of a store."""

    def get(self, digest: Digest) -> bytes: ...

    def put(self, data: bytes) -> Digest: ...

    def put_stream(self, source: BinaryIO) -> Digest: ...


class LinuxRunner:
    """A `SpawnRunner` with bubblewrap. `run` may be called from many threads at once.

    `folder` holds what runs now: on the file system of the outputs' store, private to the user, and shared by every
    mlbuild of the user. With `sandbox_debug` the folders of finished spawns are kept, and told to `say`. Only a runner that
    `varies` can list folders in another order: that takes memory.
    """

    def __init__(
        self,
        store: Store,
        trees: TreeStore,
        folder: Path,
        *,
        sandbox_debug: bool = False,
        say: Callable[[str], None] = lambda line: None,
        limits: Limits = DEFAULT,
        enforcement: Enforcement = "auto",
        varies: bool = False,
    ) -> None:
        self._store = store
        self._trees = trees
        self._folder = folder
        self._sandbox_debug = sandbox_debug
        self._say = say
        self._bounds = Bounds(limits, enforcement)
        self._lock = threading.Lock()
        self._own: OwnFolder | None = None
        self._masks: tuple[tuple[str, str], ...] = ()
        self._memory_folder = memory_folder() if varies else None
        self._memory: OwnFolder | None = None
        self._newest_first = True
        self._spawner: Spawner | None = None
        self._is_interrupted = False

    def status(self) -> SandboxStatus:
        """Whether this machine can give the sandbox."""
        return probe(self._folder)

    @property
    def can_vary_time(self) -> bool:
        """Whether it can tell spawns another time."""
        return platform.machine() == clock.MACHINE

    @property
    def can_reverse(self) -> bool:
        """Whether it can list folders in another order."""
        return self._memory_folder is not None

    def run(self, spawn: Spawn, around: Surroundings = ORDINARY) -> SpawnResult:
        """Runs it and puts its outputs and logs into the store.

        Raises UserError (`no-sandbox`) where this machine has no sandbox, and BlobMissing where the store has lost
        an input.
        """
        try:
            spawner, own = self._ready()
            place = own.path / os.urandom(16).hex()
            place.mkdir(mode=0o755)
        except OSError as error:
            raise disk_trouble(error, self._folder) from error
        try:
            return self._run_in(place, spawn, around, spawner)
        except OSError as error:
            raise disk_trouble(error, self._folder) from error
        finally:
            if self._sandbox_debug:
                kept = self._folder / "kept" / place.name
                kept.parent.mkdir(mode=0o700, exist_ok=True)
                place.rename(kept)
                self._say(f"sandbox of {spawn.description or spawn.arguments[0]} kept at {kept}")
            else:
                remove_tree(place)

    def interrupt(self) -> None:
        """Ends every spawn that runs now or would begin; their `run` returns soon, with a failure."""
        self._is_interrupted = True
        if spawner := self._spawner:
            spawner.kill_all()

    def close(self) -> None:
        """Ends every process and removes what is left of them. No `run` may be under way: `interrupt` first."""
        with self._lock:
            self._is_interrupted = True
            if self._spawner:
                self._spawner.close()
            for own in (self._own, self._memory):
                if own:
                    own.remove()
            self._spawner, self._own, self._memory = None, None, None
        self._bounds.close()

    def _ready(self) -> tuple[Spawner, OwnFolder]:
        with self._lock:
            if self._spawner is None or self._own is None:
                status = self.status()
                if not status.is_hermetic:
                    raise status.error()
                self._own = OwnFolder(self._folder)
                write_etc(self._own.path / "etc")
                self._masks = write_proc(self._own.path / "proc")
                shared = {"trees": self._trees.trees, "run": self._own.path}
                if self._memory_folder is not None:
                    self._memory = OwnFolder(self._memory_folder)
                    self._newest_first = lists_newest_first(self._memory.path)
                    shared["memory"] = self._memory.path
                bubblewrap = status.bubblewrap
                self._spawner = Spawner(
                    bubblewrap.program,
                    bubblewrap.libraries,
                    filter_program(ARCHITECTURES[platform.machine()]),
                    shared,
                )
            return self._spawner, self._own

    def _run_in(self, place: Path, spawn: Spawn, around: Surroundings, spawner: Spawner) -> SpawnResult:
        mirrored = Path(os.devnull)
        if around.is_reversed and self._memory is not None:
            mirrored = self._memory.path / place.name
        try:
            return self._run_at(place, mirrored, spawn, around, spawner)
        finally:
            if mirrored.is_dir():
                remove_tree(mirrored)

    def _run_at(self, place: Path, mirrored: Path, spawn: Spawn, around: Surroundings, spawner: Spawner) -> SpawnResult:
        try:
            limits = self._bounds.limits_of(spawn)
            layout = replace(
                self._stage(place, mirrored, spawn, around, spawner),
                tmp_bytes=limits.tmp_bytes,
                shared_memory_bytes=limits.shared_memory_bytes,
            )
            command = list(spawn.arguments)
            if needs_starter(command, layout.environment):
                layout, command = _with_starter(place, f"{spawner.path('run')}/{place.name}", layout, command)
            work = (mirrored if mirrored.is_dir() else place) / "work"
            with (place / "stdout").open("w+b") as stdout, (place / "stderr").open("w+b") as stderr:
                if self._is_interrupted:
                    return SpawnResult(_KILLED, failure="interrupted", runner=NAME)
                told = arguments(layout, command)

                def start(entrances: Sequence[int], watch: Callable[[int], str] | None) -> SandboxOutcome:
                    for log in (stdout, stderr):
                        log.seek(0)
                        log.truncate()
                    each = dict(EACH_PROCESS)
                    if not entrances and limits.processes is not None:
                        each["RLIMIT_NPROC"] = processes_of(spawner.user) + _TOO_FAST * limits.processes
                    request = SandboxRequest(
                        told, spawn.timeout_seconds, each, LOG_LIMIT, entrances, around.umask,
                        _usable(around.processors, spawn.resources.cpus), around.has_fixed_addresses,
                    )  # fmt: skip
                    return spawner.run(request, stdout.fileno(), stderr.fileno(), watch)

                bounded = self._bounds.run(limits, work, start)
                outcome = bounded.outcome
                exit_code, failure = _judge(bounded, spawn, limits, _end(stderr))
                logs = [self._keep_log(log, cut) for log, cut in zip((stdout, stderr), outcome.is_log_cut, strict=True)]
        except OutputBlocked as error:
            return SpawnResult(1, failure=str(error), runner=NAME)
        except SpawnerError as error:
            if self._is_interrupted:
                return SpawnResult(_KILLED, failure="interrupted", runner=NAME)
            raise fail(
                "sandbox-ended",
                str(error),
                hint="run the build again; if it happens again, something on this machine ends mlbuild's processes",
                exit_code=ExitCode.ENVIRONMENT,
            ) from None
        outputs, faults = collect_outputs(work, spawn, self._store)
        if exit_code == 0 and failure is None and faults:
            failure = "; ".join(faults)
        return SpawnResult(
            exit_code, outputs, logs[0], logs[1], failure=failure, runner=NAME, wall_seconds=outcome.seconds
        )

    def _stage(self, place: Path, mirrored: Path, spawn: Spawn, around: Surroundings, spawner: Spawner) -> Layout:
        """Puts the inputs where the sandbox finds them, and a work folder for the outputs."""
        trees = spawner.path("trees")
        own = f"{spawner.path('run')}/{place.name}"
        root = self._trees.directory(spawn.input_root)
        work = next((each.digest for each in root.directories if each.name == WORKING_DIRECTORY), EMPTY)
        shared = self._trees.stage(work, place / "inputs")
        real = make_work_folder(place / "work", work, spawn.output_paths, self._trees.directory, around.inputs)
        if spawner.user != os.getuid():
            for folder in real:
                os.chown(place / "work" / folder, spawner.user, UNPRIVILEGED)
        read_only: list[tuple[str, str]] = []
        names = {WORKING_DIRECTORY}
        for directory in root.directories:
            if directory.name not in names:
                if directory.name in _SUPPLIED:
                    raise ValueError(f"`{directory.name}` is no name for a mount")
                names.add(directory.name)
                read_only.append((f"{trees}/{self._trees.tree(directory.digest).name}", f"/{directory.name}"))
        if root.files:
            loose = self._trees.loose(root.files, place / "loose")
            read_only += [(f"{own}/loose/{name}", f"/{name}") for name in loose]
        if "etc" not in names:
            read_only.append((self._etc(place, around, spawner), "/etc"))
        writable = f"{own}/work"
        if self._is_mirrored(place, mirrored, shared):
            writable = f"{spawner.path('memory')}/{place.name}/work"
            read_only.append((f"{spawner.path('memory')}/{place.name}/inputs", around.inputs))
        else:
            if StagedTree("", work) not in shared:
                read_only.append((f"{own}/inputs", around.inputs))
            for tree in shared:
                read_only.append((f"{trees}/{tree.digest.hash}", f"{around.inputs}/{tree.path}".rstrip("/")))
        if around.processors is not None and "sys" not in names:
            write_processors(place / "processors", around.processors)
            read_only.append((f"{own}/processors", PROCESSORS))
        # bubblewrap sets PWD in any case, and so does a starter; the spawn's own word comes first for HOME.
        environment = {"HOME": "/tmp", **dict(around.environment), **dict(spawn.environment)}
        return Layout(
            read_only,
            tuple((link.target, f"/{link.name}") for link in root.symlinks),
            writable,
            environment,
            masks=[(f"{spawner.path('run')}/proc/{name}", path) for name, path in self._masks],
            around=around,
        )

    def _etc(self, place: Path, around: Surroundings, spawner: Spawner) -> str:
        if around == ORDINARY:
            return f"{spawner.path('run')}/etc"
        write_etc(place / "etc", around)
        return f"{spawner.path('run')}/{place.name}/etc"

    def _is_mirrored(self, place: Path, mirrored: Path, shared: Sequence[StagedTree]) -> bool:
        """Copies what is staged, to be listed in another order, if that is asked for and it is not too big."""
        if mirrored == Path(os.devnull):
            return False
        mounted = {tree.path: self._trees.trees / tree.digest.hash for tree in shared}
        if size_of(place / "inputs", *mounted.values()) > MOST:
            return False
        mirrored.mkdir(mode=0o755)
        top = mounted.pop("", place / "inputs")
        mirror(top, mirrored / "inputs", mounted, newest_first=self._newest_first)
        mirror(place / "work", mirrored / "work", {}, newest_first=self._newest_first)
        return True

    def _keep_log(self, log: BinaryIO, is_cut: bool) -> Digest:
        if is_cut:
            log.seek(0, os.SEEK_END)
            log.write(f"\n(mlbuild: the rest is left out: more than {LOG_LIMIT >> 20} MiB were written)\n".encode())
            log.flush()
        log.seek(0)
        return self._store.put_stream(log)


def _with_starter(place: Path, own: str, layout: Layout, command: list[str]) -> tuple[Layout, list[str]]:
    """The same sandbox, started by a program that holds the command line and the environment."""
    program, *rest = command
    path = program if "/" in program else f"./{program}"
    environment = tuple({**layout.environment, "PWD": layout.around.work}.items())
    file = place / "starter"
    file.write_bytes(starter(platform.machine(), [path, *rest], environment))
    file.chmod(0o555)
    read_only = (*layout.read_only, (f"{own}/starter", STARTER))
    return replace(layout, read_only=read_only, environment={}), [STARTER]


def _judge(bounded: Bounded, spawn: Spawn, limits: Limits, said: str) -> tuple[int, str | None]:
    """The exit code, and in words why the spawn failed if the code does not say it."""
    outcome = bounded.outcome
    if bounded.failure:
        return outcome.exit_code or _KILLED, bounded.failure
    if outcome.reason == "timeout":
        return _KILLED, f"timed out after {spawn.timeout_seconds} s"
    if outcome.reason:
        return _KILLED, "interrupted"
    exit_code = outcome.exit_code
    if exit_code is None:
        *_, last = said.strip().splitlines() or ["bubblewrap ended without a word"]
        if "execvp" in last:
            why = last.rpartition(": ")[2]
            return _CANNOT_START, f"cannot start `{spawn.arguments[0]}`: {why}"
        if outcome.status < 0:
            return _KILLED, f"the sandbox was killed by {signal_name(-outcome.status)}"
        return 1, f"the sandbox could not be set up: {last}"
    if 128 < exit_code <= 128 + 64:
        name = signal_name(exit_code - 128)
        if name == "SIGKILL":
            return exit_code, "killed by SIGKILL: perhaps the machine ran out of memory"
        if name == "SIGXFSZ":
            return exit_code, f"killed by SIGXFSZ: it wrote a file bigger than {EACH_PROCESS['RLIMIT_FSIZE'] >> 30} GiB"
        return exit_code, f"killed by {name}"
    if exit_code and _NO_SPACE in said:
        sizes = f"`/tmp` holds {limits.tmp_bytes // MIB} MiB and `/dev/shm` {limits.shared_memory_bytes // MIB} MiB"
        return exit_code, f"exit code {exit_code}, and it told of a full disk: {sizes} of its memory"
    return exit_code, None


def _end(log: BinaryIO) -> str:
    size = log.seek(0, os.SEEK_END)
    log.seek(max(0, size - 4096))
    return log.read().decode("utf-8", "replace")


def _usable(count: int | None, least: int) -> tuple[int, ...]:
    """The numbers of so many processors, though not of fewer than a spawn asks for; nothing for all there are."""
    return () if count is None else tuple(sorted(os.sched_getaffinity(0))[: max(count, least)])
