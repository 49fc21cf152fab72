"""A program of a few hundred bytes that starts another one, for what bubblewrap cannot be told.

bubblewrap takes 9,000 arguments at most. A longer command line is written into a tiny ELF file whose only deed is
`execve` with it. With nothing to start, it ends with 0: the probe needs a program that is there in an empty sandbox.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

_BASE = 0x400000
_HEADERS = 64 + 56
_COMPLAINT = b"mlbuild: the command cannot be started: not found, not a program, or too long\n"


def starter(machine: str, arguments: Sequence[str], environment: Sequence[tuple[str, str]]) -> bytes:
    """An ELF file for `machine` that becomes `arguments[0]`, a path, with this command line and environment."""
    words = [text.encode("utf-8", "surrogateescape") + b"\0" for text in arguments]
    settings = [f"{name}={value}".encode("utf-8", "surrogateescape") + b"\0" for name, value in environment]
    code_size = len(_exec_code(machine, 0, 0, 0, 0))
    pointers_at = _align(_HEADERS + code_size)
    strings_at = pointers_at + 8 * (len(words) + 1 + len(settings) + 1)
    addresses: list[int] = []
    position = _BASE + strings_at
    for text in [*words, *settings]:
        addresses.append(position)
        position += len(text)
    pointers = [*addresses[: len(words)], 0, *addresses[len(words) :], 0]
    vector = _BASE + pointers_at
    code = _exec_code(machine, addresses[0], vector, vector + 8 * (len(words) + 1), position)
    body = code + b"\0" * (pointers_at - _HEADERS - code_size) + struct.pack(f"<{len(pointers)}Q", *pointers)
    return _elf(machine, body + b"".join([*words, *settings]) + _COMPLAINT)


def nothing(machine: str) -> bytes:
    """An ELF file for `machine` that ends with 0 at once."""
    return _elf(machine, _call(machine, "exit_group", 0))


def _exec_code(machine: str, path: int, arguments: int, environment: int, complaint: int) -> bytes:
    return (
        _call(machine, "execve", path, arguments, environment)
        + _call(machine, "write", 2, complaint, len(_COMPLAINT))
        + _call(machine, "exit_group", 127)
    )


def _call(machine: str, name: str, *arguments: int) -> bytes:
    """Machine code for one system call; every argument is below 2**32, and the code's length is always the same."""
    if machine == "x86_64":
        number = {"write": 1, "execve": 59, "exit_group": 231}[name]
        # mov edi/esi/edx, imm32; mov eax, imm32; syscall
        loads = b"".join(
            struct.pack("<BI", opcode, each) for opcode, each in zip(b"\xbf\xbe\xba", arguments, strict=False)
        )
        return loads + struct.pack("<BI", 0xB8, number) + b"\x0f\x05"
    number = {"write": 64, "execve": 221, "exit_group": 94}[name]
    return b"".join(_move(register, each) for register, each in (*enumerate(arguments), (8, number))) + struct.pack(
        "<I", 0xD4000001
    )


def _move(register: int, value: int) -> bytes:
    """aarch64: movz xN, low; movk xN, high, lsl 16."""
    low, high = value & 0xFFFF, value >> 16
    return struct.pack("<II", 0xD2800000 | low << 5 | register, 0xF2A00000 | high << 5 | register)


def _elf(machine: str, body: bytes) -> bytes:
    """One segment, readable and executable, entered at its first byte after the headers."""
    size = _HEADERS + len(body)
    kind = {"x86_64": 62, "aarch64": 183}[machine]
    identity = b"\x7fELF\x02\x01\x01" + b"\0" * 9
    header = struct.pack("<HHIQQQIHHHHHH", 2, kind, 1, _BASE + _HEADERS, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, _BASE, _BASE, size, size, 0x10000)
    return identity + header + segment + body


def _align(position: int) -> int:
    return (position + 7) & ~7
