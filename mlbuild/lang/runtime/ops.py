"""Operators, wherever Python's and Starlark's differ. Lowered code calls these by short names."""

from __future__ import annotations

import math
import sys

from mlbuild.lang.errors import StarlarkError
from mlbuild.lang.runtime import containers
from mlbuild.lang.runtime.compare import host_binary
from mlbuild.lang.runtime.keys import pay_for_entries, store
from mlbuild.lang.runtime.loops import ITERATING, elements, mutable
from mlbuild.lang.runtime.text import convert, held, percent, spend, str_value
from mlbuild.lang.runtime.thread import charge, grow, limits
from mlbuild.lang.runtime.values import DICTS, LISTS, SIZED, TYPES, FrozenList, Set, fail, type_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

_MAX_SHIFT = 512
_INT_MAX = (1 << 31) - 1
_NUMBERS = frozenset((int, float))


def _unsupported(name: str, a: Any, b: Any) -> Any:
    if type(a) not in TYPES or type(b) not in TYPES:
        found = host_binary(name, a, b)
        if found is not NotImplemented:
            return found
    hint = None
    if name == "+" and str in (type(a), type(b)) and {type(a), type(b)} & {int, float, bool}:
        hint = "convert with `str(...)`"
    for kind in (type(a), type(b)):
        if kind not in TYPES:
            hint = getattr(kind, "starlark_hint", hint)
    message = f"unsupported binary operation: {type_name(a)} {name} {type_name(b)}"
    raise StarlarkError.of("bad-operands", message, hint)


def _too_large() -> NoReturn:
    fail("out-of-range", "int too large to convert to float")


def _numbers(a: Any, b: Any) -> bool:
    return type(a) in _NUMBERS and type(b) in _NUMBERS


def add(a: Any, b: Any) -> Any:
    kind = type(a)
    if kind is type(b):
        if kind is int:
            return whole(a + b)
        if kind is float:
            return a + b
        if kind is str or kind is bytes:
            length = len(a) + len(b)
            if length > 32:
                spend(length, 1 if kind is bytes or (a.isascii() and b.isascii()) else 4)
            return a + b
    if _numbers(a, b):
        try:
            return float(a) + float(b)
        except OverflowError:
            _too_large()
    if (kind is tuple and type(b) is tuple) or (kind in LISTS and type(b) in LISTS):
        if (count := len(a) + len(b)) > 8:
            copied(count)
        return [*a, *b] if kind is not tuple else a + b
    return _unsupported("+", a, b)


def copied(count: int) -> None:
    """Pays for a list or a tuple of so many elements that there are already."""
    grow(8 * count)
    charge(count >> 3)


def whole(value: int) -> int:
    """The integer, if it is not too large."""
    if not -_LARGE < value < _LARGE and value.bit_length() > limits().bits:
        too_many_bits(value.bit_length())
    return value


_LARGE = 1 << 4096


def too_many_bits(bits: int) -> NoReturn:
    """The integer would be larger than the limit."""
    message = f"integer too large: {bits} bits (the limit is {limits().bits})"
    fail("integer-too-large", message, "use floats, or a text of digits")


def _laboured(a: int, b: int) -> None:
    """Multiplication and division of large integers take the product of their lengths."""
    if not (-_LARGE < a < _LARGE and -_LARGE < b < _LARGE):
        charge((a.bit_length() >> 8) * ((b.bit_length() >> 8) + 1))


def subtract(a: Any, b: Any) -> Any:
    if type(a) is int and type(b) is int:
        return whole(a - b)
    if _numbers(a, b):
        try:
            return float(a) - float(b)
        except OverflowError:
            _too_large()
    if type(a) is Set and type(b) is Set:
        pay_for_entries(len(a))
        return Set(item for item in elements(a) if item not in b.items)
    return _unsupported("-", a, b)


def multiply(a: Any, b: Any) -> Any:
    kind, other = type(a), type(b)
    if kind is int and other is int:
        if (bits := a.bit_length() + b.bit_length()) > 4096:
            if bits > limits().bits:
                too_many_bits(bits)
            _laboured(a, b)
        return a * b
    if _numbers(a, b):
        try:
            return float(a) * float(b)
        except OverflowError:
            _too_large()
    if other is int and (kind in LISTS or kind in _REPEATED):
        return _repeat(a, b)
    if kind is int and (other in LISTS or other in _REPEATED):
        return _repeat(b, a)
    return _unsupported("*", a, b)


_REPEATED = frozenset((str, bytes, tuple))


def _repeat(value: Any, count: int) -> Any:
    if not -_INT_MAX - 1 <= count <= _INT_MAX:
        fail("out-of-range", f"got {count} for repeat, want value in signed 32-bit range")
    is_text = type(value) is str or type(value) is bytes
    length = len(value) * max(count, 0)
    if length > limits().text:
        unit = "characters" if is_text else "elements"
        fail("too-large", f"excessive repeat ({len(value)} * {count} {unit})")
    if length > 8:
        if not is_text:
            copied(length)
        elif length > 32:
            spend(length, 1 if type(value) is bytes or value.isascii() else 4)
    return list(value) * count if type(value) is FrozenList else value * count


def divide(a: Any, b: Any) -> Any:
    if _numbers(a, b):
        try:
            x, y = float(a), float(b)
        except OverflowError:
            _too_large()
        if y == 0:
            fail("division-by-zero", "floating-point division by zero")
        return x / y
    return _unsupported("/", a, b)


def floor_divide(a: Any, b: Any) -> Any:
    if _numbers(a, b):
        if b == 0:
            fail("division-by-zero", "integer division by zero")
        if type(a) is int and type(b) is int:
            _laboured(a, b)
            return a // b
        try:
            x, y = float(a), float(b)
        except OverflowError:
            _too_large()
        quotient = x / y
        return float(math.floor(quotient)) if quotient and math.isfinite(quotient) else quotient
    return _unsupported("//", a, b)


def modulo(a: Any, b: Any) -> Any:
    if type(a) is str:
        return percent(a, b)
    if _numbers(a, b):
        if type(a) is int and type(b) is int:
            if b == 0:
                fail("division-by-zero", "integer modulo by zero")
            _laboured(a, b)
            return a % b
        try:
            x, y = float(a), float(b)
        except OverflowError:
            _too_large()
        if y == 0:
            fail("division-by-zero", "floating-point modulo by zero")
        if not math.isfinite(x):
            return math.nan
        rest = math.fmod(x, y)  # not Python's `%`, whose zero has the sign of `y`
        return rest + y if rest and (rest < 0) != (y < 0) else rest
    return _unsupported("%", a, b)


def union(a: Any, b: Any) -> Any:
    if type(a) is int and type(b) is int:
        return a | b
    if type(a) in DICTS and type(b) in DICTS:
        result: dict[Any, Any] = {}
        pay_for_entries(len(a) + len(b))
        for source in (elements(a), elements(b)):
            for key in source:
                store(result, key, source[key])
        return result
    if type(a) is Set and type(b) is Set:
        pay_for_entries(len(a) + len(b))
        return Set([*elements(a), *elements(b)])
    return _unsupported("|", a, b)


def intersection(a: Any, b: Any) -> Any:
    if type(a) is int and type(b) is int:
        return a & b
    if type(a) is Set and type(b) is Set:
        pay_for_entries(len(a))
        return Set(item for item in elements(a) if item in b.items)
    return _unsupported("&", a, b)


def symmetric_difference(a: Any, b: Any) -> Any:
    if type(a) is int and type(b) is int:
        return a ^ b
    if type(a) is Set and type(b) is Set:
        pay_for_entries(len(a) + len(b))
        return Set([*(x for x in elements(a) if x not in b.items), *(x for x in elements(b) if x not in a.items)])
    return _unsupported("^", a, b)


def shift_left(a: Any, b: Any) -> Any:
    if type(a) is int and type(b) is int:
        if a == 0 <= b:
            return 0
        _check_shift(b)
        if (bits := a.bit_length() + b) > 4096 and bits > limits().bits:
            too_many_bits(bits)
        return a << b
    return _unsupported("<<", a, b)


def shift_right(a: Any, b: Any) -> Any:
    if type(a) is int and type(b) is int:
        if b < 0:
            _check_shift(b)
        return a >> b
    return _unsupported(">>", a, b)


def _check_shift(count: int) -> None:
    if count < 0:
        fail("out-of-range", f"negative shift count: {count}")
    if count >= _MAX_SHIFT:
        fail("out-of-range", f"shift count too large: {count}")


def negate(a: Any) -> Any:
    return -a if type(a) in _NUMBERS else _unsupported_unary("-", a)


def plus(a: Any) -> Any:
    return a if type(a) in _NUMBERS else _unsupported_unary("+", a)


def invert(a: Any) -> Any:
    return ~a if type(a) is int else _unsupported_unary("~", a)


def _unsupported_unary(name: str, a: Any) -> NoReturn:
    fail("bad-operands", f"unsupported unary operation: {name}{type_name(a)}")


def truth(value: Any) -> bool:
    """Whether the value counts as true; only called where the kind is not known."""
    kind = type(value)
    if kind in TYPES:
        return bool(value)
    method = getattr(kind, "starlark_truth", None)
    return bool(method(value)) if method is not None else True


# Augmented assignment: lists, dicts and sets change in place
def add_in_place(a: Any, b: Any) -> Any:
    if type(a) in LISTS and type(b) in SIZED and (type(b) in LISTS or type(b) is tuple):
        mutable(a)
        if len(b) > 8:
            copied(len(b))
        a.extend(elements(b))
        return a
    if type(a) is str and type(b) is str and len(a) > 32 and sys.getrefcount(a) <= _ONLY_HOLDER:
        # Nothing but what is being assigned to holds the old text: its memory is free again.
        grow(-len(a) if a.isascii() else -4 * len(a))
    return add(a, b)


_ONLY_HOLDER = 3
"""References to a value in `add_in_place` that one variable or element holds: that, the parameter, and the argument of the question."""


def union_in_place(a: Any, b: Any) -> Any:
    if type(a) in DICTS and type(b) in DICTS:
        mutable(a)
        pay_for_entries(len(b))
        for key in elements(b):
            store(a, key, b[key])
        return a
    if type(a) is Set and type(b) is Set:
        mutable(a)
        pay_for_entries(len(b))
        a.items.update(elements(b).items)
        return a
    return union(a, b)


def _set_in_place(operate: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def in_place(a: Any, b: Any) -> Any:
        result = operate(a, b)
        if type(a) is Set and type(result) is Set:
            mutable(a)
            a.items = result.items
            return a
        return result

    return in_place


intersect_in_place = _set_in_place(intersection)
subtract_in_place = _set_in_place(subtract)
differ_in_place = _set_in_place(symmetric_difference)


def fold(first: Any, *steps: tuple[Callable[[Any, Any], Any], Any]) -> Any:
    """A long chain of operators from left to right."""
    result = first
    for operate, operand in steps:
        result = operate(result, operand)
    return result


# The ways that most programs go; what is rare goes the long way. Of the integers only 0 and 1 are equal to a bool.
def index(value: Any, key: Any) -> Any:
    """`value[key]`."""
    kind = type(value)
    try:
        if kind in DICTS:
            if type(key) is str or (type(key) is int and not 0 <= key <= 1):
                return value[key]
        elif (kind is list or kind is tuple or kind is FrozenList) and type(key) is int:
            return value[key]
    except LookupError:
        pass
    return containers.index(value, key)


def set_index(value: Any, key: Any, item: Any) -> None:
    """`value[key] = item`."""
    if type(value) is dict and not ITERATING and (type(key) is str or (type(key) is int and not 0 <= key <= 1)):
        value[key] = item
    else:
        containers.set_index(value, key, item)


def contains(item: Any, value: Any) -> bool:
    """`item in value`."""
    kind = type(item)
    if (kind is str or (kind is int and not 0 <= item <= 1)) and type(value) in DICTS:
        return item in value
    return containers.contains(item, value)


_SHORT = 10**18


def as_text(value: Any) -> str:
    """The value as `%s` and `{}` put it."""
    kind = type(value)
    if kind is str:
        return value if len(value) <= 4096 else held(value)  # type: ignore[no-any-return]
    if kind is int and -_SHORT < value < _SHORT:
        return str(value)
    return held(str_value(value))  # type: ignore[no-any-return]


def as_decimal(value: Any) -> str:
    """The value as `%d` puts it."""
    return str(value) if type(value) is int and -_SHORT < value < _SHORT else convert("d", value)
