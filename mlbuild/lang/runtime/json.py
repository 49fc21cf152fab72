"""`json`: Starlark values to JSON text and back."""

from __future__ import annotations

import math

from mlbuild.lang.errors import StarlarkError
from mlbuild.lang.literals import decimal_value
from mlbuild.lang.runtime.methods_text import want
from mlbuild.lang.runtime.text import float_text, in_parts, int_text, quote, sized
from mlbuild.lang.runtime.thread import charge, grow
from mlbuild.lang.runtime.values import DICTS, LISTS, TYPES, Builtin, Namespace, Set, Struct, fail, type_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MAX_DEPTH = 500
_MISSING = object()
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
_TO_ESCAPE = r'["\\\x00-\x1f\ud800-\udfff]'


def _encode(x: Any, /) -> str:
    out: list[str] = []
    try:
        _write(x, out, ())
    except StarlarkError as error:
        raise StarlarkError.of(error.diagnostics[0].code, f"json.encode: {error.message}") from None
    return sized("".join(out))  # type: ignore[no-any-return]


def _write(value: Any, out: list[str], inside: tuple[Any, ...]) -> None:
    kind = type(value)
    depth = len(inside)
    if (kind in LISTS or kind in DICTS or kind is tuple) and any(value is outer for outer in inside):
        fail("cycle", "cycle in JSON structure")
    if depth > _MAX_DEPTH:
        fail("too-deep", "nesting depth limit exceeded")
    if value is None:
        out.append("null")
    elif kind is bool:
        out.append("true" if value else "false")
    elif kind is int:
        out.append(int_text(value))
    elif kind is float:
        if not math.isfinite(value):
            fail("invalid-value", f"cannot encode non-finite float {float_text(value)}")
        out.append(float_text(value))
    elif kind is str:
        out.append(_quoted(value))
    elif kind in DICTS:
        for key in value:
            if type(key) is not str:
                fail("wrong-type", f"dict has {type_name(key)} key, want string")
        _write_fields({key: value[key] for key in sorted(value)}, out, (*inside, value), "dict key ")
    elif kind in LISTS or kind is tuple or kind is range or kind is Set:
        _pay_for_items(len(value))
        out.append("[")
        for index, item in enumerate(value):
            out.append("," if index else "")
            try:
                _write(item, out, (*inside, value))
            except StarlarkError as error:
                raise _inside(error, f"at {type_name(value)} index {index}", depth) from None
        out.append("]")
    elif kind is Struct:
        fields = {name: value.fields[name] for name in sorted(value.fields)}
        _write_fields(fields, out, (*inside, value), "struct field .")
    else:
        names = getattr(kind, "starlark_dir", None) if kind not in TYPES else None
        if names is None or kind is Namespace:
            fail("wrong-type", f"cannot encode {type_name(value)} as JSON")
        _write_fields(
            {name: kind.starlark_attr(value, name) for name in sorted(names(value))},
            out,
            (*inside, value),
            f"{type_name(value)} field .",
        )


def _write_fields(fields: dict[str, Any], out: list[str], inside: tuple[Any, ...], what: str) -> None:
    _pay_for_items(len(fields))
    out.append("{")
    for index, (name, item) in enumerate(fields.items()):
        out.append(f"{',' if index else ''}{_quoted(name)}:")
        try:
            _write(item, out, inside)
        except StarlarkError as error:
            raise _inside(error, f"in {what}{name if what[-1] == '.' else quote(name)}", len(inside)) from None
    out.append("}")


def _pay_for_items(count: int) -> None:
    charge(20 * count + 16)
    grow(64 * count)


def _inside(error: StarlarkError, where: str, depth: int) -> StarlarkError:
    if depth > 3 or error.diagnostics[0].code == "too-deep":
        return error
    return StarlarkError.of(error.diagnostics[0].code, f"{where}: {error.message}")


def _quoted(text: str) -> str:
    return sized(f'"{in_parts(text, _escaped)}"')  # type: ignore[no-any-return]


def _escaped(text: str) -> str:
    import re

    return re.sub(_TO_ESCAPE, lambda match: _ESCAPES.get(match[0]) or _unicode_escape(match[0]), text)


def _unicode_escape(char: str) -> str:
    return "\\ufffd" if char >= "\ud800" else f"\\u{ord(char):04x}"


_BLANK = r"[ \t\r\n]*"
_PLAIN = r'[^"\\\x00-\x1f]*'
_NUMBER = r"-?[0-9a-zA-Z+\-.]*"
_VALID = r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?"
_HEX = r"[0-9a-fA-F]{4}"
_UNESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


class _Decoder:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def document(self) -> Any:
        value = self._value(0)
        self._skip()
        if self._at < len(self._text):
            self._fail(f"unexpected character {quote(self._text[self._at])} after value")
        return value

    def _fail(self, message: str, at: int | None = None) -> Any:
        fail("invalid-json", f"at offset {self._at if at is None else at}, {message}")

    def _skip(self) -> str:
        """Skips blanks; the next character, or nothing at the end."""
        import re

        match = re.compile(_BLANK).match(self._text, self._at)
        self._at = match.end() if match else self._at
        return self._text[self._at : self._at + 1]

    def _value(self, depth: int) -> Any:
        if depth > _MAX_DEPTH:
            self._fail("nesting depth limit exceeded")
        char = self._skip()
        if not char:
            return self._fail("unexpected end of file")
        if char == '"':
            return self._string()
        if char == "[":
            return self._array(depth)
        if char == "{":
            return self._object(depth)
        for word, value in (("null", None), ("true", True), ("false", False)):
            if self._text.startswith(word, self._at):
                self._at += len(word)
                return value
        if char in "-0123456789":
            return self._number()
        return self._fail(f"unexpected character {quote(char)}")

    def _array(self, depth: int) -> list[Any]:
        self._at += 1
        items: list[Any] = []
        if self._skip() == "]":
            self._at += 1
            return items
        while True:
            items.append(self._value(depth + 1))
            char = self._skip()
            if char not in (",", "]"):
                self._fail("unexpected end of file" if not char else f"in array, got {quote(char)}, want ',' or ']'")
            self._at += 1
            if char == "]":
                return items

    def _object(self, depth: int) -> dict[str, Any]:
        self._at += 1
        entries: dict[str, Any] = {}
        if self._skip() == "}":
            self._at += 1
            return entries
        while True:
            key = self._value(depth + 1)
            if type(key) is not str:
                self._fail(f"got {type_name(key)} for object key, want string")
            char = self._skip()
            if char != ":":
                self._fail("unexpected end of file" if not char else f"after object key, got {quote(char)}, want ':'")
            self._at += 1
            entries[key] = self._value(depth + 1)
            char = self._skip()
            if char not in (",", "}"):
                self._fail("unexpected end of file" if not char else f"in object, got {quote(char)}, want ',' or '}}'")
            self._at += 1
            if char == "}":
                return entries

    def _number(self) -> int | float:
        import re

        start = self._at
        match = re.compile(_NUMBER).match(self._text, start)
        text = match[0] if match else ""
        valid = re.fullmatch(_VALID, text)
        if valid is None and (letter := re.search(r"[a-zA-Z]", text)) and letter[0] not in "eE" and letter.start() > 0:
            valid = re.fullmatch(_VALID, text[: letter.start()])
            text = text[: letter.start()]
        if valid is None:
            return self._fail(f"invalid number: {text}", start)  # type: ignore[no-any-return]
        self._at += len(text)
        if valid[1] or valid[2]:
            return float(text)
        digits = text.lstrip("-")
        value = int(digits) if len(digits) < 4000 else decimal_value(digits)
        return -value if text[0] == "-" else value

    def _string(self) -> str:
        import re

        start = self._at
        self._at += 1
        parts: list[str] = []
        while True:
            match = re.compile(_PLAIN).match(self._text, self._at)
            if match:
                parts.append(match[0])
                self._at = match.end()
            char = self._text[self._at : self._at + 1]
            if char == '"':
                self._at += 1
                text = "".join(parts)
                try:  # escaped surrogate pairs become one character, lone ones the replacement
                    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
                except UnicodeError:
                    return text
            if not char:
                self._fail("unclosed string literal", start)
            if char != "\\":
                self._fail(f"invalid character '\\x{ord(char):02x}' in string literal")
            parts.append(self._escape())

    def _escape(self) -> str:
        import re

        char = self._text[self._at + 1 : self._at + 2]
        if char == "u":
            match = re.compile(_HEX).match(self._text, self._at + 2)
            if match is None:
                self._fail("incomplete \\uXXXX escape")
                return ""
            self._at += 6
            return chr(int(match[0], 16))
        if char not in _UNESCAPES:
            self._fail(f"invalid escape '\\{char}'" if char else "unclosed string literal")
        self._at += 2
        return _UNESCAPES[char]


def _decode(x: Any, /, default: Any = _MISSING) -> Any:
    want("decode", "x", x, str)
    charge(4 * len(x))
    grow(len(x) * (20 if x.isascii() else 24))
    try:
        return _Decoder(x).document()
    except StarlarkError:
        if default is not _MISSING:
            return default
        raise


def _indent(s: Any, /, *, prefix: Any = "", indent: Any = "\t") -> str:
    want("indent", "s", s, str)
    want("indent", "prefix", prefix, str)
    want("indent", "indent", indent, str)
    charge(2 * len(s))
    grow(16 * len(s))
    return sized(_indented(s, prefix, indent))  # type: ignore[no-any-return]


_TOKEN = r'(?s)\s*("(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+|"|$)'

_BEGINS = frozenset('[{,:"-0123456789tfn')


def _indented(text: str, prefix: str, indent: str) -> str:
    """Lays JSON out anew. Looks at brackets, strings and first letters only, so that depth costs nothing."""
    import re

    out: list[str] = []
    depth = 0
    opened = False
    for match in re.finditer(_TOKEN, text):
        token = match[1]
        if token == '"':
            fail("invalid-json", "input is not valid JSON: unclosed string literal")
        if not token:
            break
        if token in "]}":
            depth -= 1
            if depth < 0:
                fail("invalid-json", f"input is not valid JSON: unexpected character {quote(token)}")
            out.append(token if opened else "\n" + prefix + indent * depth + token)
            opened = False
        else:
            if token[0] not in _BEGINS:
                fail("invalid-json", f"input is not valid JSON: unexpected character {quote(token[0])}")
            if opened:
                out.append("\n" + prefix + indent * depth)
            opened = token in "[{"
            depth += opened
            out.append(",\n" + prefix + indent * depth if token == "," else ": " if token == ":" else token)
        if opened or token == ",":
            grow(depth * len(indent) + len(prefix))
    if depth:
        fail("invalid-json", "input is not valid JSON: unexpected end of file")
    return "".join(out)


def _encode_indent(x: Any, /, *, prefix: Any = "", indent: Any = "\t") -> str:
    return _indent(_encode(x), prefix=prefix, indent=indent)


_FUNCTIONS = {"decode": _decode, "encode": _encode, "encode_indent": _encode_indent, "indent": _indent}
for _name, _function in _FUNCTIONS.items():
    _function.__name__ = _function.__qualname__ = _name

JSON = Namespace("json", {name: Builtin(name, function) for name, function in _FUNCTIONS.items()})
"""`json`, for hosts to give to modules."""
