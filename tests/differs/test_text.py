"""How two files differ, in words."""

import pytest

from mlbuild.differs.text import how_bytes_differ


@pytest.mark.parametrize(
    ("one", "other", "how"),
    [
        (b"a\nb\n", b"a\nc\n", ("line 2: `b` / `c`",)),
        (b"a\nb\nc\n", b"a\nx\ny\n", ("line 2: `b` / `x`", "and 1 more line")),
        (b"a\nb\n", b"b\na\n", ("line 1: `a` / `b`", "the same lines, in another order")),
        (b"a\n", b"a\nb\n", ("line 2: `` / `b`", "and 1 more line")),
        (b"\x00\x01\x02", b"\x00\x01\x03", ("byte 2: 0x02 / 0x03; 1 byte differs",)),
        (b"\x00\x01\x02\xff", b"\x00\x07\x02\xfe", ("byte 1: 0x01 / 0x07; 2 bytes differ",)),
        (b"\x00\x01", b"\x00\x01\x02", ("2 bytes and 3 bytes",)),
    ],
)
def test_the_first_line_or_byte_is_told(one: bytes, other: bytes, how: tuple[str, ...]) -> None:
    assert how_bytes_differ(one, other) == how


def test_long_lines_are_shown_where_they_part() -> None:
    (told,) = how_bytes_differ(b"x" * 100 + b"1", b"x" * 100 + b"2")
    assert told == f"line 1: `…{'x' * 20}1` / `…{'x' * 20}2`"
