"""String literals: what they say, and the quotes that they are written with."""

from __future__ import annotations

import re
from collections.abc import Iterator

_ESCAPE = re.compile(
    r"(?s)\\(?:([abfnrtv\\'\"])|(\n)|([0-7]{1,3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))"
)
_LETTERS = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_WRITTEN = {value: letter for letter, value in _LETTERS.items()}
_KNOWN_ESCAPES = frozenset("\nabfnrtuUvx'\\\"0123456789")
_SINGLE, _LONG_SINGLE = "'", "'''"

Piece = tuple[str, str]
"""A piece of the value, and how it is written in the literal."""


def is_long(token: str) -> bool:
    """Whether the literal has three quotes at each end."""
    bare = token.lstrip("rb")
    return len(bare) >= 6 and bare[:3] in ('"""', _LONG_SINGLE)


def body_of(token: str) -> str:
    """What is between the quotes."""
    bare = token.lstrip("rb")
    return bare[3:-3] if is_long(token) else bare[1:-1]


def value_of(token: str) -> str:
    """What the literal says. An escape that has no meaning is itself."""
    body = body_of(token)
    if "\\" not in body or _prefix(token):
        return body
    return "".join(value for value, _ in _pieces(body))


def written(token: str) -> str:
    """The literal in double quotes, wherever that changes no more than the quotes; its own escapes where they are right."""
    prefix, body = _prefix(token), body_of(token)
    if prefix:
        return f"{prefix}{_quotes(token)}{body}{_quotes(token)}" if '"' not in body else token
    if (token[0] == '"' or '"' in value_of(token)) and _has_right_escapes(body):
        return token
    return _quoted(_pieces(body), is_long(token))


def quote(value: str) -> str:
    """The literal of a value."""
    return _quoted(((char, char) for char in value), False)


def _prefix(token: str) -> str:
    return token[: len(token) - len(token.lstrip("rb"))]


def _quotes(token: str) -> str:
    return '"""' if is_long(token) else '"'


def _has_right_escapes(body: str) -> bool:
    return "\\" not in body or all(match[0][1] in _KNOWN_ESCAPES for match in re.finditer(r"(?s)\\.", body))


def _pieces(body: str) -> Iterator[Piece]:
    position = 0
    for match in _ESCAPE.finditer(body):
        yield from ((char, char) for char in body[position : match.start()])
        position = match.end()
        letter, joined, octal, short, middle, long, unknown = match.groups()
        if joined:
            yield "", ""
        elif letter is not None:
            yield _LETTERS.get(letter, letter), match[0]
        elif unknown is not None:
            yield "\\", "\\"
            yield unknown, unknown
        else:
            yield chr(int(octal, 8) if octal is not None else int(short or middle or long, 16)), match[0]
    yield from ((char, char) for char in body[position:])


def _quoted(pieces: Iterator[Piece], long: bool) -> str:
    quotes = '"""' if long else '"'
    found = list(pieces)
    value = "".join(piece for piece, _ in found)
    parts = []
    quotes_in_a_row = 0
    at = -1
    for piece, source in found:
        at += len(piece)
        if piece == '"' and long:
            # Up to two quotes may stand as they are, because something else follows them.
            plain = (
                quotes_in_a_row == 1
                or value[at + 1 : at + 2] not in ("", '"')
                or value[at + 2 : at + 3] not in ("", '"')
            )
            starts_pair = plain and quotes_in_a_row == 0 and value[at + 1 : at + 2] == '"'
            parts.append('"' if plain else '\\"')
            quotes_in_a_row = 1 if starts_pair else 0
            continue
        parts.append(_character(piece, source, long))
    return f"{quotes}{''.join(parts)}{quotes}"


def _character(piece: str, source: str, long: bool) -> str:
    if piece in _WRITTEN:
        return piece if long and piece == "\n" else f"\\{_WRITTEN[piece]}"
    if piece in ("\\", '"'):
        return f"\\{piece}"
    if piece and piece < " ":
        return f"\\{ord(piece):03o}"
    # A character beyond ASCII stays as it was written: as bytes in octal, it would be another string in Starlark.
    return source if piece > "\x7f" else piece
