"""The system calls that an action may not make, as a classic BPF program for the kernel's seccomp filter.

Namespaces and file permissions are the walls of the sandbox; this is the second wall, in front of kernel interfaces
that no build step needs and that walls have been breached through. A forbidden call fails with EPERM, as it would
for lack of privilege, so that programs that probe for a feature go on without it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping

from mlbuild.records import record

# struct seccomp_data { int nr; __u32 arch; __u64 instruction_pointer; __u64 args[6]; }, little endian.
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16

# The instructions that are used: load a word, compare and jump, and with a mask, return.
_LOAD, _JUMP_EQUAL, _JUMP_NOT_LESS, _AND, _RETURN = 0x20, 0x15, 0x35, 0x54, 0x06

_ALLOW = 0x7FFF0000
_KILL = 0x80000000
_ERROR = 0x00050000
_EPERM, _EAFNOSUPPORT, _ENOSYS = 1, 97, 38

_X32_BIT = 0x40000000
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_ANY_NEW_NAMESPACE = 0x7E020080
"""CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET and, as unshare and clone3 have it, NEWTIME."""
_CLONE_SIGNAL_BITS = 0xFF
_AF_UNIX, _AF_INET, _AF_INET6, _AF_NETLINK = 1, 2, 10, 16
_NETLINK_ROUTE = 0
_PERSONALITIES = (0, 0xFFFFFFFF)
"""The ordinary one, and the question which one is set."""


@record
class Architecture:
    """A machine's name for the kernel (AUDIT_ARCH_…) and its system call numbers."""

    audit: int
    numbers: Mapping[str, int]
    has_x32: bool = False


# Calls that came after 2019 have one number on every architecture.
_RECENT = {
    "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427,
    "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433,
    "clone3": 435, "pidfd_getfd": 438, "process_madvise": 440, "mount_setattr": 442, "quotactl_fd": 443,
    "statmount": 457, "listmount": 458, "open_tree_attr": 467,
}  # fmt: skip

ARCHITECTURES = {
    "x86_64": Architecture(
        0xC000003E,
        {
            "ioctl": 16, "socket": 41, "clone": 56, "ptrace": 101, "syslog": 103, "personality": 135,
            "ustat": 136, "sysfs": 139, "vhangup": 153, "modify_ldt": 154, "pivot_root": 155, "adjtimex": 159,
            "chroot": 161, "acct": 163, "settimeofday": 164, "mount": 165, "umount2": 166, "swapon": 167,
            "swapoff": 168, "reboot": 169, "sethostname": 170, "setdomainname": 171, "iopl": 172, "ioperm": 173,
            "create_module": 174, "init_module": 175, "delete_module": 176, "quotactl": 179, "nfsservctl": 180,
            "lookup_dcookie": 212, "clock_settime": 227, "kexec_load": 246, "add_key": 248, "request_key": 249,
            "keyctl": 250, "migrate_pages": 256, "unshare": 272, "move_pages": 279, "perf_event_open": 298,
            "fanotify_init": 300, "name_to_handle_at": 303, "open_by_handle_at": 304, "clock_adjtime": 305,
            "setns": 308, "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312, "finit_module": 313,
            "kexec_file_load": 320, "bpf": 321, "userfaultfd": 323, **_RECENT,
        },
        has_x32=True,
    ),
    "aarch64": Architecture(
        0xC00000B7,
        {
            "ioctl": 29, "umount2": 39, "mount": 40, "pivot_root": 41, "nfsservctl": 42, "chroot": 51,
            "vhangup": 58, "quotactl": 60, "acct": 89, "personality": 92, "unshare": 97, "kexec_load": 104,
            "init_module": 105, "delete_module": 106, "clock_settime": 112, "syslog": 116, "ptrace": 117,
            "reboot": 142, "sethostname": 161, "setdomainname": 162, "settimeofday": 170, "adjtimex": 171,
            "lookup_dcookie": 18, "socket": 198, "add_key": 217, "request_key": 218, "keyctl": 219, "clone": 220,
            "swapon": 224, "swapoff": 225, "migrate_pages": 238, "move_pages": 239, "perf_event_open": 241,
            "fanotify_init": 262, "name_to_handle_at": 264, "open_by_handle_at": 265, "clock_adjtime": 266,
            "setns": 268, "process_vm_readv": 270, "process_vm_writev": 271, "kcmp": 272, "finit_module": 273,
            "bpf": 280, "userfaultfd": 282, "kexec_file_load": 294, **_RECENT,
        },
    ),
}  # fmt: skip

# Looked at more closely, or answered otherwise, than by a plain refusal.
_SPECIAL = frozenset({"ioctl", "socket", "clone", "clone3", "personality"})


def filter_program(architecture: Architecture) -> bytes:
    """The filter's bytes, as `bwrap --seccomp` and the kernel read them."""
    numbers = architecture.numbers
    code = [
        _load(_ARCHITECTURE),
        *_unless_equal(architecture.audit, [_return(_KILL)]),
        _load(_NUMBER),
    ]
    if architecture.has_x32:
        code += [_jump(_JUMP_NOT_LESS, _X32_BIT, 0, 1), _refuse(_ENOSYS)]
    # Programs fall back to clone, whose flags can be seen.
    code += _when(numbers["clone3"], [_refuse(_ENOSYS)])
    code += _when(numbers["clone"], _refuse_when_any(0, _ANY_NEW_NAMESPACE & ~_CLONE_SIGNAL_BITS))
    code += _when(numbers["ioctl"], [_load_argument(1), *_choose((_TIOCSTI, _TIOCLINUX), _refuse(_EPERM), _allow())])
    code += _when(numbers["socket"], _socket())
    code += _when(numbers["personality"], [_load_argument(0), *_choose(_PERSONALITIES, _allow(), _refuse(_EPERM))])
    for _, number in sorted(item for item in numbers.items() if item[0] not in _SPECIAL):
        code += _when(number, [_refuse(_EPERM)])
    return b"".join([*code, _allow()])


def _socket() -> list[bytes]:
    """Local sockets and the empty network of the sandbox; of netlink only what asks for addresses and routes."""
    netlink = [_load_argument(2), *_choose((_NETLINK_ROUTE,), _allow(), _refuse(_EAFNOSUPPORT))]
    return [
        _load_argument(0),
        *_when(_AF_NETLINK, netlink),
        *_choose((_AF_UNIX, _AF_INET, _AF_INET6), _allow(), _refuse(_EAFNOSUPPORT)),
    ]


def _refuse_when_any(argument: int, bits: int) -> list[bytes]:
    return [_load_argument(argument), _instruction(_AND, bits), *_choose((0,), _allow(), _refuse(_EPERM))]


def _choose(values: Iterable[int], then: bytes, otherwise: bytes) -> list[bytes]:
    """Returns `then` when the loaded word is one of the values."""
    return [each for value in values for each in (_jump(_JUMP_EQUAL, value, 0, 1), then)] + [otherwise]


def _when(value: int, body: list[bytes]) -> list[bytes]:
    """`body`, which returns on every way, when the loaded word is `value`."""
    return [_jump(_JUMP_EQUAL, value, 0, len(body)), *body]


def _unless_equal(value: int, body: list[bytes]) -> list[bytes]:
    return [_jump(_JUMP_EQUAL, value, len(body), 0), *body]


def _load_argument(index: int) -> bytes:
    """The low half of an argument: all that the kernel reads of those looked at here."""
    return _load(_ARGUMENTS + 8 * index)


def _load(offset: int) -> bytes:
    return _instruction(_LOAD, offset)


def _allow() -> bytes:
    return _return(_ALLOW)


def _refuse(error: int) -> bytes:
    return _return(_ERROR | error)


def _return(value: int) -> bytes:
    return _instruction(_RETURN, value)


def _jump(code: int, value: int, if_true: int, if_false: int) -> bytes:
    return struct.pack("<HBBI", code, if_true, if_false, value)


def _instruction(code: int, value: int) -> bytes:
    return struct.pack("<HBBI", code, 0, 0, value)
