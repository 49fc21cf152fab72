"""The system calls that an action may make, as a classic BPF program for the kernel's seccomp filter.

Namespaces and file permissions are the walls of the sandbox; this is the second wall: only what ordinary programs use is let
through. A call that is known to be dangerous fails with EPERM, as it would for lack of privilege; one that is on no list fails
with ENOSYS, as on a kernel that does not have it yet. Programs that probe for a feature go on without it in both cases.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence

from mlbuild.records import record
from mlbuild.sandbox.system_calls import AARCH64, ALLOWED, REFUSED, X86_64, numbers

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
    column: int
    has_x32: bool = False

    @property
    def allowed(self) -> dict[str, int]:
        return numbers(ALLOWED, self.column)

    @property
    def refused(self) -> dict[str, int]:
        return numbers(REFUSED, self.column)


ARCHITECTURES = {
    "x86_64": Architecture(0xC000003E, X86_64, has_x32=True),
    "aarch64": Architecture(0xC00000B7, AARCH64),
}


def filter_program(architecture: Architecture) -> bytes:
    """The filter's bytes, as `bwrap --seccomp` and the kernel read them."""
    allowed = architecture.allowed
    code = [
        _load(_ARCHITECTURE),
        *_unless_equal(architecture.audit, [_return(_KILL)]),
        _load(_NUMBER),
    ]
    if architecture.has_x32:
        code += [_jump(_JUMP_NOT_LESS, _X32_BIT, 0, 1), _refuse(_ENOSYS)]
    # Programs fall back to clone, whose flags can be seen.
    code += _when(allowed["clone3"], [_refuse(_ENOSYS)])
    code += _when(allowed["clone"], _refuse_when_any(0, _ANY_NEW_NAMESPACE & ~_CLONE_SIGNAL_BITS))
    code += _when(allowed["ioctl"], [_load_argument(1), *_choose((_TIOCSTI, _TIOCLINUX), _refuse(_EPERM), _allow())])
    code += _when(allowed["socket"], _socket())
    code += _when(allowed["personality"], [_load_argument(0), *_choose(_PERSONALITIES, _allow(), _refuse(_EPERM))])
    return b"".join([*code, *_by_number(allowed, architecture.refused)])


def _by_number(allowed: Mapping[str, int], refused: Mapping[str, int]) -> list[bytes]:
    """The answers for all numbers there are, in runs of neighbours with the same one: what is on neither list is unknown here."""
    answers = {number: _refuse(_EPERM) for number in refused.values()}
    answers |= dict.fromkeys(allowed.values(), _allow())
    runs: list[tuple[int, bytes]] = []
    for number in range(max(answers) + 2):
        answer = answers.get(number, _refuse(_ENOSYS))
        if not runs or runs[-1][1] != answer:
            runs.append((number, answer))
    return _search(runs)


def _search(runs: Sequence[tuple[int, bytes]]) -> list[bytes]:
    """Finds the run of the loaded number by halves, so that a call is answered after a few comparisons."""
    if len(runs) == 1:
        return [runs[0][1]]
    middle = len(runs) // 2
    lower = _search(runs[:middle])
    return [_jump(_JUMP_NOT_LESS, runs[middle][0], len(lower), 0), *lower, *_search(runs[middle:])]


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
