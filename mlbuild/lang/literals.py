"""The values of literals, by Starlark's rules and not Python's. Refuses with ValueError, whose text is for the user."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re

_SIMPLE = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
    "'": "'",
    '"': '"',
    "\n": "",
}
_ESCAPE = r"(?s)\\(?:([\nabfnrtv\\'\"])|([0-7]{1,3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.|\Z))"
_DECIMAL_CHUNK = 4000
_MAX_DIGITS = 39_457  # of an integer of 2^17 bits


class UnknownEscape(ValueError):
    """A backslash before a character that it gives no meaning to."""


def string_value(token: str) -> str | bytes:
    """The value of a string or bytes literal, prefix and quotes included."""
    import re

    start = 0
    while token[start] in "rb":
        start += 1
    prefix, quoted = token[:start], token[start:]
    body = quoted[3:-3] if quoted[:3] in ('"""', "'''") and len(quoted) >= 6 else quoted[1:-1]
    if "b" in prefix:
        if "r" in prefix or "\\" not in body:
            return body.encode("utf-8", "surrogatepass")
        latin = body.encode("utf-8", "surrogatepass").decode("latin-1")
        return re.sub(_ESCAPE, _byte_escape, latin).encode("latin-1")
    if "r" in prefix or "\\" not in body:
        return body
    return re.sub(_ESCAPE, _text_escape, body)


def integer_value(token: str) -> int:
    """The value of an integer literal."""
    if len(token) > 1 and token[0] == "0" and token.isdigit():
        if token.strip("0"):
            raise ValueError(f"invalid octal literal `{token}`: use `0o{token[1:]}`")
        return 0
    return int(token, 0) if len(token) <= _DECIMAL_CHUNK or not token.isdigit() else decimal_value(token)


def float_value(token: str) -> float:
    """The value of a floating-point literal."""
    value = float(token)
    if value == float("inf"):
        raise ValueError(f"floating-point literal too large: {token}")
    return value


def decimal_value(digits: str) -> int:
    """The number that many decimal digits say, whatever the interpreter's limit on them."""
    if len(digits) > _MAX_DIGITS:
        raise ValueError(f"integer of {len(digits)} digits is too large")
    value = 0
    for start in range(0, len(digits), _DECIMAL_CHUNK):
        chunk = digits[start : start + _DECIMAL_CHUNK]
        value = value * 10 ** len(chunk) + int(chunk)
    return value


def _text_escape(match: re.Match[str]) -> str:
    simple, octal, hexadecimal, short, long, _ = match.groups()
    if simple is not None:
        return _SIMPLE[simple]
    if octal is not None or hexadecimal is not None:
        value = int(octal, 8) if octal is not None else int(hexadecimal, 16)
        kind = "octal" if octal is not None else "hex"
        if value > 255:
            raise ValueError(f"octal escape sequence out of range: `{match[0]}` (maximum is \\377)")
        if value > 127:
            raise ValueError(f"non-ASCII {kind} escape `{match[0]}` (use `\\u{value:04X}` for U+{value:04X})")
        return chr(value)
    if short is not None or long is not None:
        return chr(_code_point(match))
    raise _bad_escape(match)


def _byte_escape(match: re.Match[str]) -> str:
    simple, octal, hexadecimal, short, long, _ = match.groups()
    if simple is not None:
        return _SIMPLE[simple]
    if octal is not None or hexadecimal is not None:
        value = int(octal, 8) if octal is not None else int(hexadecimal, 16)
        if value > 255:
            raise ValueError(f"octal escape sequence out of range: `{match[0]}` (maximum is \\377)")
        return chr(value)
    if short is not None or long is not None:
        return chr(_code_point(match)).encode("utf-8").decode("latin-1")
    raise _bad_escape(match)


def _bad_escape(match: re.Match[str]) -> ValueError:
    kind = ValueError if match[6] in ("x", "u", "U", "") else UnknownEscape
    return kind(f"invalid escape sequence `{match[0]}`: write `\\\\` for a backslash")


def _code_point(match: re.Match[str]) -> int:
    value = int(match[4] or match[5], 16)
    if value > 0x10FFFF:
        raise ValueError(f"code point out of range: `{match[0]}` (maximum is \\U0010FFFF)")
    if 0xD800 <= value <= 0xDFFF:
        raise ValueError(f"invalid Unicode code point U+{value:04X} in `{match[0]}`")
    return value
