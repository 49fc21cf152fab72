"""The filter, run by a small interpreter of the kernel's rules."""

from __future__ import annotations

import struct

import pytest

from mlbuild.sandbox.seccomp import ARCHITECTURES, filter_program

ALLOW, KILL, EPERM, EAFNOSUPPORT, ENOSYS = 0x7FFF0000, 0x80000000, 0x50001, 0x50061, 0x50026


def answer(machine: str, number: int, *arguments: int, audit: int | None = None) -> int:
    """What the filter returns for a call."""
    architecture = ARCHITECTURES[machine]
    code = filter_program(architecture)
    words = [argument & (1 << 64) - 1 for argument in (*arguments, 0, 0, 0, 0, 0, 0)][:6]
    data = struct.pack("<IIQ6Q", number, architecture.audit if audit is None else audit, 0, *words)
    accumulator, at = 0, 0
    while True:
        operation, if_true, if_false, value = struct.unpack_from("<HBBI", code, 8 * at)
        at += 1
        match operation:
            case 0x20:
                (accumulator,) = struct.unpack_from("<I", data, value)
            case 0x54:
                accumulator &= value
            case 0x15:
                at += if_true if accumulator == value else if_false
            case 0x35:
                at += if_true if accumulator >= value else if_false
            case 0x06:
                return value
            case _:
                raise AssertionError(operation)


MACHINES = pytest.mark.parametrize("machine", ["x86_64", "aarch64"])


@MACHINES
def test_calls_of_another_architecture_kill(machine):
    assert answer(machine, 0, audit=0x40000003) == KILL


def test_calls_of_x32_are_unknown():
    assert answer("x86_64", 0x40000000 + 1) == ENOSYS


@MACHINES
def test_ordinary_calls_are_allowed(machine):
    numbers = {"x86_64": {"read": 0, "openat": 257, "execve": 59}, "aarch64": {"read": 63, "openat": 56, "execve": 221}}
    assert {name: answer(machine, number) for name, number in numbers[machine].items()} == {
        "read": ALLOW,
        "openat": ALLOW,
        "execve": ALLOW,
    }


@MACHINES
@pytest.mark.parametrize(
    "name",
    ["mount", "umount2", "pivot_root", "unshare", "setns", "ptrace", "process_vm_readv", "process_vm_writev", "keyctl",
     "add_key", "request_key", "bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter",
     "io_uring_register", "kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module",
     "open_by_handle_at", "quotactl", "swapon", "reboot", "acct", "chroot", "settimeofday", "clock_settime", "adjtimex",
     "clock_adjtime", "open_tree", "move_mount", "fsopen", "mount_setattr", "pidfd_getfd"],
)  # fmt: skip
def test_a_dangerous_call_is_refused(machine, name):
    assert answer(machine, ARCHITECTURES[machine].numbers[name], 0) == EPERM


@MACHINES
@pytest.mark.parametrize(
    ("flags", "expected"),
    [(0x11, ALLOW), (0x3D0F00, ALLOW), (0x4111, ALLOW), (0x10000011, EPERM), (0x20000, EPERM), (0x40000011, EPERM),
     (0x02000011, EPERM), (0x04000011, EPERM), (0x08000011, EPERM), (0x20000011, EPERM)],
)  # fmt: skip
def test_clone_makes_threads_and_processes_but_no_namespaces(machine, flags, expected):
    assert answer(machine, ARCHITECTURES[machine].numbers["clone"], flags) == expected


@MACHINES
def test_clone3_is_unknown_so_that_programs_use_clone(machine):
    assert answer(machine, 435) == ENOSYS


@MACHINES
@pytest.mark.parametrize(
    ("family", "protocol", "expected"),
    [(1, 0, ALLOW), (2, 6, ALLOW), (10, 0, ALLOW), (16, 0, ALLOW), (16, 15, EAFNOSUPPORT), (16, 9, EAFNOSUPPORT),
     (17, 0, EAFNOSUPPORT), (38, 0, EAFNOSUPPORT), (40, 0, EAFNOSUPPORT)],
)  # fmt: skip
def test_socket_families(machine, family, protocol, expected):
    assert answer(machine, ARCHITECTURES[machine].numbers["socket"], family, 1, protocol) == expected


@MACHINES
@pytest.mark.parametrize(
    ("request_", "expected"),
    [(0x5401, ALLOW), (0x5412, EPERM), (0x541C, EPERM), (0x1_0000_5412, EPERM)],
)
def test_nothing_is_pushed_into_terminals(machine, request_, expected):
    assert answer(machine, ARCHITECTURES[machine].numbers["ioctl"], 0, request_) == expected


@MACHINES
@pytest.mark.parametrize(("persona", "expected"), [(0, ALLOW), (0xFFFFFFFF, ALLOW), (0x40000, EPERM), (8, EPERM)])
def test_personalities(machine, persona, expected):
    assert answer(machine, ARCHITECTURES[machine].numbers["personality"], persona) == expected
