"""Every system call that is on no list, or on the list of the dangerous, is really made in a sandbox: with its filter and without."""

from __future__ import annotations

import json
import platform
import struct

import pytest

from mlbuild.files.staging import TreeStore
from mlbuild.sandbox import LinuxRunner, linux
from mlbuild.sandbox.seccomp import ARCHITECTURES

CALLS = """
import ctypes, errno, json, sys
libc = ctypes.CDLL(None, use_errno=True)
found = {}
for name, number in json.loads(sys.argv[1]).items():
    ctypes.set_errno(0)
    returned = libc.syscall(number, *[ctypes.c_long(-1)] * 6)
    found[name] = errno.errorcode[ctypes.get_errno()] if returned == -1 else "ok"
print(json.dumps(found))
"""
ALLOW_ALL = struct.pack("<HBBI", 0x06, 0, 0, 0x7FFF0000)
NEEDS_NO_POWER = {
    "add_key", "io_uring_enter", "io_uring_register", "io_uring_setup", "kcmp", "keyctl", "move_pages", "name_to_handle_at",
    "pidfd_getfd", "process_madvise", "process_vm_readv", "process_vm_writev", "ptrace", "request_key",
}  # fmt: skip
"""Calls that a process without any power may make: nothing but the filter stands before them."""
PROBES_OF_THE_KERNEL = {"x86_64": {335, 336}, "aarch64": set[int]()}
"""`uretprobe` and `uprobe`: Linux looks at no filter for them, and ends whoever makes them by himself."""


@pytest.fixture
def made(workshop, tmp_path):
    """What calls come to, in a sandbox of its own."""

    def make(calls: dict[str, int]) -> dict[str, str]:
        trees = TreeStore(tmp_path / "staged", workshop.store)
        runner = LinuxRunner(workshop.store, trees, tmp_path / "sandbox")
        result = runner.run(workshop.spawn((*workshop.python_command, "-c", CALLS, json.dumps(calls)), {}))
        runner.close()
        trees.close()
        assert result.exit_code == 0, (result, workshop.text(result.stderr))
        return json.loads(workshop.text(result.stdout))

    return make


def test_every_dangerous_call_is_refused(made):
    refused = ARCHITECTURES[platform.machine()].refused
    assert made(refused) == dict.fromkeys(refused, "EPERM")


def test_every_other_number_is_unknown(made):
    architecture = ARCHITECTURES[platform.machine()]
    known = {*architecture.allowed.values(), *architecture.refused.values(), *PROBES_OF_THE_KERNEL[platform.machine()]}
    others = {str(number): number for number in range(600) if number not in known}
    assert made({**others, "clone3": architecture.allowed["clone3"]}) == dict.fromkeys((*others, "clone3"), "ENOSYS")


def test_without_the_filter_they_reach_the_kernel(made, monkeypatch):
    refused = ARCHITECTURES[platform.machine()].refused
    monkeypatch.setattr(linux, "filter_program", lambda architecture: ALLOW_ALL)
    found = made({name: refused[name] for name in sorted(NEEDS_NO_POWER)})
    lacking = {name for name, told in found.items() if told == "ENOSYS"}
    assert {name for name, told in found.items() if told == "EPERM"} == set()
    assert len(found) - len(lacking) >= 10, found
