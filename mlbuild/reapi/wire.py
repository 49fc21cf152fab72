"""Protobuf's wire format: fields in order of their numbers, defaults left out; and a reader that trusts nothing."""

from __future__ import annotations

from mlbuild.terms import Digest

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_HEX = frozenset("0123456789abcdef")
_LARGEST = (1 << 63) - 1
_LOWEST_32 = -(1 << 31)


def varint(value: int) -> bytes:
    """A number from 0 to 2**64 - 1."""
    if value < 0x80:
        return value.to_bytes(1, "little")
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def number_field(number: int, value: int) -> bytes:
    """An integer; negative ones as two's complement of 64 bits, as protobuf's int32 and int64 have it."""
    return varint(number << 3) + varint(value & 0xFFFF_FFFF_FFFF_FFFF) if value else b""


def bytes_field(number: int, value: bytes) -> bytes:
    return message_field(number, value) if value else b""


def text_field(number: int, value: str) -> bytes:
    return message_field(number, value.encode()) if value else b""


def texts_field(number: int, values: tuple[str, ...]) -> bytes:
    """A repeated string: here the empty one counts."""
    return b"".join([message_field(number, value.encode()) for value in values])


def message_field(number: int, value: bytes) -> bytes:
    """An embedded message: there even when it is empty."""
    return varint(number << 3 | _BYTES) + varint(len(value)) + value


def encode_digest(digest: Digest) -> bytes:
    return text_field(1, digest.hash) + number_field(2, digest.size)


def decode_digest(data: bytes) -> Digest:
    """The digest, checked, so that its hash can be used as a file name. Raises ValueError."""
    return Message(data).as_digest()


class Message:
    """The fields of an encoded message, by number. Unknown ones are passed over; what is odd raises ValueError.

    A field that is single by its definition must not be there twice: other readers would choose or merge.
    """

    __slots__ = ("_fields",)

    def __init__(self, data: bytes) -> None:
        self._fields: dict[int, list[int | bytes]] = {}
        position, end = 0, len(data)
        while position < end:
            key, position = _read_varint(data, position)
            number, kind = key >> 3, key & 7
            if not 0 < number < 1 << 29:
                raise ValueError(f"there is no field {number}")
            value: int | bytes
            if kind == _VARINT:
                value, position = _read_varint(data, position)
            else:
                if kind == _BYTES:
                    size, position = _read_varint(data, position)
                elif kind in (_FIXED64, _FIXED32):
                    size = 8 if kind == _FIXED64 else 4
                else:
                    raise ValueError(f"field {number} is of the unknown wire type {kind}")
                if size > end - position:
                    raise ValueError(f"field {number} ends beyond its message")
                value = data[position : position + size]
                position += size
                if kind != _BYTES:
                    continue
            self._fields.setdefault(number, []).append(value)

    def raw(self, number: int) -> bytes:
        return self._one_bytes(number) or b""

    def text(self, number: int) -> str:
        return self.raw(number).decode()

    def texts(self, number: int) -> tuple[str, ...]:
        return tuple(value.decode() for value in self._all_bytes(number))

    def inner(self, number: int) -> Message | None:
        data = self._one_bytes(number)
        return None if data is None else Message(data)

    def inners(self, number: int) -> tuple[Message, ...]:
        return tuple(Message(value) for value in self._all_bytes(number))

    def raws(self, number: int) -> tuple[bytes, ...]:
        return tuple(self._all_bytes(number))

    def number(self, number: int) -> int:
        """A signed integer of up to 64 bits."""
        value = self._one(number)
        if value is None:
            return 0
        if not isinstance(value, int):
            raise ValueError(f"field {number} is not a number")
        return value - (1 << 64) if value > _LARGEST else value

    def numbers(self, number: int) -> tuple[int, ...]:
        """A repeated number, packed or not."""
        found: list[int] = []
        for value in self._fields.get(number, ()):
            if isinstance(value, int):
                found.append(value)
                continue
            position = 0
            while position < len(value):
                one, position = _read_varint(value, position)
                found.append(one)
        return tuple(found)

    def number_32(self, number: int) -> int:
        value = self.number(number)
        if not _LOWEST_32 <= value < -_LOWEST_32:
            raise ValueError(f"field {number} does not fit 32 bits")
        return value

    def flag(self, number: int) -> bool:
        return self.number(number) != 0

    def digest(self, number: int) -> Digest | None:
        """An embedded digest, if there is one; checked."""
        inner = self.inner(number)
        return None if inner is None else inner.as_digest()

    def as_digest(self) -> Digest:
        """This very message as a digest."""
        digest = Digest(self.text(1), self.number(2))
        if len(digest.hash) != 64 or not _HEX.issuperset(digest.hash):
            raise ValueError(f"`{digest.hash[:80]}` is not a SHA-256 hash in lower-case hex")
        if digest.size < 0:
            raise ValueError("a digest's size is negative")
        return digest

    def needed_digest(self, number: int) -> Digest:
        digest = self.digest(number)
        if digest is None:
            raise ValueError(f"the digest in field {number} is missing")
        return digest

    def _one(self, number: int) -> int | bytes | None:
        values = self._fields.get(number)
        if values is None:
            return None
        if len(values) > 1:
            raise ValueError(f"field {number} is there {len(values)} times")
        return values[0]

    def _one_bytes(self, number: int) -> bytes | None:
        value = self._one(number)
        if isinstance(value, int):
            raise ValueError(f"field {number} is a number")
        return value

    def _all_bytes(self, number: int) -> list[bytes]:
        values: list[bytes] = []
        for value in self._fields.get(number, ()):
            if isinstance(value, int):
                raise ValueError(f"field {number} is a number")
            values.append(value)
        return values


def _read_varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if position >= len(data) or shift > 63:
            raise ValueError("a number has no end")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value >> 64:
                raise ValueError("a number has more than 64 bits")
            return value, position
        shift += 7
