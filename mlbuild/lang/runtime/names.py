"""The names that lowered code calls. They begin with `+` or `.`, which no Starlark name can."""

from __future__ import annotations

from types import FunctionType

from mlbuild.lang.runtime import compare, containers, keys, loops, members, ops, text, thread, values
from mlbuild.lang.runtime.library import FUNCTIONS
from mlbuild.lang.runtime.methods import METHODS
from mlbuild.lang.runtime.values import FrozenDict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def _or(a: Any, b: Any) -> Any:
    return a if ops.truth(a) else b


def _and(a: Any, b: Any) -> Any:
    return b if ops.truth(a) else a


def _caller(name: str) -> Callable[..., Any]:
    """`x.name(...)` for a name that is a method of native types: by the receiver's type."""
    tables = {kind: methods[name] for kind, methods in METHODS.items() if name in methods}
    find = tables.get

    def call(receiver: Any, /, *args: Any, **kwargs: Any) -> Any:
        method = find(type(receiver))
        if method is not None:
            return method(receiver, *args, **kwargs)
        return members.callee(members.attribute(receiver, name))(*args, **kwargs)

    return call


_append_slowly = _caller("append")


def _append(receiver: Any, /, *args: Any, **kwargs: Any) -> Any:
    if type(receiver) is list and not loops.ITERATING and len(args) == 1 and not kwargs:
        return receiver.append(args[0])
    return _append_slowly(receiver, *args, **kwargs)


def _hashed(key: Any, seen: Any = None) -> Any:
    return values.hashable(key)


_get_slowly = _caller("get")


def _append_one(receiver: Any, item: Any, /) -> Any:
    if type(receiver) is list and not loops.ITERATING:
        return receiver.append(item)
    return _append_slowly(receiver, item)


def _get(receiver: Any, key: Any, default: Any = None, /) -> Any:
    kind = receiver.__class__
    if (kind is dict or kind is FrozenDict) and (key.__class__ is str or key is None):
        return receiver.get(key, default)
    return _get_slowly(receiver, key, default)


def _get_one(receiver: Any, key: Any, /) -> Any:
    kind = receiver.__class__
    if (kind is dict or kind is FrozenDict) and (key.__class__ is str or key is None):
        return receiver.get(key)
    return _get_slowly(receiver, key)


def _each(name: str, view: Callable[[Any], Any]) -> Callable[[Any, int], Any]:
    """`for ... in d.items()` of a dict that does not change meanwhile."""
    slowly = _caller(name)

    def each(receiver: Any, steps: int, /) -> Any:
        if type(receiver) in values.DICTS:
            return loops.charged(view(receiver), len(receiver), steps)
        return loops.loop(slowly(receiver), steps)

    return each


def _text_to_text(name: str, method: Callable[[str], Any]) -> Callable[[Any], Any]:
    slowly = _caller(name)

    def call(receiver: Any, /) -> Any:
        return method(receiver) if type(receiver) is str and len(receiver) <= 32 else slowly(receiver)

    return call


def _tests_text(name: str, method: Callable[[str, str], Any]) -> Callable[[Any, Any], Any]:
    slowly = _caller(name)

    def call(receiver: Any, part: Any, /) -> Any:
        return method(receiver, part) if type(receiver) is str and type(part) is str else slowly(receiver, part)

    return call


SHORT_METHODS: dict[str, Callable[..., Any]] = {
    ".append/1": _append_one,
    ".get/1": _get_one,
    ".get/2": _get,
    ".startswith/1": _tests_text("startswith", str.startswith),
    ".endswith/1": _tests_text("endswith", str.endswith),
    ".upper/0": _text_to_text("upper", str.upper),
    ".lower/0": _text_to_text("lower", str.lower),
}
"""Methods of native types, called with so many positional arguments; what is rare goes the long way."""

NATIVE_METHODS = frozenset(name for methods in METHODS.values() for name in methods)

BINARY = {
    "+": ops.add,
    "-": ops.subtract,
    "*": ops.multiply,
    "/": ops.divide,
    "//": ops.floor_divide,
    "%": ops.modulo,
    "|": ops.union,
    "&": ops.intersection,
    "^": ops.symmetric_difference,
    "<<": ops.shift_left,
    ">>": ops.shift_right,
    "==": compare.equal,
    "!=": compare.not_equal,
    "<": compare.less,
    "<=": compare.less_equal,
    ">": compare.greater,
    ">=": compare.greater_equal,
    "in": ops.contains,
    "not in": containers.not_contains,
}
IN_PLACE = {
    "+=": ops.add_in_place,
    "-=": ops.subtract_in_place,
    "|=": ops.union_in_place,
    "&=": ops.intersect_in_place,
    "^=": ops.differ_in_place,
}

RUNTIME: dict[str, Any] = {
    **{f"+{sign}": function for sign, function in BINARY.items()},
    **{f"+{sign}": function for sign, function in IN_PLACE.items()},
    **{f"+set {sign}": function for sign, function in compare.SUBSETS.items()},
    **{f"+{name}": function for name, function in FUNCTIONS.items()},
    **{f".{name}": _caller(name) for name in NATIVE_METHODS},
    ".append": _append,
    **SHORT_METHODS,
    "+negative": ops.negate,
    "+positive": ops.plus,
    "+invert": ops.invert,
    "+truth": ops.truth,
    "+or": _or,
    "+and": _and,
    "+fold": ops.fold,
    "+attribute": members.attribute,
    "+callee": members.callee,
    "+index": ops.index,
    "+slice": containers.slice_of,
    "+set_index": ops.set_index,
    "+set_field": containers.set_field,
    "+unpack": containers.unpack,
    "+star": containers.star,
    "+star_star": containers.star_star,
    "+make_dict": keys.make_dict,
    "+hashed": _hashed,
    "+loop": loops.loop,
    "+guarded": loops.guarded,
    "+begin": loops.begin,
    "+end": loops.end,
    "+enter": thread.enter,
    "+leave": thread.leave,
    "+enter_again": thread.enter_again,
    "+leave_again": thread.leave_again,
    "+turn": thread.turn,
    "+iterating": loops.ITERATING,
    "+each items": _each("items", dict.items),
    "+each keys": _each("keys", dict.keys),
    "+each values": _each("values", dict.values),
    "+native len": len,
    "+native range": range,
    "+class function": FunctionType,
    "+class bool": bool,
    "+class int": int,
    "+class str": str,
    "+class tuple": tuple,
    "+string": text.str_value,
    "+text": ops.as_text,
    "+decimal": ops.as_decimal,
    "+sized": text.sized,
}
