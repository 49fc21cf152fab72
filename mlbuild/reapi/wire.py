"""The protobuf wire format, as much of it as canonical REAPI messages need.

Source: the published encoding of protocol buffers. Writing is canonical: fields in order of number, defaults left out.
Reading is for hostile bytes: ValueError for anything that is not well formed, unknown fields skipped.
"""

from __future__ import annotations

from collections.abc import Iterator

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
MAX_VARINT = 10


def varint(value: int) -> bytes:
    """An unsigned number below 2^64; negative int64 values are given as their two's complement."""
    out = bytearray()
    value &= (1 << 64) - 1
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field: int, value: int) -> bytes:
    """A scalar field; nothing when it is 0."""
    return varint(field << 3 | VARINT) + varint(value) if value else b""


def text(field: int, value: str) -> bytes:
    """A string field; nothing when it is empty."""
    return message(field, value.encode()) if value else b""


def data(field: int, value: bytes) -> bytes:
    """A bytes field; nothing when it is empty."""
    return message(field, value) if value else b""


def message(field: int, encoded: bytes) -> bytes:
    """A message field or a member of a repeated one: present even when it is empty."""
    return varint(field << 3 | LENGTH) + varint(len(encoded)) + encoded


def fields(encoded: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Every field as (number, value): integers for varints, bytes for the rest. Raises ValueError."""
    position, end = 0, len(encoded)
    while position < end:
        tag, position = _varint(encoded, position)
        field, kind = tag >> 3, tag & 7
        if field == 0:
            raise ValueError("a field with number 0")
        if kind == VARINT:
            value, position = _varint(encoded, position)
            yield field, value
            continue
        if kind == LENGTH:
            size, position = _varint(encoded, position)
        elif kind == FIXED64:
            size = 8
        elif kind == FIXED32:
            size = 4
        else:
            raise ValueError(f"wire type {kind}")
        if size > end - position:
            raise ValueError("a field that ends after its message")
        yield field, encoded[position : position + size]
        position += size


def as_number(value: int | bytes) -> int:
    """A signed 64-bit integer. Raises ValueError."""
    if not isinstance(value, int):
        raise ValueError("a number was expected")
    return value - (1 << 64) if value >= 1 << 63 else value


def as_bytes(value: int | bytes) -> bytes:
    if not isinstance(value, bytes):
        raise ValueError("bytes were expected")
    return value


def as_text(value: int | bytes) -> str:
    """UTF-8 text; UnicodeDecodeError is a ValueError."""
    return as_bytes(value).decode()


def _varint(encoded: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    for at in range(position, min(position + MAX_VARINT, len(encoded))):
        byte = encoded[at]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & (1 << 64) - 1, at + 1
        shift += 7
    raise ValueError("a number that does not end")
