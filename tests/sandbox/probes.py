"""Tries every door of a sandbox and prints what happened as JSON: by probe, `ok` or the name of the error.

Run inside by the tests, and outside by those that check that a probe would succeed without the sandbox.
"""

import ctypes
import errno
import fcntl
import json
import os
import socket
import sys
import termios
from collections.abc import Callable

libc = ctypes.CDLL(None, use_errno=True)
machine = os.uname().machine
NUMBERS = {
    "x86_64": {"keyctl": 250, "add_key": 248, "bpf": 321, "perf_event_open": 298, "userfaultfd": 323, "setns": 308,
               "open_by_handle_at": 304, "kexec_load": 246, "process_vm_readv": 310, "clock_settime": 227, "acct": 163,
               "swapon": 167, "init_module": 175, "quotactl": 179, "pivot_root": 155},
    "aarch64": {"keyctl": 219, "add_key": 217, "bpf": 280, "perf_event_open": 241, "userfaultfd": 282, "setns": 268,
                "open_by_handle_at": 265, "kexec_load": 104, "process_vm_readv": 270, "clock_settime": 112, "acct": 89,
                "swapon": 224, "init_module": 105, "quotactl": 60, "pivot_root": 41},
}[machine]  # fmt: skip
NUMBERS |= {"io_uring_setup": 425, "open_tree": 428, "fsopen": 430, "clone3": 435, "mount_setattr": 442}
CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWTIME = 0x20000, 0x10000000, 0x80


def call(name: str, *arguments: object) -> None:
    checked(libc.syscall(NUMBERS[name], *arguments))


def checked(result: int) -> None:
    if result < 0:
        raise OSError(ctypes.get_errno(), "")


def in_child(action: Callable[[], None]) -> None:
    """For what would change the process that tries it."""
    pid = os.fork()
    if not pid:
        try:
            action()
        except OSError as error:
            os._exit(error.errno)
        os._exit(0)
    if code := os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]):
        raise OSError(code, "")


def uring() -> None:
    parameters = ctypes.create_string_buffer(120)
    call("io_uring_setup", 4, parameters)


def push_into_terminal() -> None:
    _, end = os.openpty()
    fcntl.ioctl(end, termios.TIOCSTI, b"x")


def connect(family: int, address: object) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as client:
        client.settimeout(2)
        client.connect(address)  # type: ignore[arg-type]


def write(path: str, data: bytes) -> None:
    fd = os.open(path, os.O_WRONLY)
    try:
        os.write(fd, data)
    finally:
        os.close(fd)


PERF = ctypes.create_string_buffer(b"\x01\0\0\0\x80\0\0\0", 128)
PROBES: dict[str, Callable[[], object]] = {
    "vsock": lambda: socket.socket(40, socket.SOCK_STREAM).close(),
    "packet": lambda: socket.socket(17, socket.SOCK_RAW).close(),
    "alg": lambda: socket.socket(38, socket.SOCK_SEQPACKET).close(),
    "netlink-kobject": lambda: socket.socket(16, socket.SOCK_RAW, 15).close(),
    "netlink-route": lambda: socket.socket(16, socket.SOCK_RAW, 0).close(),
    "unix-socket": lambda: socket.socket(1, socket.SOCK_STREAM).close(),
    "inet-socket": lambda: socket.socket(2, socket.SOCK_STREAM).close(),
    "udp-out": lambda: socket.socket(2, socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 53)),
    "unshare-user": lambda: in_child(lambda: checked(libc.unshare(CLONE_NEWUSER))),
    "unshare-user-mount": lambda: in_child(lambda: checked(libc.unshare(CLONE_NEWUSER | CLONE_NEWNS))),
    "setns": lambda: call("setns", os.open("/proc/self/ns/uts", os.O_RDONLY), 0),
    "clone3": lambda: call("clone3", None, 0),
    "mount": lambda: in_child(lambda: checked(libc.mount(b"t", b"/tmp", b"tmpfs", 0, None))),
    "remount": lambda: in_child(lambda: checked(libc.mount(None, b"/inputs", None, 32 | 4096, None))),
    "umount": lambda: in_child(lambda: checked(libc.umount2(b"/inputs", 2))),
    "pivot_root": lambda: call("pivot_root", b"/", b"/"),
    "open_tree": lambda: call("open_tree", -100, b"/", 1),
    "fsopen": lambda: call("fsopen", b"tmpfs", 0),
    "mount_setattr": lambda: call("mount_setattr", -100, b"/", 0, None, 0),
    "chroot": lambda: in_child(lambda: os.chroot("/tmp")),
    "keyctl": lambda: call("keyctl", 0, -3, 1),
    "add_key": lambda: call("add_key", b"user", b"probe", b"x", 1, -2),
    "ptrace": lambda: in_child(lambda: checked(libc.ptrace(0, 0, 0, 0))),
    "process_vm_readv": lambda: call("process_vm_readv", os.getpid(), None, 0, None, 0, 0),
    "bpf": lambda: call("bpf", 0, None, 0),
    "perf_event_open": lambda: call("perf_event_open", PERF, 0, -1, -1, 0),
    "userfaultfd": lambda: call("userfaultfd", 1),
    "io_uring": uring,
    "open_by_handle_at": lambda: call("open_by_handle_at", -100, None, 0),
    "kexec_load": lambda: call("kexec_load", 0, 0, None, 0),
    "init_module": lambda: call("init_module", None, 0, b""),
    "quotactl": lambda: call("quotactl", 0, None, 0, None),
    "swapon": lambda: call("swapon", b"/nowhere", 0),
    "acct": lambda: call("acct", b"/nowhere"),
    "clock_settime": lambda: call("clock_settime", 0, None),
    "sethostname": lambda: in_child(lambda: socket.sethostname("other")),
    "personality-no-random": lambda: in_child(lambda: checked(libc.personality(0x0040000))),
    "personality-ask": lambda: checked(libc.personality(0xFFFFFFFF) & 0xFFFF),
    "push-into-terminal": push_into_terminal,
    "controlling-terminal": lambda: os.open("/dev/tty", os.O_RDWR),
    "setuid-0": lambda: in_child(lambda: os.setuid(0)),
    "mknod": lambda: os.mknod("/tmp/node", 0o20600, os.makedev(1, 1)),
    "write-core-pattern": lambda: write("/proc/sys/kernel/core_pattern", b"core"),
    "write-sysrq": lambda: write("/proc/sysrq-trigger", b"?"),
    "read-kcore": lambda: os.open("/proc/kcore", os.O_RDONLY),
    "raise-open-files": lambda: __import__("resource").setrlimit(7, (1 << 19, 1 << 19)),
    "negative-nice": lambda: in_child(lambda: os.setpriority(os.PRIO_PROCESS, 0, -5)),
    "write-root": lambda: os.open("/new", os.O_CREAT | os.O_WRONLY),
    "write-dev": lambda: os.open("/dev/new", os.O_CREAT | os.O_WRONLY),
    "write-etc": lambda: os.open("/etc/passwd", os.O_WRONLY),
    "write-tmp": lambda: os.open("/tmp/new", os.O_CREAT | os.O_WRONLY),
    "write-shm": lambda: os.open("/dev/shm/new", os.O_CREAT | os.O_WRONLY),
}


def main(listeners: dict[str, object], chosen: list[str]) -> None:
    """Tries all probes, or the chosen ones alone."""
    found: dict[str, object] = {"fds": sorted(int(fd) for fd in os.listdir("/proc/self/fd"))[:-1]}
    for name in chosen or PROBES:
        try:
            PROBES[name]()
            found[name] = "ok"
        except OSError as error:
            found[name] = errno.errorcode.get(error.errno or 0, type(error).__name__)
        except ValueError as error:
            found[name] = f"ValueError: {error}"
    for name, address in listeners.items():
        try:
            if isinstance(address, list):
                connect(socket.AF_INET, tuple(address))
            else:
                connect(socket.AF_UNIX, address)
            found[name] = "ok"
        except OSError as error:
            found[name] = errno.errorcode.get(error.errno or 0, type(error).__name__)
    json.dump(found if chosen else found | look_around(), sys.stdout)


def look_around() -> dict[str, object]:
    found: dict[str, object] = {}
    status = dict(line.split(":\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\t" in line)  # noqa: PTH123, SIM115
    found["status"] = {
        name: status[name] for name in ("CapBnd", "CapEff", "NoNewPrivs", "Seccomp", "Groups") if name in status
    }
    found["pids"] = sum(name.isdigit() for name in os.listdir("/proc"))
    found["environ-1"] = open("/proc/1/environ").read()  # noqa: PTH123, SIM115
    found["boot"] = open("/proc/sys/kernel/random/boot_id").read()  # noqa: PTH123, SIM115
    found["hostname"] = socket.gethostname()
    found["user"] = [os.getuid(), os.getgid()]
    found["root"] = sorted(os.listdir("/"))
    found["dev"] = sorted(os.listdir("/dev"))
    found["etc"] = sorted(os.listdir("/etc"))
    found["home"] = os.listdir(os.environ.get("HOME", "/nowhere")) if os.path.isdir(os.environ.get("HOME", "")) else []
    found["interfaces"] = [name for _, name in socket.if_nameindex()]
    found["umask"] = os.umask(0)
    return found


main(json.loads(sys.argv[1]), sys.argv[2:])
