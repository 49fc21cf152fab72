"""The methods of strings and bytes."""

from __future__ import annotations

from mlbuild.lang.runtime.loops import elements
from mlbuild.lang.runtime.text import SCANNED, format_text, quote, repr_value, scanned, sized, spend
from mlbuild.lang.runtime.thread import charge, grow
from mlbuild.lang.runtime.values import TYPES, fail, type_name
from mlbuild.lang.runtime.views import BytesElems, StringCodepoints, StringElems

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Method = Callable[..., Any]


def wrong(function: str, parameter: str, value: Any, wanted: str) -> None:
    """Refuses an argument of the wrong type."""
    message = (
        f"in call to {function}(), parameter '{parameter}' got value of type '{type_name(value)}', want '{wanted}'"
    )
    if wanted.startswith("iterable"):
        message += f": type '{type_name(value)}' is not iterable"
    fail("wrong-type", message)


def want(function: str, parameter: str, value: Any, *kinds: type) -> None:
    """Refuses an argument that is of none of the types."""
    if type(value) not in kinds:
        names = [TYPES[kind] for kind in kinds]
        wrong(function, parameter, value, names[0] if len(names) == 1 else ", ".join(names[:-1]) + " or " + names[-1])


NONE = type(None)


def _simple(name: str) -> Method:
    native = getattr(str, name)

    def method(self: str, /) -> Any:
        if len(self) > SCANNED:
            charge(len(self) >> 4)
            grow(len(self) * (1 if self.isascii() else 12))
        made = native(self)
        return sized(made) if made.__class__ is str else made

    return method


def _ascii_strip(name: str) -> Method:
    native = getattr(str, name)

    def method(self: str, chars: Any = None, /) -> str:
        want(name, "chars", chars, str, NONE)
        if len(self) > SCANNED:
            charge((len(self) >> 4) * (1 + (len(chars or "") >> 4)))
        made: str = native(self, chars)
        return made if made is self else sized(made)

    return method


def _search(name: str) -> Method:
    native = getattr(str, name)

    def method(self: str, sub: Any, start: Any = 0, end: Any = None, /) -> int:
        want(name, "sub", sub, str)
        want(name, "start", start, int, NONE)
        want(name, "end", end, int, NONE)
        scanned(self)
        try:
            return native(self, sub, start, end)  # type: ignore[no-any-return]
        except ValueError:
            fail("not-found", "substring not found")

    return method


def _affix(name: str) -> Method:
    native = getattr(str, name)

    def method(self: str, sub: Any, start: Any = 0, end: Any = None, /) -> bool:
        if type(sub) is tuple:
            for index, each in enumerate(sub):
                if type(each) is not str:
                    message = f"in call to {name}(), at index {index} of sub, got element of type {type_name(each)}, want string"
                    fail("wrong-type", message)
        else:
            want(name, "sub", sub, str, tuple)
        want(name, "start", start, int, NONE)
        want(name, "end", end, int, NONE)
        scanned(self)
        return native(self, sub, start, end)  # type: ignore[no-any-return]

    return method


def _remove(name: str, parameter: str) -> Method:
    native = getattr(str, name)

    def method(self: str, affix: Any, /) -> str:
        want(name, parameter, affix, str)
        return sized(native(self, affix))  # type: ignore[no-any-return]

    return method


def _partition(name: str) -> Method:
    native = getattr(str, name)

    def method(self: str, sep: Any, /) -> tuple[str, str, str]:
        want(name, "sep", sep, str)
        if not sep:
            fail("invalid-value", "empty separator")
        scanned(self)
        sized(self)
        return native(self, sep)  # type: ignore[no-any-return]

    return method


def _split(name: str) -> Method:
    native = getattr(str, name)

    def method(self: str, /, sep: Any = None, maxsplit: Any = None) -> list[str]:
        want(name, "sep", sep, str, NONE)
        want(name, "maxsplit", maxsplit, int, NONE)
        if sep == "":
            fail("invalid-value", f"{name}: Empty separator")
        if len(self) > SCANNED:
            pieces = self.count(sep) + 1 if sep is not None else len(self) // 2 + 1
            _pay_for_pieces(self, pieces if maxsplit is None or maxsplit < 0 else min(pieces, maxsplit + 1))
        made: list[str] = native(self, sep, -1 if maxsplit is None else maxsplit)
        if 4 < len(self) <= SCANNED:
            _pay_for_pieces(self, len(made))
        return made

    return method


def _replace(self: str, old: Any, new: Any, count: Any = -1, /) -> str:
    want("replace", "old", old, str)
    want("replace", "new", new, str)
    want("replace", "count", count, int)
    scanned(self)
    if len(new) > len(old) and (len(self) + 1) * (len(new) + 1) > 4096:
        times = self.count(old)
        times = times if count < 0 else min(times, count)
        width = 1 if self.isascii() and new.isascii() else 4
        spend(len(self) + times * (len(new) - len(old)), width)
        return self.replace(old, new, count)
    return sized(self.replace(old, new, count))  # type: ignore[no-any-return]


def _join(self: str, items: Any, /) -> str:
    if type(items) is str:
        wrong("join", "elements", items, "iterable")
    pieces = items if type(items) in (list, tuple) else list(elements(items))
    size = 0
    width = 1 if self.isascii() else 4
    if len(pieces) > 64:
        charge(len(pieces))
    for index, piece in enumerate(pieces):
        if type(piece) is not str:
            fail("wrong-type", f"expected string for sequence element {index}, got '{type_name(piece)}'")
        size += len(piece) + len(self)
        if width == 1 and not piece.isascii():
            width = 4
    if size > 32:
        spend(size, width)
    return self.join(pieces)


_LINES = r"\r\n|\r|\n"


def _splitlines(self: str, keepends: Any = False, /) -> list[str]:
    import re

    want("splitlines", "keepends", keepends, bool)
    if len(self) > 4:
        pieces = self.count("\n") + self.count("\r") + 1
        charge(6 * pieces)
        _pay_for_pieces(self, pieces)
    lines = []
    start = 0
    for match in re.finditer(_LINES, self):
        lines.append(self[start : match.end() if keepends else match.start()])
        start = match.end()
    if start < len(self):
        lines.append(self[start:])
    return lines


def _pay_for_pieces(text: str, pieces: int) -> None:
    """Pays for a list of the pieces of the text, each a string."""
    charge((len(text) >> 7) + pieces)
    grow(72 * pieces + len(text) * (1 if text.isascii() else 4))


def _elems(self: str, /) -> StringElems:
    return StringElems(lambda: f"{quote(self)}.elems()", self)


def _ords(self: str) -> list[int]:
    charge(len(self))
    grow(len(self) * (8 if self.isascii() else 40))
    return list(map(ord, self))


def _elem_ords(self: str, /) -> StringElems:
    return StringElems(lambda: f"{quote(self)}.elem_ords()", _ords(self))


def _codepoints(self: str, /) -> StringCodepoints:
    return StringCodepoints(lambda: f"{quote(self)}.codepoints()", self)


def _codepoint_ords(self: str, /) -> StringCodepoints:
    return StringCodepoints(lambda: f"{quote(self)}.codepoint_ords()", _ords(self))


def _format(self: str, /, *args: Any, **kwargs: Any) -> str:
    return format_text(self, args, kwargs)


def _title(self: str, /) -> str:
    import re

    if len(self) > 32:
        charge(2 * len(self))
        grow(16 * len(self))
    return sized(re.sub(r"[^\W\d_]+", lambda match: match[0].capitalize(), self))  # type: ignore[no-any-return]


def _bytes_elems(self: bytes, /) -> BytesElems:
    return BytesElems(lambda: f"{repr_value(self)}.elems()", self)


STRING_METHODS: dict[str, Method] = {
    **{
        name: _simple(name)
        for name in [
            "capitalize",
            "isalnum",
            "isalpha",
            "isdigit",
            "islower",
            "isspace",
            "istitle",
            "isupper",
            "lower",
            "upper",
        ]
    },
    **{name: _ascii_strip(name) for name in ("strip", "lstrip", "rstrip")},
    **{name: _search(name) for name in ("find", "rfind", "index", "rindex", "count")},
    **{name: _affix(name) for name in ("startswith", "endswith")},
    **{name: _partition(name) for name in ("partition", "rpartition")},
    **{name: _split(name) for name in ("split", "rsplit")},
    "removeprefix": _remove("removeprefix", "prefix"),
    "removesuffix": _remove("removesuffix", "suffix"),
    "replace": _replace,
    "join": _join,
    "splitlines": _splitlines,
    "elems": _elems,
    "codepoints": _codepoints,
    "elem_ords": _elem_ords,
    "codepoint_ords": _codepoint_ords,
    "format": _format,
    "title": _title,
}
BYTES_METHODS: dict[str, Method] = {"elems": _bytes_elems}
