"""Tries every door of a sandbox and prints what happened as JSON: by probe, `ok` or the name of the error.

Run inside by the tests; and outside, by root in namespaces of its own, to see that each probe succeeds where nothing forbids it.
The first argument is a JSON object of what the tests know: numbers of system calls, places of the host.
"""

import ctypes
import errno
import fcntl
import json
import mmap
import os
import resource
import signal
import socket
import sys
import termios
from collections.abc import Callable

FACTS = json.loads(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)
NEW = {"mount": 0x20000, "cgroup": 0x2000000, "uts": 0x4000000, "ipc": 0x8000000, "user": 0x10000000, "pid": 0x20000000,
       "net": 0x40000000, "time": 0x80}  # fmt: skip
PTRACE_TRACEME, PTRACE_SEIZE = 0, 0x4206
PERF = ctypes.create_string_buffer(b"\x01\0\0\0\x80\0\0\0", 128)
SPACE = ctypes.create_string_buffer(4096)


def call(name: str, *arguments: object) -> None:
    checked(libc.syscall(FACTS["numbers"][name], *arguments))


def checked(result: int) -> None:
    if result < 0:
        raise OSError(ctypes.get_errno(), "")


def refused(code: int) -> None:
    raise OSError(code, "")


def push_into_terminal(request: int) -> None:
    _, end = os.openpty()
    fcntl.ioctl(end, request, b"x")


def connect(family: int, address: object) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as client:
        client.settimeout(2)
        client.connect(address)  # type: ignore[arg-type]


def no_socket(family: int, kind: int = socket.SOCK_RAW, protocol: int = 0) -> Callable[[], None]:
    return lambda: socket.socket(family, kind, protocol).close()


def opened(path: str, flags: int = os.O_RDONLY) -> Callable[[], None]:
    return lambda: os.close(os.open(path, flags))


def made(path: str) -> Callable[[], None]:
    def make() -> None:
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
        os.unlink(path)

    return make


def listed(path: str) -> Callable[[], object]:
    return lambda: os.listdir(path)


def told(name: str) -> None:
    """Of a file of `/proc`: whether it says more than every sandbox says."""
    with open(f"/proc/{name}", "rb") as file:  # noqa: PTH123
        if file.read() == FACTS["masks"][name].encode():
            refused(errno.ENODATA)


def any_disk() -> None:
    if not any(os.lstat(f"/dev/{name}").st_mode & 0o170000 == 0o060000 for name in os.listdir("/dev")):
        refused(errno.ENOENT)


def call_of_another_architecture() -> None:
    """getpid of 32-bit x86, by machine code: `mov eax, 20; int 0x80; ret`."""
    if os.uname().machine != "x86_64":
        refused(errno.ENOSYS)
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(b"\xb8\x14\0\0\0\xcd\x80\xc3")
    if ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))() < 0:
        refused(errno.ENOSYS)


def seize() -> None:
    call("ptrace", PTRACE_SEIZE, FACTS["pid"], 0, 0)
    os._exit(0)  # its end lets go


def core_dumps() -> None:
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (1 << 20, 1 << 20))
    except ValueError:
        refused(errno.EPERM)


def open_files() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most + 1, most + 1))
    except ValueError:
        refused(errno.EPERM)


def node(mode: int, device: int) -> None:
    os.mknod("/tmp/node-of-a-probe", mode, device)
    os.unlink("/tmp/node-of-a-probe")


def another_s_file() -> None:
    file = os.memfd_create("file")
    os.fchown(file, 0, 0)


def powers() -> None:
    with open("/proc/self/status") as file:  # noqa: PTH123
        if not int(dict(line.split(":\t", 1) for line in file if ":\t" in line)["CapBnd"], 16):
            refused(errno.EPERM)


PROBES: dict[str, Callable[[], object]] = {
    # Sockets
    "vsock": no_socket(40, socket.SOCK_STREAM),
    "packet": no_socket(17),
    "alg": no_socket(38, socket.SOCK_SEQPACKET),
    "xdp": no_socket(44),
    "netlink-kobject": no_socket(16, protocol=15),
    "netlink-audit": no_socket(16, protocol=9),
    "netlink-sock-diag": no_socket(16, protocol=4),
    "netlink-generic": no_socket(16, protocol=16),
    "netlink-netfilter": no_socket(16, protocol=12),
    "raw-icmp": no_socket(2, protocol=1),
    "raw-icmp6": no_socket(10, protocol=58),
    "netlink-route": no_socket(16),
    "unix-socket": no_socket(1, socket.SOCK_STREAM),
    "inet-socket": no_socket(2, socket.SOCK_STREAM),
    "udp-out": lambda: socket.socket(2, socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 53)),
    "host-loopback": lambda: connect(socket.AF_INET, tuple(FACTS["loopback"])),
    "host-abstract-socket": lambda: connect(socket.AF_UNIX, FACTS["abstract"]),
    "host-path-socket": lambda: connect(socket.AF_UNIX, FACTS["path-socket"]),
    # Namespaces and mounts
    **{f"unshare-{name}": (lambda flag=flag: checked(libc.unshare(flag))) for name, flag in NEW.items()},  # type: ignore[misc]
    "unshare-user-mount": lambda: checked(libc.unshare(NEW["user"] | NEW["mount"])),
    "clone-user": lambda: call("clone", NEW["user"] | signal.SIGCHLD, 0, 0, 0, 0) or os._exit(0),
    "setns": lambda: call("setns", os.open("/proc/self/ns/uts", os.O_RDONLY), 0),
    "clone3": lambda: call("clone3", None, 0),
    "mount": lambda: checked(libc.mount(b"t", b"/tmp", b"tmpfs", 0, None)),
    "mount-bind": lambda: checked(libc.mount(b"/tmp", FACTS["folder"].encode(), None, 4096, None)),
    "remount": lambda: checked(libc.mount(None, b"/proc", None, 32 | 4096, None)),
    "umount": lambda: checked(libc.umount2(b"/proc", 2)),
    "pivot_root": lambda: call("pivot_root", b"/", b"/"),
    "open_tree": lambda: call("open_tree", -100, b"/", 1),
    "move_mount": lambda: call("move_mount", -1, b"", -1, b"", 4),
    "fsopen": lambda: call("fsopen", b"tmpfs", 0),
    "fsmount": lambda: call("fsmount", -1, 0, 0),
    "fspick": lambda: call("fspick", -100, b"/", 0),
    "mount_setattr": lambda: call("mount_setattr", -100, b"/", 0, None, 0),
    "statmount": lambda: call("statmount", None, None, 0, 0),
    "chroot": lambda: os.chroot("/tmp"),
    # Other processes and keys
    "keyctl": lambda: call("keyctl", 0, -3, 1),
    "add_key": lambda: call("add_key", b"user", b"probe", b"x", 1, -2),
    "request_key": lambda: call("request_key", b"user", b"no such key", None, 0),
    "ptrace": lambda: call("ptrace", PTRACE_TRACEME, 0, 0, 0),
    "ptrace-host": seize,
    "signal-host": lambda: os.kill(FACTS["pid"], 0),
    "pidfd-host": lambda: os.close(os.pidfd_open(FACTS["pid"])),
    "process_vm_readv": lambda: call("process_vm_readv", os.getpid(), None, 0, None, 0, 0),
    "process_vm_writev": lambda: call("process_vm_writev", os.getpid(), None, 0, None, 0, 0),
    "process_madvise": lambda: call("process_madvise", -1, None, 0, 0, 0),
    "pidfd_getfd": lambda: call("pidfd_getfd", -1, 0, 0),
    "kcmp": lambda: call("kcmp", os.getpid(), os.getpid(), 1, 0, 0),
    "migrate_pages": lambda: call("migrate_pages", 0, 0, None, None),
    "move_pages": lambda: call("move_pages", 0, 0, None, None, None, 0),
    # The kernel
    "bpf": lambda: call("bpf", 0, None, 0),
    "perf_event_open": lambda: call("perf_event_open", PERF, 0, -1, -1, 0),
    "userfaultfd": lambda: call("userfaultfd", 1),
    "io_uring": lambda: call("io_uring_setup", 4, SPACE),
    "io_uring_enter": lambda: call("io_uring_enter", -1, 0, 0, 0, None, 0),
    "io_uring_register": lambda: call("io_uring_register", -1, 0, None, 0),
    "name_to_handle_at": lambda: call("name_to_handle_at", -100, b"/", None, None, 0),
    "open_by_handle_at": lambda: call("open_by_handle_at", -100, None, 0),
    "fanotify_init": lambda: call("fanotify_init", 0, 0),
    "kexec_load": lambda: call("kexec_load", 0, 0, None, 0xFF),
    "kexec_file_load": lambda: call("kexec_file_load", -1, -1, 0, None, 0xFF),
    "init_module": lambda: call("init_module", None, 0, b""),
    "finit_module": lambda: call("finit_module", -1, b"", 0),
    "delete_module": lambda: call("delete_module", b"no_such_module", 0),
    "quotactl": lambda: call("quotactl", 0, None, 0, None),
    "swapon": lambda: call("swapon", b"/nowhere", 0),
    "swapoff": lambda: call("swapoff", b"/nowhere"),
    "acct": lambda: call("acct", b"/nowhere"),
    "reboot": lambda: call("reboot", 0, 0, 0, None),
    "syslog": lambda: call("syslog", 3, SPACE, 4096),
    "memfd_secret": lambda: call("memfd_secret", 0),
    "ia32-call": call_of_another_architecture,
    "personality-no-random": lambda: checked(libc.personality(0x0040000)),
    "personality-ask": lambda: checked(libc.personality(0xFFFFFFFF) & 0xFFFF),
    # The machine
    "clock_settime": lambda: call("clock_settime", 0, None),
    "settimeofday": lambda: call("settimeofday", None, None),
    "adjtimex": lambda: call("adjtimex", None),
    "clock_adjtime": lambda: call("clock_adjtime", 0, None),
    "sethostname": lambda: socket.sethostname("other"),
    "setdomainname": lambda: checked(libc.setdomainname(b"other", 5)),
    "iopl": lambda: call("iopl", 0),
    "ioperm": lambda: call("ioperm", 0, 1, 0),
    "modify_ldt": lambda: call("modify_ldt", 0, SPACE, 16),
    "realtime": lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)),
    "negative-nice": lambda: os.setpriority(os.PRIO_PROCESS, 0, -5),
    "spared-by-oom": lambda: write("/proc/self/oom_score_adj", b"-1000"),
    "core-dumps": core_dumps,
    "open-files": open_files,
    # Terminals and users
    "push-into-terminal": lambda: push_into_terminal(termios.TIOCSTI),
    "console-ioctl": lambda: push_into_terminal(0x541C),
    "controlling-terminal": opened("/dev/tty", os.O_RDWR),
    "setuid-0": lambda: os.setuid(0),
    "setgid-0": lambda: os.setgid(0),
    "setgroups": lambda: os.setgroups([0]),
    "powers": powers,
    "another-s-file": another_s_file,
    "mknod": lambda: node(0o20600, os.makedev(1, 1)),
    "mknod-disk": lambda: node(0o60600, os.makedev(254, 0)),
    # Files
    "read-shadow": opened("/etc/shadow"),
    "read-hostname": opened("/etc/hostname"),
    "list-root-home": listed("/root"),
    "list-home": listed("/home"),
    "list-usr": listed("/usr"),
    "list-var": listed("/var"),
    "list-run": listed("/run"),
    "list-sys": listed("/sys"),
    "read-store": lambda: os.listdir(FACTS["folder"]),
    "write-store": lambda: os.close(os.open(FACTS["file"], os.O_WRONLY)),
    "write-input": lambda: os.close(os.open(FACTS["input"], os.O_WRONLY)),
    "chmod-input": lambda: os.chmod(FACTS["input"], 0o666),
    "unlink-input": lambda: (os.unlink(FACTS["input"]), os.mknod(FACTS["input"])),
    "rename-input": lambda: os.rename(FACTS["input"], FACTS["input"] + "2"),
    "write-root": made("/new-file-of-a-probe"),
    "write-dev": made("/dev/new-file-of-a-probe"),
    "disks": any_disk,
    "kernel-log": opened("/dev/kmsg"),
    "write-core-pattern": opened("/proc/sys/kernel/core_pattern", os.O_WRONLY),
    "write-host-name": opened("/proc/sys/kernel/hostname", os.O_WRONLY),
    "write-sysrq": opened("/proc/sysrq-trigger", os.O_WRONLY),
    "read-kcore": opened("/proc/kcore"),
    "write-tmp": made("/tmp/new-file-of-a-probe"),
    "write-shm": made("/dev/shm/new-file-of-a-probe"),
    **{f"told-{name.rpartition('/')[2].replace('_', '-')}": (lambda name=name: told(name)) for name in FACTS["masks"]},  # type: ignore[misc]
}


def write(path: str, data: bytes) -> None:
    fd = os.open(path, os.O_WRONLY)
    try:
        os.write(fd, data)
    finally:
        os.close(fd)


def answer(probe: Callable[[], object]) -> str:
    """What a process that tries it is answered: whatever it changes of itself ends with it."""
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(20)
        try:
            if FACTS.get("is-outside"):
                apart()
            probe()
            found = "ok"
        except OSError as error:
            found = errno.errorcode.get(error.errno or 0, type(error).__name__)
        except BaseException as error:
            found = type(error).__name__
        os.write(writing, found.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as file:
        said = file.read()
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return signal.Signals(-code).name if code < 0 else said or "ok"


def look_around() -> dict[str, object]:
    found: dict[str, object] = {}
    status = dict(line.split(":\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\t" in line)  # noqa: PTH123, SIM115
    found["status"] = {
        name: status[name] for name in ("CapBnd", "CapEff", "NoNewPrivs", "Seccomp", "Groups") if name in status
    }
    found["pids"] = sum(name.isdigit() for name in os.listdir("/proc"))
    found["environ-1"] = open("/proc/1/environ").read()  # noqa: PTH123, SIM115
    found["proc"] = {name: open(f"/proc/{name}").read() for name in FACTS["masks"]}  # noqa: PTH123, SIM115
    found["hostname"] = socket.gethostname()
    found["user"] = [os.getuid(), os.getgid()]
    found["root"] = sorted(os.listdir("/"))
    found["dev"] = sorted(os.listdir("/dev"))
    found["etc"] = sorted(os.listdir("/etc"))
    found["home"] = os.listdir(os.environ.get("HOME", "/nowhere")) if os.path.isdir(os.environ.get("HOME", "")) else []
    found["interfaces"] = [name for _, name in socket.if_nameindex()]
    found["umask"] = os.umask(0)
    return found


def apart() -> None:
    """Namespaces and a terminal of its own, in which root may try what would change the machine."""
    checked(libc.unshare(NEW["mount"] | NEW["uts"] | NEW["ipc"]))
    checked(libc.mount(None, b"/", None, 0x40000 | 0x4000, None))  # private, recursively
    os.setsid()
    fcntl.ioctl(os.openpty()[1], termios.TIOCSCTTY)


def main() -> None:
    found: dict[str, object] = {"fds": sorted(int(fd) for fd in os.listdir("/proc/self/fd"))[:-1]}
    found |= {name: answer(probe) for name, probe in PROBES.items()}
    json.dump(found if FACTS.get("is-outside") else found | look_around(), sys.stdout)


main()
