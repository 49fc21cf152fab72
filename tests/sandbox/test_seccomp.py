"""The filter, run by a small interpreter of the kernel's rules."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest

from mlbuild.sandbox.seccomp import ARCHITECTURES, filter_program

ALLOW, KILL, EPERM, EAFNOSUPPORT, ENOSYS = 0x7FFF0000, 0x80000000, 0x50001, 0x50061, 0x50026


def answer(machine: str, number: int, *arguments: int, audit: int | None = None, most: int | None = None) -> int:
    """What the filter returns for a call."""
    architecture = ARCHITECTURES[machine]
    code = filter_program(architecture)
    words = [argument & (1 << 64) - 1 for argument in (*arguments, 0, 0, 0, 0, 0, 0)][:6]
    data = struct.pack("<IIQ6Q", number, architecture.audit if audit is None else audit, 0, *words)
    accumulator, at = 0, 0
    for steps in range(1, len(code)):
        if most is not None:
            assert steps <= most
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
    raise AssertionError("it does not end")


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
def test_every_call_of_the_lists_is_answered_by_its_list(machine):
    architecture = ARCHITECTURES[machine]
    closer = {"clone", "clone3", "ioctl", "socket", "personality"}
    assert {name for name, number in architecture.allowed.items() if answer(machine, number) != ALLOW} <= closer
    assert [name for name, number in architecture.refused.items() if answer(machine, number) != EPERM] == []


@MACHINES
def test_no_call_takes_more_than_a_few_comparisons(machine):
    """Where the kernel does not remember which calls a filter always allows, each call goes through it."""
    architecture = ARCHITECTURES[machine]
    for number in (*architecture.allowed.values(), *architecture.refused.values(), 1000):
        answer(machine, number, most=20)


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
    assert answer(machine, ARCHITECTURES[machine].refused[name], 0) == EPERM


@MACHINES
@pytest.mark.parametrize(
    "number", [1000, 600, 470, 447, 448, 0x3FFFFFFF]
)  # memfd_secret and process_mrelease among them
def test_a_call_that_is_on_no_list_is_one_that_this_kernel_does_not_have(machine, number):
    assert answer(machine, number) == ENOSYS


def test_calls_that_only_old_kernels_had_are_unknown():
    numbers = {"uselib": 134, "_sysctl": 156, "query_module": 178, "vserver": 236}
    assert {name: answer("x86_64", number) for name, number in numbers.items()} == dict.fromkeys(numbers, ENOSYS)


@MACHINES
def test_no_number_stands_for_two_calls(machine):
    architecture = ARCHITECTURES[machine]
    numbers = [*architecture.allowed.values(), *architecture.refused.values()]
    assert len(numbers) == len(set(numbers))
    assert not architecture.allowed.keys() & architecture.refused.keys()


def test_the_numbers_are_those_of_this_machine_s_headers():
    header = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
    if not header.exists():
        pytest.skip("no kernel headers (linux-libc-dev)")
    theirs = {name: int(number) for name, number in re.findall(r"#define __NR_(\w+) (\d+)", header.read_text())}
    ours = {**ARCHITECTURES["x86_64"].allowed, **ARCHITECTURES["x86_64"].refused}
    assert {name: number for name, number in ours.items() if theirs.get(name, number) != number} == {}


@MACHINES
@pytest.mark.parametrize(
    ("flags", "expected"),
    [(0x11, ALLOW), (0x3D0F00, ALLOW), (0x4111, ALLOW), (0x10000011, EPERM), (0x20000, EPERM), (0x40000011, EPERM),
     (0x02000011, EPERM), (0x04000011, EPERM), (0x08000011, EPERM), (0x20000011, EPERM)],
)  # fmt: skip
def test_clone_makes_threads_and_processes_but_no_namespaces(machine, flags, expected):
    assert answer(machine, ARCHITECTURES[machine].allowed["clone"], flags) == expected


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
    assert answer(machine, ARCHITECTURES[machine].allowed["socket"], family, 1, protocol) == expected


@MACHINES
@pytest.mark.parametrize(
    ("request_", "expected"),
    [(0x5401, ALLOW), (0x5412, EPERM), (0x541C, EPERM), (0x1_0000_5412, EPERM)],
)
def test_nothing_is_pushed_into_terminals(machine, request_, expected):
    assert answer(machine, ARCHITECTURES[machine].allowed["ioctl"], 0, request_) == expected


@MACHINES
@pytest.mark.parametrize(("persona", "expected"), [(0, ALLOW), (0xFFFFFFFF, ALLOW), (0x40000, EPERM), (8, EPERM)])
def test_personalities(machine, persona, expected):
    assert answer(machine, ARCHITECTURES[machine].allowed["personality"], persona) == expected
