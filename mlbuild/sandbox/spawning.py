"""The tool's end of the spawner: starts it, asks it for sandboxes from any thread, ends it."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from mlbuild.records import record
from mlbuild.sandbox.watching import INTERVAL

UNPRIVILEGED = 65534
"""Who sandboxes run as when the tool is run by root: `nobody`, mapped in every user namespace of ordinary size."""


_CANNOT_ENTER = 124
"""The spawner's word for a control group that lets nobody in."""


class SpawnerError(Exception):
    """The spawner could not be started, or died; the message says why in words."""


@record
class SandboxRequest:
    """One bubblewrap to run: its arguments (paths as the spawner shows them) and its bounds."""

    arguments: Sequence[str]
    timeout_seconds: float
    limits: Mapping[str, int]
    log_limit: int
    entrances: Sequence[int] = ()
    """Descriptors of the control groups that it is to run in."""
    umask: int = 0o022
    processors: Sequence[int] = ()
    """Those that it may use; nothing: all."""
    has_fixed_addresses: bool = False
    """Whether its memory lies at the same addresses each time."""


@record
class SandboxOutcome:
    """How it ended. `report` is bubblewrap's own account.

    `reason` is `timeout`, `interrupted`, what `watch` said, or empty.
    """

    status: int
    reason: str
    report: str
    seconds: float
    is_log_cut: tuple[bool, bool]

    @property
    def is_kept_out(self) -> bool:
        """Whether it could not enter its control groups, and so was not run."""
        return self.status == _CANNOT_ENTER

    @property
    def exit_code(self) -> int | None:
        """The command's, or nothing if bubblewrap never came to start it."""
        for told in self._told():
            if "exit-code" in told:
                return int(told["exit-code"])
        return None

    @property
    def namespaces(self) -> Mapping[str, int]:
        """The numbers of its own namespaces, by kind: `net`, `pid` and others."""
        found: dict[str, int] = {}
        for told in self._told():
            for name, value in told.items():
                kind, _, word = name.partition("-")
                if word == "namespace":
                    found[kind] = int(value)
        return found

    def _told(self) -> Iterator[dict[str, int]]:
        """bubblewrap writes a line piece by piece: one that was killed meanwhile leaves a line without its end."""
        for line in self.report.splitlines(keepends=True):
            if line.endswith("\n"):
                yield json.loads(line)


class Spawner:
    """A spawner process, started when it is first needed."""

    def __init__(self, bwrap: Path, libraries: Path | None, filter_program: bytes, shared: Mapping[str, Path]) -> None:
        self._setup = {
            "uid": UNPRIVILEGED,
            "gid": UNPRIVILEGED,
            "bwrap": str(bwrap),
            "libraries": str(libraries) if libraries else "",
            "shared": {name: str(path) for name, path in shared.items()},
        }
        self._filter = filter_program
        self._lock = threading.Lock()
        self._channel: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._paths: dict[str, str] = {}
        self.user = os.getuid()
        """Who sandboxes run as, known when it has been started."""
        self._last_identity = 0
        self._is_closed = False

    def path(self, name: str) -> str:
        """Where sandboxes find the shared folder `name`. Raises SpawnerError."""
        with self._lock:
            if not self._paths:
                self._start()
            return self._paths[name]

    def run(
        self, request: SandboxRequest, stdout: int, stderr: int, watch: Callable[[int], str] | None = None
    ) -> SandboxOutcome:
        """Runs it to its end; when this returns, every process of it is dead. Raises SpawnerError.

        `watch` is asked now and then, with the number of its first process, why to end it: nothing means not to.
        """
        written = _in_memory(
            json.dumps(
                {
                    "arguments": list(request.arguments),
                    "timeout": request.timeout_seconds,
                    "limits": dict(request.limits),
                    "log_limit": request.log_limit,
                    "umask": request.umask,
                    "processors": list(request.processors),
                    "has_fixed_addresses": request.has_fixed_addresses,
                }
            ).encode("utf-8", "surrogateescape")
        )
        reply, reply_end = os.pipe2(os.O_CLOEXEC)
        try:
            try:
                with self._lock:
                    if self._is_closed:
                        raise SpawnerError("the build was interrupted")
                    channel = self._start()
                    self._last_identity += 1
                    identity = self._last_identity
                    message = json.dumps({"spawn": identity}).encode()
                    try:
                        socket.send_fds(channel, [message], [written, reply_end, stdout, stderr, *request.entrances])
                    except OSError as error:
                        raise SpawnerError(f"the sandbox's helper process has ended: {error.strerror}") from None
            finally:
                os.close(reply_end)
                os.close(written)
            try:
                told = self._await(reply, identity, watch)
            except BaseException:
                self._send({"kill": identity, "reason": "interrupted"})
                raise
        finally:
            os.close(reply)
        _, _, told = told.partition(b"\n")
        if not told:
            raise SpawnerError("the sandbox's helper process has ended")
        fields = json.loads(told)
        first, second = fields["cut"]
        return SandboxOutcome(
            fields["status"], fields["reason"], fields["report"], fields["seconds"], (bool(first), bool(second))
        )

    def _await(self, reply: int, identity: int, watch: Callable[[int], str] | None) -> bytes:
        """All that is replied: a line with the process's number, and at the end its fate."""
        ready = select.poll()
        ready.register(reply, select.POLLIN)
        told = b""
        pid = 0
        while True:
            if watch is not None and not ready.poll(int(INTERVAL * 1000)):
                if pid and (reason := watch(pid)):
                    self._send({"kill": identity, "reason": reason})
                    watch = None
                continue
            chunk = os.read(reply, 1 << 16)
            if not chunk:
                return told
            told += chunk
            if not pid and b"\n" in told:
                pid = int(told.partition(b"\n")[0])

    def kill_all(self) -> None:
        """Ends every sandbox that runs now; each `run` returns with reason `interrupted`, and later ones raise."""
        with self._lock:
            self._is_closed = True
        self._send({"kill": None})

    def close(self) -> None:
        """Ends the process and all that it started."""
        with self._lock:
            self._is_closed = True
            channel, process = self._channel, self._process
            self._channel = self._process = None
        if channel:
            channel.close()
        if process:
            process.wait()

    def _send(self, message: Mapping[str, int | str | None]) -> None:
        with self._lock:
            if self._channel:
                try:
                    self._channel.send(json.dumps(message).encode())
                except OSError:
                    return  # It has ended, and what it started with it.

    def _start(self) -> socket.socket:
        if self._channel:
            return self._channel
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        program = str(Path(__file__).with_name("spawner.py"))
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", program, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                env={},
                cwd="/",
            )
        written = _in_memory(self._filter)
        try:
            socket.send_fds(ours, [json.dumps(self._setup).encode()], [written])
            answer = ours.recv(1 << 16)
        except OSError:
            answer = b""
        finally:
            os.close(written)
        told = json.loads(answer or b'{"error": "it ended at once"}')
        if "error" in told:
            ours.close()
            process.wait()
            raise SpawnerError(f"the sandbox's helper process cannot start: {told['error']}")
        self._paths, self.user = told["shared"], told["user"]
        self._channel, self._process = ours, process
        return ours


def _in_memory(data: bytes) -> int:
    """A descriptor from which `data` can be read once."""
    fd = os.memfd_create("mlbuild", os.MFD_CLOEXEC)
    with os.fdopen(fd, "wb", closefd=False) as target:
        target.write(data)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd
