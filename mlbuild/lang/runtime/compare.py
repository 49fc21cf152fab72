"""Equality and order, where Starlark's differ from Python's: `True` is not 1, NaN equals itself."""

from __future__ import annotations

import _operator as operator  # the module in Python around it costs a tenth of the start

from mlbuild.lang.errors import StarlarkError
from mlbuild.lang.runtime.thread import charge
from mlbuild.lang.runtime.values import DICTS, LISTS, TYPES, Set, Struct, type_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any


def equal(a: Any, b: Any) -> bool:
    """`a == b`, where `True` is not 1 and NaN equals itself."""
    kind = type(a)
    if kind is type(b) and kind in _PLAIN:
        return bool(a == b)
    if kind is float or kind is int:
        other = type(b)
        if kind is float and a != a:
            return other is float and b != b
        return (other is int or other is float) and bool(a == b)
    if kind is bool or type(b) is bool:
        return a is b
    if a is b:
        return True
    other = type(b)
    if kind not in TYPES or other not in TYPES:
        return _host_equal(a, b)
    if (kind in LISTS and other in LISTS) or (kind is tuple and other is tuple):
        return len(a) == len(b) and _equal_items(a, b)
    if kind in DICTS and other in DICTS:
        if len(a) != len(b) or a.keys() != b.keys() or _bools(a) != _bools(b):
            return False
        charge(8 * len(a) + 8)
        return _equal_items([*a.values()], [b[key] for key in a])
    if kind is Set and other is Set:
        charge(len(a))
        return a == b and _bools(a) == _bools(b)
    return bool(a == b)


def _equal_items(a: Any, b: Any) -> bool:
    """Whether so many items are equal, one by one. Python compares them only if it does as Starlark would, without any depth."""
    if _ALIKE.issuperset(map(type, a)) and _ALIKE.issuperset(map(type, b)):
        if len(a) > 16:
            charge(len(a))
        return bool(a == b)
    charge(6 * len(a) + 6)
    return all(map(equal, a, b))


_PLAIN = frozenset((str, int, bool, type(None), bytes))
_ALIKE = frozenset((str, int, type(None), bytes))


def _host_equal(a: Any, b: Any) -> bool:
    for one, other in ((a, b), (b, a)):
        kind = type(one)
        if kind not in TYPES and kind is not Struct and getattr(kind, "__eq__", None) is not object.__eq__:
            return one.__eq__(other) is True
    return type(a) is Struct and a == b


def _bools(keys: Iterable[Any]) -> set[bool]:
    return {key for key in keys if type(key) is bool}


def not_equal(a: Any, b: Any) -> bool:
    return not equal(a, b)


def _order(name: str, compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def ordered(a: Any, b: Any) -> bool:
        kind = type(a)
        if kind is type(b) and kind in _ORDERED:
            return compare(a, b)
        if (kind is int or kind is float) and type(b) in _NUMBERS:
            if a != a or b != b:  # NaN is the greatest of all
                return compare(a != a, b != b)
            return compare(a, b)
        if (kind is tuple and type(b) is tuple) or (kind in LISTS and type(b) in LISTS):
            charge(6 * min(len(a), len(b)) + 6)
            for x, y in zip(a, b, strict=False):
                if not equal(x, y):
                    return ordered(x, y)
            return compare(len(a), len(b))
        if kind not in TYPES or type(b) not in TYPES:
            found = host_binary(name, a, b)
            if found is not NotImplemented:
                return bool(found)
        raise StarlarkError.of("bad-operands", f"unsupported comparison: {type_name(a)} <=> {type_name(b)}")

    return ordered


_ORDERED = frozenset((int, str, bool, bytes))
_NUMBERS = frozenset((int, float))
less = _order("<", operator.lt)
less_equal = _order("<=", operator.le)
greater = _order(">", operator.gt)
greater_equal = _order(">=", operator.ge)


def _subset_or(
    otherwise: Callable[[Any, Any], bool], compare: Callable[[int, int], bool]
) -> Callable[[Any, Any], bool]:
    """Of two sets whether one holds the other, of all else as ever."""

    def ordered(a: Any, b: Any) -> bool:
        if type(a) is not Set or type(b) is not Set:
            return otherwise(a, b)
        charge(len(a) + len(b))
        few, many = (a, b) if compare(0, 1) else (b, a)
        if not compare(len(a), len(b)) or not few.items.keys() <= many.items.keys():
            return False
        return _bools(few) == _bools(many) & few.items.keys()

    return ordered


SUBSETS = {
    "<": _subset_or(less, operator.lt),
    "<=": _subset_or(less_equal, operator.le),
    ">": _subset_or(greater, operator.gt),
    ">=": _subset_or(greater_equal, operator.ge),
}


def host_binary(name: str, a: Any, b: Any) -> Any:
    """What the host's values make of the operator, or NotImplemented."""
    for one, other, reflected in ((a, b, False), (b, a, True)):
        kind = type(one)
        if kind not in TYPES and (method := getattr(kind, "starlark_binary", None)) is not None:
            found = method(one, name, other, reflected)
            if found is not NotImplemented:
                return found
    return NotImplemented
