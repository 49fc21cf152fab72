"""A program of a few hundred bytes that starts another one, for what bubblewrap cannot be told.

bubblewrap takes 9,000 arguments at most. A longer command line is written into a tiny ELF file whose only deed is
`execve` with it. Others of them end with 0, or print a file and end: an empty sandbox, made to see what it is, has no
program but these.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

_BASE = 0x400000
_HEADERS = 64 + 56
_HERE = 0xFFFFFF9C
"""AT_FDCWD, as 32 bits."""
MOST_SHOWN = 4096
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


def shows(machine: str, path: str) -> bytes:
    """An ELF file for `machine` that prints the beginning of a file, with zeros after it, and ends with 0.

    It has no descriptors but the first three, so the file's is the next.
    """
    name = path.encode() + b"\0"

    def code(at: int) -> bytes:
        return (
            _call(machine, "openat", _HERE, at, 0)
            + _call(machine, "read", 3, at + len(name), MOST_SHOWN)
            + _call(machine, "write", 1, at + len(name), MOST_SHOWN)
            + _call(machine, "exit_group", 0)
        )

    return _elf(machine, code(_BASE + _HEADERS + len(code(0))) + name + bytes(MOST_SHOWN), is_writable=True)


def _exec_code(machine: str, path: int, arguments: int, environment: int, complaint: int) -> bytes:
    return (
        _call(machine, "execve", path, arguments, environment)
        + _call(machine, "write", 2, complaint, len(_COMPLAINT))
        + _call(machine, "exit_group", 127)
    )


def _call(machine: str, name: str, *arguments: int) -> bytes:
    """Machine code for one system call; every argument is below 2**32, and the code's length is always the same."""
    if machine == "x86_64":
        number = {"read": 0, "write": 1, "execve": 59, "exit_group": 231, "openat": 257}[name]
        # mov edi/esi/edx, imm32; mov eax, imm32; syscall
        loads = b"".join(
            struct.pack("<BI", opcode, each) for opcode, each in zip(b"\xbf\xbe\xba", arguments, strict=False)
        )
        return loads + struct.pack("<BI", 0xB8, number) + b"\x0f\x05"
    number = {"openat": 56, "read": 63, "write": 64, "execve": 221, "exit_group": 94}[name]
    return b"".join(_move(register, each) for register, each in (*enumerate(arguments), (8, number))) + struct.pack(
        "<I", 0xD4000001
    )


def _move(register: int, value: int) -> bytes:
    """aarch64: movz xN, low; movk xN, high, lsl 16."""
    low, high = value & 0xFFFF, value >> 16
    return struct.pack("<II", 0xD2800000 | low << 5 | register, 0xF2A00000 | high << 5 | register)


def _elf(machine: str, body: bytes, *, is_writable: bool = False) -> bytes:
    """One segment, executable, entered at its first byte after the headers."""
    size = _HEADERS + len(body)
    kind = {"x86_64": 62, "aarch64": 183}[machine]
    identity = b"\x7fELF\x02\x01\x01" + b"\0" * 9
    header = struct.pack("<HHIQQQIHHHHHH", 2, kind, 1, _BASE + _HEADERS, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 7 if is_writable else 5, 0, _BASE, _BASE, size, size, 0x10000)
    return identity + header + segment + body


def _align(position: int) -> int:
    return (position + 7) & ~7
