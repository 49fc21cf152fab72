"""Stops a process, and all that it starts, at each system call that is of interest, and decides what becomes of it.

By seccomp's user notification: the kernel asks whoever holds the listener, and nobody else has to be installed.
"""

from __future__ import annotations

import array
import ctypes
import errno
import os
import platform
import select
import socket
import struct
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fcntl import ioctl

_NUMBERS: Mapping[str, Mapping[str, int]] = {
    "x86_64": {
        "read": 0, "write": 1, "pwrite64": 18, "mmap": 9, "ftruncate": 77, "truncate": 76, "rename": 82, "mkdir": 83,
        "rmdir": 84, "link": 86, "unlink": 87, "symlink": 88, "chmod": 90, "fchmod": 91, "fsync": 74, "fdatasync": 75,
        "flock": 73, "getdents64": 217, "openat": 257, "open": 2, "mkdirat": 258, "fchownat": 260, "chown": 92,
        "unlinkat": 263, "renameat": 264, "linkat": 265, "symlinkat": 266, "fchmodat": 268, "utimensat": 280,
        "pipe2": 293, "syncfs": 306, "renameat2": 316, "copy_file_range": 326, "sendfile": 40, "clone": 56,
        "fork": 57, "vfork": 58, "clone3": 435, "socketpair": 53, "memfd_create": 319, "newfstatat": 262,
        "fstat": 5, "lstat": 6, "stat": 4,
    },
    "aarch64": {
        "read": 63, "write": 64, "pwrite64": 68, "mmap": 222, "ftruncate": 46, "truncate": 45, "fchmod": 52,
        "fsync": 82, "fdatasync": 83, "flock": 32, "getdents64": 61, "openat": 56, "mkdirat": 34, "fchownat": 54,
        "unlinkat": 35, "renameat": 38, "linkat": 37, "symlinkat": 36, "fchmodat": 53, "utimensat": 88, "pipe2": 59,
        "syncfs": 267, "renameat2": 276, "copy_file_range": 285, "sendfile": 71, "clone": 220, "clone3": 435,
        "socketpair": 199, "memfd_create": 279, "newfstatat": 79, "fstat": 80,
    },
}  # fmt: skip
_AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

_SECCOMP = {"x86_64": 317, "aarch64": 277}
_SET_MODE_FILTER, _NEW_LISTENER = 1, 8
_PR_SET_NO_NEW_PRIVS = 38
_ALLOW, _USER_NOTIF = 0x7FFF0000, 0x7FC00000
_RECEIVE, _SEND = 0xC0502100, 0xC0182101
_CONTINUE = 1
_NOTIFICATION = struct.Struct("<QIIiIQ6Q")
_ANSWER = struct.Struct("<QqiI")

KILL = -1
"""A decision: the command is killed before the call is done. Others are 0 (go on) and an errno to fail with."""


@dataclass(frozen=True, slots=True)
class Call:
    """A system call that is about to be made. `is_own` says whether by the command itself, not by what it started."""

    name: str
    arguments: tuple[int, ...]
    is_own: bool

    @property
    def writes(self) -> bool:
        """Whether it can change a disk."""
        if self.name in ("openat", "open"):
            flags = self.arguments[2 if self.name == "openat" else 1]
            return bool(flags & (os.O_CREAT | os.O_TRUNC))
        if self.name == "write":
            return self.arguments[0] > 2
        return self.name in MUTATING


MUTATING = frozenset({
    "write", "pwrite64", "ftruncate", "truncate", "rename", "mkdir", "rmdir", "link", "unlink", "symlink", "chmod",
    "fchmod", "fsync", "fdatasync", "openat", "open", "mkdirat", "unlinkat", "renameat", "linkat", "symlinkat",
    "fchmodat", "utimensat", "syncfs", "renameat2", "copy_file_range", "sendfile", "chown", "fchownat",
})  # fmt: skip
"""Calls by which a build changes a disk."""


def lacking() -> str | None:
    """Why nothing can be intercepted here, if so."""
    if platform.machine() not in _NUMBERS:
        return f"the system calls of {platform.machine()} are not known"
    ours, theirs = socket.socketpair()
    with ours, theirs:
        pid = os.fork()
        if pid == 0:
            try:
                Interception(("mkdir", "mkdirat")).install(theirs)
            finally:
                os._exit(0)
        os.waitpid(pid, 0)
        theirs.close()
        said = ours.recv(1)
    return None if said == b"+" else "the kernel does not let this process intercept system calls (seccomp)"


class Interception:
    """Of the calls with these names, as far as this machine has them."""

    def __init__(self, names: Iterable[str]) -> None:
        known = _NUMBERS.get(platform.machine(), {})
        self._names = {known[name]: name for name in names if name in known}
        self._ours, self._theirs = socket.socketpair()

    def install(self, end: socket.socket | None = None) -> None:
        """In the process that is to be stopped, before anything else; hands the listener to who holds the other end."""
        sending = end or self._theirs
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        program = self._program()
        code = ctypes.create_string_buffer(program, len(program))

        class Filter(ctypes.Structure):
            _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_void_p))

        whole = Filter(len(program) // 8, ctypes.addressof(code))
        number = _SECCOMP[platform.machine()]
        listener = libc.syscall(number, _SET_MODE_FILTER, _NEW_LISTENER, ctypes.byref(whole))
        if listener < 0:
            sending.send(b"-")
        else:
            sending.sendmsg([b"+"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [listener]))])
            os.close(listener)
        if end is None:
            self._theirs.close()

    def watch(self, pid: int, decide: Callable[[Call], int], kill: Callable[[], None], seconds: float) -> bool:
        """Answers until nobody is left who could ask; whether that came to pass in time. Raises OSError."""
        self._theirs.close()
        with self._ours:
            said, descriptors, _, _ = socket.recv_fds(self._ours, 1, 1)
        if said != b"+":
            raise OSError(errno.EPERM, "nothing can be intercepted here")
        (listener,) = descriptors
        try:
            poll = select.poll()
            poll.register(listener, select.POLLIN)
            deadline = time.monotonic() + seconds
            while (left := deadline - time.monotonic()) > 0:
                for _, event in poll.poll(left * 1000):
                    if event & select.POLLIN:
                        self._answer(listener, pid, decide, kill)
                    elif event & select.POLLHUP:
                        return True
            return False
        finally:
            os.close(listener)

    def _answer(self, listener: int, pid: int, decide: Callable[[Call], int], kill: Callable[[], None]) -> None:
        asked = bytearray(_NOTIFICATION.size)
        try:
            ioctl(listener, _RECEIVE, asked)
        except OSError:
            return  # who asked has died meanwhile
        identity, thread, _, number, _, _, *arguments = _NOTIFICATION.unpack(asked)
        call = Call(
            self._names.get(number, str(number)), tuple(arguments), os.path.exists(f"/proc/{pid}/task/{thread}")
        )
        decision = decide(call)
        if decision == KILL:
            kill()
            decision = 0
        answer = _ANSWER.pack(identity, 0, -decision, 0 if decision else _CONTINUE)
        try:
            ioctl(listener, _SEND, answer)
        except OSError:
            return  # who asked has died meanwhile

    def _program(self) -> bytes:
        """Loads the architecture and the number; the listed ones are asked about."""
        load, equal, give = 0x20, 0x15, 0x06
        code = [_instruction(load, 0, 0, 4), _instruction(equal, 1, 0, _AUDIT[platform.machine()])]
        code += [_instruction(give, 0, 0, _ALLOW), _instruction(load, 0, 0, 0)]
        for number in sorted(self._names):
            code += [_instruction(equal, 0, 1, number), _instruction(give, 0, 0, _USER_NOTIF)]
        return b"".join([*code, _instruction(give, 0, 0, _ALLOW)])


def _instruction(code: int, if_true: int, if_false: int, value: int) -> bytes:
    return struct.pack("<HBBI", code, if_true, if_false, value)
