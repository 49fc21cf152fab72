"""Pickles, read as a list of instructions and never loaded."""

from __future__ import annotations

import pickletools
from collections.abc import Iterator

MOST = 2_000_000
_NAMES = (".pkl", ".pickle", ".joblib")


def is_pickle(path: str, data: bytes) -> bool:
    return path.endswith(_NAMES) and data[:1] == b"\x80"


def how_pickles_differ(one: bytes, other: bytes) -> tuple[str, ...]:
    """The first instruction that differs, and the last name of a class or key before it. Raises ValueError."""
    near = ""
    for left, right in zip(_instructions(one), _instructions(other), strict=False):
        if left[1:] != right[1:]:
            return (
                f"instruction at byte {left[0]:,}{f', after `{near}`' if near else ''}: {_told(left)} / {_told(right)}",
            )
        if isinstance(left[2], str):
            near = left[2][:40]
    return ()


def _instructions(data: bytes) -> Iterator[tuple[int, str, object]]:
    for number, (code, argument, at) in enumerate(pickletools.genops(data)):
        if number > MOST:
            raise ValueError("too long")
        yield at or 0, code.name, argument


def _told(instruction: tuple[int, str, object]) -> str:
    _, name, argument = instruction
    if argument is None:
        return f"`{name}`"
    text = f"{len(argument)} bytes" if isinstance(argument, bytes) and len(argument) > 20 else repr(argument)[:40]
    return f"`{name} {text}`"
