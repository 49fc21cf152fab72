"""Arrays of numbers: which element differs first, how many do, by how much at most, and by how many steps of the last bit."""

from __future__ import annotations

import math
import struct

from mlbuild.records import record

BLOCK = 1 << 14
"""Elements that are compared at once: equal ones cost no more than a comparison of memory."""
MOST = 5_000_000
"""Elements looked at one by one."""


@record
class Array:
    """Its type as `.npy` files name it, without the order of bytes (`f8`, `i4`, `b1`), its shape and its bytes.

    `is_big` means the most significant byte first; `is_by_column`, that the first index changes fastest.
    """

    kind: str
    shape: tuple[int, ...]
    data: bytes
    is_big: bool = False
    is_by_column: bool = False


_CODES = {
    "f8": "d", "f4": "f", "f2": "e", "i8": "q", "i4": "i", "i2": "h", "i1": "b", "u8": "Q", "u4": "I", "u2": "H",
    "u1": "B", "b1": "B", "bf": "H",
}  # fmt: skip
_BITS = {"f8": "q", "f4": "i", "f2": "h", "bf": "h"}


def how_arrays_differ(one: Array, other: Array) -> tuple[str, ...]:
    """In two lines at most."""
    if (one.kind, one.shape) != (other.kind, other.shape):
        return (f"{one.kind}{list(one.shape)} / {other.kind}{list(other.shape)}",)
    code = _CODES.get(one.kind)
    count = math.prod(one.shape)
    if code is None or one.is_big != other.is_big or one.is_by_column != other.is_by_column:
        return ("the same shape, laid out in another way",) if code else (f"{one.kind}{list(one.shape)}",)
    width = struct.calcsize(code)
    if len(one.data) != count * width or len(other.data) != count * width:
        raise ValueError("not as long as its shape says")
    seen = _Seen(one.kind)
    order = ">" if one.is_big else "<"
    for start in range(0, count, BLOCK):
        left, right = (each.data[start * width : (start + BLOCK) * width] for each in (one, other))
        if left != right:
            size = len(left) // width
            seen.block(
                start,
                *(struct.unpack(f"{order}{size}{code}", each) for each in (left, right)),
                *(
                    struct.unpack(f"{order}{size}{_BITS[one.kind]}", each) if one.kind in _BITS else ()
                    for each in (left, right)
                ),
            )
            if seen.looked_at >= MOST:
                break
    return seen.words(one, count)


class _Seen:
    """What has been seen of two arrays that differ."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._first: tuple[int, float, float] | None = None
        self._most = 0.0
        self._steps = 0
        self._count = 0
        self.looked_at = 0

    def block(
        self,
        start: int,
        left: tuple[float, ...],
        right: tuple[float, ...],
        left_bits: tuple[int, ...],
        right_bits: tuple[int, ...],
    ) -> None:
        self.looked_at += len(left)
        compared = zip(left_bits, right_bits, strict=True) if left_bits else zip(left, right, strict=True)
        for at, (a, b) in enumerate(compared):
            if a == b:
                continue
            x, y = left[at], right[at]
            if self._kind == "bf":
                x, y = (struct.unpack("<f", struct.pack("<I", int(value) << 16))[0] for value in (x, y))
            self._count += 1
            if self._first is None:
                self._first = (start + at, x, y)
            apart = abs(x - y)
            if not apart <= self._most:
                self._most = apart
            if left_bits and math.isfinite(apart):
                self._steps = max(self._steps, abs(_rank(int(a), self._kind) - _rank(int(b), self._kind)))

    def words(self, array: Array, count: int) -> tuple[str, ...]:
        assert self._first is not None
        at, left, right = self._first
        least = "at least " if self.looked_at >= MOST else ""
        amount = f"{least}{self._count:,} of {count:,} {'element' if count == 1 else 'elements'} {'differs' if self._count == 1 else 'differ'}"
        far = f"by at most {self._most:.6g}" + (f", {self._steps:,} ULP" if self._steps else "")
        return (f"{amount}, {far}", f"first at {_place(at, array)}: {left!r} / {right!r}")


def _rank(bits: int, kind: str) -> int:
    """The position of a float among all of its kind, from its bits as a signed integer."""
    low = (1 << (63 if kind == "f8" else 31 if kind == "f4" else 15)) - 1
    return bits if bits >= 0 else -(bits & low)


def _place(at: int, array: Array) -> str:
    if not array.shape:
        return "its one value"
    indices: list[int] = []
    for size in array.shape if array.is_by_column else reversed(array.shape):
        indices.append(at % size)
        at //= size
    return str(indices if array.is_by_column else indices[::-1])
