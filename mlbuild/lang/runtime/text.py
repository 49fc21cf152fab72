"""Values as text: `str`, `repr`, `%` and `format`."""

from __future__ import annotations

import math
from types import FunctionType

from mlbuild.lang.runtime.thread import charge, grow, limits
from mlbuild.lang.runtime.values import DICTS, LISTS, TYPES, Builtin, Set, Struct, fail, type_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Callable
    from typing import Any, NoReturn

_ESCAPES = {"\n": "\\n", "\t": "\\t", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
_TO_ESCAPE = r'[\x00-\x1f"\\\x7f\ud800-\udfff]'
_INT_CHUNK = 10**4000


_FREE = 32
"""Text of so many characters is paid for by the steps that make it."""
SCANNED = 1024
"""Longer text costs steps to be looked through."""


def sized(text: Any) -> Any:
    """The string or bytes that were made, if they are not too long; all but short ones cost memory."""
    length = len(text)
    if length > _FREE:
        spend(length, 1 if text.isascii() else 4)
    return text


def spend(length: int, width: int = 1) -> None:
    """Pays for text of that length, before it is made or at once after; `width` is what a character takes at most."""
    if length > SCANNED:
        if length > limits().text:
            too_long(length)
        charge(length >> 10)
    grow(64 + length * width)


def too_long(length: int) -> NoReturn:
    """The text would be longer than the limit."""
    message = f"a string of {length} characters is too long (the limit is {limits().text})"
    fail("too-large", message, "keep long texts in files, which actions read")


def scanned(text: Any) -> None:
    """A method looks through the text."""
    length = len(text)
    if length > SCANNED:
        charge(length >> 7)


def held(text: Any) -> Any:
    """The text as a part of what is to be made of it: long parts are paid for before they are put together."""
    length = len(text)
    if length > 4096:
        spend(length, 1 if text.isascii() else 4)
    return text


def str_value(value: Any) -> str:
    """What `str(value)` gives."""
    import re

    kind = type(value)
    if kind is str:
        return value  # type: ignore[no-any-return]
    if kind is bytes:
        if len(value) > _FREE:
            spend(len(value), 4)
        return re.sub(r"[\udc80-\udcff]", "\ufffd", value.decode("utf-8", "surrogateescape"))
    if kind not in TYPES and (method := getattr(kind, "starlark_str", None)) is not None:
        return str(method(value))
    return repr_value(value)


def repr_value(value: Any) -> str:
    """What `repr(value)` gives."""
    out: list[str] = []
    _write(value, out, ())
    return sized("".join(out))  # type: ignore[no-any-return]


_PIECE = 64
"""What a piece of a long text takes until it is joined, a list's place among it."""


def _write(value: Any, out: list[str], inside: tuple[Any, ...]) -> None:
    kind = type(value)
    if kind is str:
        out.append(quote(value))
    elif kind is int:
        out.append(int_text(value))
    elif kind is bool or value is None:
        out.append(str(value))
    elif kind is float:
        out.append(float_text(value))
    elif kind in LISTS or kind in DICTS or kind is tuple or kind is Set or kind is Struct:
        if any(value is outer for outer in inside):
            out.append(
                "{...}" if kind in DICTS else "[...]" if kind in LISTS else "(...)" if kind is tuple else "struct(...)"
            )
            return
        inside = (*inside, value)
        if len(inside) > 200:
            fail("too-deep", "value nesting depth limit exceeded")
        count = len(value.fields if kind is Struct else value)
        charge(16 * count + 16)
        grow(_PIECE * (count + 1))
        if kind in DICTS:
            out.append("{")
            for index, (key, item) in enumerate(value.items()):
                out.append(", " if index else "")
                _write(key, out, inside)
                out.append(": ")
                _write(item, out, inside)
            out.append("}")
        elif kind is Struct:
            out.append("struct(")
            for index, name in enumerate(sorted(value.fields)):
                out.append(f"{', ' if index else ''}{name} = ")
                _write(value.fields[name], out, inside)
            out.append(")")
        elif kind is Set and not value:
            out.append("set()")
        else:
            opening, closing = ("(", ")") if kind is tuple else ("set([", "])") if kind is Set else ("[", "]")
            out.append(opening)
            for index, item in enumerate(value):
                out.append(", " if index else "")
                _write(item, out, inside)
            out.append("," if kind is tuple and len(value) == 1 else "")
            out.append(closing)
    else:
        out.append(_atom(value))


def _atom(value: Any) -> str:
    kind = type(value)
    if kind is bytes:
        return "b" + quote_bytes(value)
    if kind is range:
        if value.step != 1:
            return f"range({value.start}, {value.stop}, {value.step})"
        return f"range({value.start}, {value.stop})"
    if kind is FunctionType:
        name = value.__name__.lstrip("·")
        return f"<function {'lambda' if name == '<lambda>' else name}>"
    if kind is Builtin:
        if value.receiver is not None:
            return f"<built-in method {value.name} of {type_name(value.receiver)} value>"
        return f"<built-in function {value.name}>"
    method = getattr(kind, "starlark_repr", None)
    return str(method(value)) if method is not None else f"<{type_name(value)}>"


def quote(text: str) -> str:
    """The string as a literal."""
    return sized(f'"{in_parts(text, _escaped)}"')  # type: ignore[no-any-return]


_PART = 1 << 14


def in_parts(text: str, change: Callable[[str], str]) -> str:
    """The text changed by a function that takes much memory for a while, part by part if it is long."""
    if len(text) <= _FREE:
        return change(text)
    parts = []
    for start in range(0, len(text), _PART):
        part = text[start : start + _PART]
        changed = change(part)
        charge((len(part) >> 3) + 16 * (len(changed) - len(part)))
        if len(text) <= _PART:
            return changed
        parts.append(sized(changed))
    spend(sum(map(len, parts)), 1 if text.isascii() else 4)
    return "".join(parts)


def _escaped(text: str) -> str:
    import re

    return _printable(re.sub(_TO_ESCAPE, _escape, text))


def _printable(text: str) -> str:
    """Without what is not seen, such as marks that turn the direction of writing."""
    if text.isprintable():
        return text
    charge(4 * len(text))
    return "".join(each if each.isprintable() else _unseen(ord(each)) for each in text)


def _unseen(code: int) -> str:
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    known = _ESCAPES.get(char)
    if known is not None:
        return known
    return f"\\x{ord(char):02x}" if char < "\x80" else f"\\u{ord(char):04x}"


def quote_bytes(data: bytes) -> str:
    """The bytes as a literal, without the `b`."""
    import re

    if len(data) > _FREE:
        charge(4 * len(data))
        spend(4 * len(data), 8)
    text = data.decode("utf-8", "surrogateescape")
    return (
        '"'
        + "".join(
            f"\\x{ord(c) - 0xDC00:02x}" if "\udc80" <= c <= "\udcff" else _printable(re.sub(_TO_ESCAPE, _escape, c))
            for c in text
        )
        + '"'
    )


def int_text(value: int) -> str:
    """The decimal digits, whatever the interpreter's limit on them."""
    if (bits := value.bit_length()) < 13000:
        return str(value)
    charge((bits >> 7) ** 2 >> 1)
    sign, value = ("-", -value) if value < 0 else ("", value)
    parts = []
    while value:
        value, rest = divmod(value, _INT_CHUNK)
        parts.append(f"{rest:04000d}" if value else str(rest))
    return sign + "".join(reversed(parts))


def float_text(value: float) -> str:
    """The shortest text that reads back as the same number."""
    if value != value:
        return "nan"
    if math.isinf(value):
        return "+inf" if value > 0 else "-inf"
    text = repr(value)
    mantissa, e, exponent = text.partition("e")
    if e and 1e16 <= abs(value) < 1e17:
        return f"{value:.1f}"
    if e:
        return f"{mantissa}e{exponent[0] if exponent[0] in '+-' else '+'}{exponent.lstrip('+-').zfill(2)}"
    return text


_PERCENT = r"(?s)%(.?)"


def percent(template: str, operand: Any) -> str:
    """`template % operand`."""
    import re

    arguments = operand if type(operand) is tuple else (operand,)
    used = 0
    if len(template) > SCANNED:
        charge(len(template) + 8 * template.count("%"))

    def substitute(match: re.Match[str]) -> str:
        nonlocal used
        conversion = match[1]
        if conversion == "%":
            return "%"
        if not conversion:
            fail("bad-format", "incomplete format pattern ends with %: " + quote(template))
        if conversion not in "srdioxXeEfFgGc":
            fail(
                "bad-format",
                f'unsupported format character "{conversion}" at index {match.start() + 1} in {quote(template)}',
            )
        if used >= len(arguments):
            fail("bad-format", f"not enough arguments for format pattern {quote(template)}: {repr_value(arguments)}")
        value = arguments[used]
        used += 1
        return held(convert(conversion, value))  # type: ignore[no-any-return]

    result = re.sub(_PERCENT, substitute, template)
    if used < len(arguments):
        fail("bad-format", "not all arguments converted during string formatting")
    return sized(result)  # type: ignore[no-any-return]


def convert(conversion: str, value: Any) -> str:
    """One value by one conversion of `%`."""
    if conversion == "s":
        return str_value(value)
    if conversion == "r":
        return repr_value(value)
    kind = type(value)
    if conversion == "c":
        if kind is int and 0 <= value < 0x110000:
            return "\ufffd" if 0xD800 <= value < 0xE000 else chr(value)
        if kind is str and len(value) == 1:
            return value  # type: ignore[no-any-return]
        fail("bad-format", f"got {type_name(value)} for '%c' format, want a single character or a valid code point")
    if kind is not int and kind is not float:
        fail("bad-format", f"got {type_name(value)} for '%{conversion}' format, want int or float")
    if conversion in "dioxX":
        if kind is float:
            if not math.isfinite(value):
                fail("bad-format", f"got {float_text(value)}, want a finite number")
            value = int(value)
        return int_text(value) if conversion in "di" else ("%" + conversion) % value
    try:
        number = float(value)
    except OverflowError:
        fail("out-of-range", "int too large to convert to float")
    if not math.isfinite(number):
        return float_text(number)
    if conversion in "gG":
        text = float_text(number)
        return text.upper() if conversion == "G" else text
    return ("%" + conversion) % number


_FIELD = r"(?s)\{\{|\}\}|\{([^{}]*)(.?)|\}"


def format_text(template: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """`template.format(*args, **kwargs)`."""
    import re

    automatic = 0
    manual = False
    if len(template) > SCANNED:
        charge(len(template) + 8 * (template.count("{") + template.count("}")))

    def substitute(match: re.Match[str]) -> str:
        nonlocal automatic, manual
        whole = match[0]
        if whole == "{{":
            return "{"
        if whole == "}}":
            return "}"
        if whole == "}":
            fail("bad-format", "format: Found '}' without matching '{'")
        field, after = match[1], match[2]
        if after != "}":
            fail(
                "bad-format",
                "format: Nested replacement fields are not supported"
                if after == "{"
                else "format: Found '{' without matching '}'",
            )
        name, bang, conversion = field.partition("!")
        if bang and conversion not in ("s", "r"):
            fail("bad-format", f"format: Unknown conversion '!{conversion}' inside replacement field")
        for char in ".[],:":
            if char in name:
                fail("bad-format", f"format: Invalid character '{char}' inside replacement field")
        digits = name[1:] if name.startswith("-") else name
        if name == "" or (digits.isascii() and digits.isdigit()):
            if (name == "" and manual) or (name and automatic):
                fail("bad-format", "format: Cannot mix manual and automatic numbering of positional fields")
            if name == "":
                position = automatic
                automatic += 1
            else:
                manual = True
                position = int(name) if len(name) < 1000 else len(args)
            if not 0 <= position < len(args):
                fail("bad-format", f"format: No replacement found for index {position}")
            value = args[position]
        elif name in kwargs:
            value = kwargs[name]
        else:
            fail("bad-format", f"format: Missing argument '{name}'")
        return held(repr_value(value) if conversion == "r" else str_value(value))  # type: ignore[no-any-return]

    return sized(re.sub(_FIELD, substitute, template))  # type: ignore[no-any-return]
