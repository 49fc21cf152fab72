"""Kinds of values, as far as they can be told before a file runs: what operators, methods and functions make of them."""

from __future__ import annotations

from dataclasses import dataclass

SMALL = 1 << 62


@dataclass(frozen=True, slots=True)
class Value:
    """What is known of a value. `kind` is a native type, `small` of an integer below 2**62 in size, `medium` of a sum or product
    of two such, `never` before anything is bound, or nothing; `item` is of a list's items or a dict's values, `key` of its keys, `parts` of a tuple's items."""

    kind: str | None = None
    item: Value | None = None
    key: Value | None = None
    parts: tuple[Value, ...] = ()


UNKNOWN = Value()
NEVER = Value("never")
BOOL, INT, MEDIUM, SMALL_INT, FLOAT = map(Value, ("bool", "int", "medium", "small", "float"))
STR, NONE = map(Value, ("str", "NoneType"))
LIST, DICT, TUPLE, SET, BYTES, FUNCTION = map(Value, ("list", "dict", "tuple", "set", "bytes", "function"))
RANGE = Value("range", SMALL_INT)

INTS = frozenset(("small", "medium", "int"))
_NUMBERS = INTS | {"float"}
LASTING = frozenset(("bool", "int", "medium", "small", "float", "str", "NoneType", "bytes", "range", "function"))
"""The kinds whose values never change, nor are replaced by frozen ones."""


def join(a: Value, b: Value) -> Value:
    """What is known of a value that is one or the other."""
    if a.kind == "never" or a == b:
        return b
    if b.kind == "never":
        return a
    if a.kind != b.kind:
        if a.kind in INTS and b.kind in INTS:
            return INT if "int" in (a.kind, b.kind) else MEDIUM
        return UNKNOWN
    parts: tuple[Value, ...] = ()
    if len(a.parts) == len(b.parts):
        parts = tuple(map(join, a.parts, b.parts))
    return Value(a.kind, _join_some(a.item, b.item), _join_some(a.key, b.key), parts)


def _join_some(a: Value | None, b: Value | None) -> Value | None:
    return None if a is None or b is None else join(a, b)


def outside(value: Value) -> Value:
    """What stays known where others hold the value too: its kind."""
    return Value(value.kind) if value.item or value.key or value.parts else value


def as_item(value: Value) -> Value:
    """What is known of the value as a part of another: parts of parts are not looked at."""
    return Value(value.kind, None, None, tuple(map(outside, value.parts)))


def item_of(value: Value) -> Value:
    """What iterating over the value gives."""
    if value.kind == "dict":
        return value.key or UNKNOWN
    if value.kind == "tuple" and value.parts:
        found = NEVER
        for part in value.parts:
            found = join(found, part)
        return found
    if value.kind in ("list", "range"):
        return value.item or UNKNOWN
    return NEVER if value.kind == "never" else UNKNOWN


def binary(operator: str, a: Value, b: Value, divisor: object = None) -> Value:
    """What `a operator b` gives; `divisor` is the right side if it is written out."""
    if a.kind == "never" or b.kind == "never":
        return NEVER
    if a.kind in INTS and b.kind in INTS:
        if operator == "/":
            return FLOAT
        if operator in ("%", "//") and type(divisor) is int and 0 < divisor < SMALL:
            return SMALL_INT if operator == "%" else a
        if operator in ("&", "|", "^") and a.kind == b.kind:
            return a
        return MEDIUM if a.kind == b.kind == "small" and operator in ("+", "-", "*") else INT
    if a.kind in _NUMBERS and b.kind in _NUMBERS:
        return FLOAT if operator in ("+", "-", "*", "/", "//", "%") else UNKNOWN
    if operator == "%" and a.kind == "str":
        return STR
    if operator == "+" and a.kind == b.kind and a.kind in ("str", "bytes", "list", "tuple"):
        return Value("list", _join_some(a.item, b.item)) if a.kind == "list" else Value(a.kind)
    if operator == "*":
        for one, other in ((a, b), (b, a)):
            if one.kind in ("str", "bytes", "list", "tuple") and other.kind in INTS:
                return Value(one.kind, one.item)
    return UNKNOWN


_TEXTS = Value("list", STR)
_TEXT_METHODS = {
    **dict.fromkeys(("upper", "lower", "title", "capitalize", "strip", "lstrip", "rstrip", "replace", "join"), STR),
    **dict.fromkeys(("format", "removeprefix", "removesuffix"), STR),
    **dict.fromkeys(("split", "rsplit", "splitlines"), _TEXTS),
    **dict.fromkeys(("partition", "rpartition"), Value("tuple", None, None, (STR, STR, STR))),
    **dict.fromkeys(("startswith", "endswith", "isalnum", "isalpha", "isdigit", "islower", "isspace"), BOOL),
    **dict.fromkeys(("istitle", "isupper"), BOOL),
    **dict.fromkeys(("find", "rfind", "index", "rindex", "count"), SMALL_INT),
}
_CHANGE = frozenset(("append", "clear", "extend", "insert", "remove", "pop", "popitem", "setdefault", "update", "add"))


def method(receiver: Value, name: str, arguments: list[Value]) -> Value:
    """What a method of a native value gives."""
    if receiver.kind == "never":
        return NEVER
    if receiver.kind == "str":
        return _TEXT_METHODS.get(name, UNKNOWN)
    if receiver.kind == "dict":
        key, item = receiver.key or UNKNOWN, receiver.item or UNKNOWN
        if name == "items":
            return Value("list", Value("tuple", None, None, (key, item)))
        if name == "keys" or name == "values":
            return Value("list", key if name == "keys" else item)
        if name == "get" and 1 <= len(arguments) <= 2:
            return join(item, as_item(arguments[1]) if len(arguments) == 2 else NONE)
    if receiver.kind == "list":
        if name in ("append", "extend", "insert", "clear", "remove"):
            return NONE
        if name == "pop":
            return receiver.item or UNKNOWN
        if name == "index":
            return SMALL_INT
    return UNKNOWN


def changes(receiver: Value, name: str) -> bool:
    """Whether the method may change anything."""
    if receiver.kind in LASTING or receiver.kind == "tuple":
        return False
    return receiver.kind not in ("list", "dict") or name in _CHANGE


_FUNCTIONS = {
    "len": SMALL_INT, "hash": SMALL_INT, "ord": SMALL_INT, "str": STR, "repr": STR, "type": STR, "chr": STR, "int": INT,
    "float": FLOAT, "bool": BOOL, "any": BOOL, "all": BOOL, "hasattr": BOOL, "dict": DICT, "set": SET, "range": RANGE,
    "dir": _TEXTS, "bytes": BYTES, "print": NONE,
}  # fmt: skip


def function(name: str, arguments: list[Value], *, plain: bool) -> Value:
    """What a function of the universe gives; `plain` if all arguments are given by place, one by one."""
    known = _FUNCTIONS.get(name)
    if known is not None:
        return Value("dict", NEVER, NEVER) if name == "dict" and plain and not arguments else known
    first = item_of(arguments[0]) if arguments and plain else UNKNOWN
    if name in ("list", "sorted", "reversed"):
        return Value("list", NEVER if name == "list" and plain and not arguments else as_item(first))
    if name == "enumerate":
        at = SMALL_INT if plain and len(arguments) == 1 else INT
        return Value("list", Value("tuple", None, None, (at, outside(first))))
    if name == "zip":
        parts = tuple(outside(item_of(each)) for each in arguments) if plain else ()
        return Value("list", Value("tuple", None, None, parts))
    if name == "tuple":
        return TUPLE
    if name == "abs" and arguments and plain and arguments[0].kind in _NUMBERS:
        return arguments[0]
    return UNKNOWN
