"""A library of some hundred bytes that tells programs another time, or answers that can be told beforehand.

Time cannot be had from a name space, and most programs ask for it without a system call. So where it is varied, a library is loaded
before all others (`/etc/ld.so.preload`) whose functions ask the kernel, and add a number of seconds. With a held clock,
time goes on by a thousandth of a second with each question; with held randomness, `getrandom` gives the same bytes in each process.
Programs that are linked statically, or make the system calls themselves, are not reached.
"""

from __future__ import annotations

import struct

from mlbuild.terms import Surroundings

NAME = "clock.so"
MACHINE = "x86_64"
"""The machine code is this one's; on others, the clock is not varied."""

HELD = 1_600_000_000
_DRAWN = 0x9E3779B97F4A7C15
_CODE_AT, _DATA_AT = 0x400, 0x1000
_STRINGS_AT, _SYMBOLS_AT, _HASH_AT = 0x158, 0x1B0, 0x248

# Position-independent code that begins at _CODE_AT and has four numbers at _DATA_AT: the seconds that are added, the second at which
# a held clock begins (0: it is not held), how often it was asked, and the state of held randomness (0: it is not held).
# The system calls are those of `asm/unistd_64.h`; `tick` gives a held time, `fill` held bytes, `bad` the answer -1.
_CODE = {
    "clock_gettime": """
        b8e40000000f054885c00f883801000085ff740683ff057401c348833de60b000000750b488b0dd50b000048010ec3e8
        7d0000004889064869d240420f004889560831c0c3
    """,
    "gettimeofday": """
        b8600000000f054885c00f88f30000004885ff741448833da60b000000750b488b0d950b000048010fc3e83d00000048
        89074869d2e80300004889570831c0c3
    """,
    "time": """
        48833d7b0b00000075145731ffb8c90000000f055f4803055f0b0000eb05e8090000004885ff7403488907c3
    """,
    "tick": """
        b801000000f0480fc105510b000031d2b9e803000048f7f1480305380b0000c3
    """,
    "getrandom": """
        48833d3f0b0000007530b83e0100000f054885c07861c3
    """,
    "getentropy": """
        48833d280b000000751131d2b83e0100000f054885c0784831c0c3e80300000031c0c3
    """,
    "fill": """
        4c8b05060b000049b92d7f954c2df4515831c94839f1731a4d0fafc14981c0393000004c89c048c1e83888040f48ffc1
        ebe14c8905d40a00004889f0c3
    """,
    "bad": """
        48c7c0ffffffffc3
    """,
}
_EXPORTED = ("clock_gettime", "gettimeofday", "time", "getrandom", "getentropy")


def needs_library(around: Surroundings) -> bool:
    return bool(around.seconds_later or around.has_held_clock or around.has_held_randomness)


def library(around: Surroundings) -> bytes:
    """The ELF file of these surroundings."""
    starts: dict[str, int] = {}
    code = b""
    for name, written in _CODE.items():
        starts[name] = _CODE_AT + len(code)
        code += bytes.fromhex(written)
    strings = b"\0" + b"".join(name.encode() + b"\0" for name in _EXPORTED)
    symbols = b"\0" * 24
    for name in _EXPORTED:
        # A global function of the section with number 1, whatever that is.
        symbols += struct.pack("<IBBHQQ", strings.index(name.encode() + b"\0"), 0x12, 0, 1, starts[name], 16)
    count = len(_EXPORTED) + 1
    # One bucket: every name is compared with all, in a chain.
    table = struct.pack(f"<{3 + count}I", 1, count, 1, 0, *range(2, count), 0)
    numbers = struct.pack(
        "<qqqQ",
        around.seconds_later,
        HELD if around.has_held_clock else 0,
        0,
        _DRAWN if around.has_held_randomness else 0,
    )
    dynamic = [(4, _HASH_AT), (5, _STRINGS_AT), (6, _SYMBOLS_AT), (10, len(strings)), (11, 24), (0, 0)]
    data = numbers + b"".join(struct.pack("<QQ", *each) for each in dynamic)
    file = bytearray(_DATA_AT + len(data))
    for place, part in (
        (0, _headers(len(numbers), len(data) - len(numbers))), (_STRINGS_AT, strings), (_SYMBOLS_AT, symbols),
        (_HASH_AT, table), (_CODE_AT, code), (_DATA_AT, data),
    ):  # fmt: skip
        file[place : place + len(part)] = part
    return bytes(file)


def _headers(before: int, size: int) -> bytes:
    """Code that can be run, data that can be written, and a stack that is only data."""
    identity = b"\x7fELF\x02\x01\x01" + b"\0" * 9
    head = struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, 4, 0, 0, 0)
    load, dynamic, stack = 1, 2, 0x6474E551
    at = _DATA_AT + before
    return (
        identity
        + head
        + b"".join(
            struct.pack("<IIQQQQQQ", *each)
            for each in (
                (load, 5, 0, 0, 0, _DATA_AT, _DATA_AT, 0x1000),
                (load, 6, _DATA_AT, _DATA_AT, _DATA_AT, before + size, before + size, 0x1000),
                (dynamic, 6, at, at, at, size, size, 8),
                (stack, 6, 0, 0, 0, 0, 0, 16),
            )
        )
    )
