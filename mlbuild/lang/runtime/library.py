"""The universe: the functions that every Starlark file has."""

from __future__ import annotations

import math

from mlbuild.lang.errors import StarlarkError
from mlbuild.lang.literals import decimal_value
from mlbuild.lang.runtime.compare import greater, less
from mlbuild.lang.runtime.keys import ENTRY, store
from mlbuild.lang.runtime.loops import elements
from mlbuild.lang.runtime.members import attribute, attribute_names, callee
from mlbuild.lang.runtime.methods import mapping_of
from mlbuild.lang.runtime.methods_text import want, wrong
from mlbuild.lang.runtime.ops import truth
from mlbuild.lang.runtime.text import SCANNED, float_text, held, quote, repr_value, sized, spend, str_value
from mlbuild.lang.runtime.thread import CALL, charge, current, grow
from mlbuild.lang.runtime.values import LISTS, SIZED, TYPES, Builtin, Set, Struct, fail, hashable, type_name
from mlbuild.lang.runtime.views import BytesElems

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

_MISSING = object()
_INT_MIN, _INT_MAX = -(1 << 31), (1 << 31) - 1


def _iterable(function: str, parameter: str, value: Any) -> Any:
    if type(value) not in SIZED and (type(value) in TYPES or not hasattr(type(value), "starlark_iter")):
        wrong(function, parameter, value, "iterable")
    return elements(value)


def _len(x: Any, /) -> int:
    kind = type(x)
    if kind in SIZED or kind is str or kind is bytes:
        return len(x)
    if kind not in TYPES:
        method = getattr(kind, "starlark_len", None)
        if method is not None:
            return int(method(x))
    wrong("len", "x", x, "iterable or string")
    return 0


def _items(function: str, parameter: str, value: Any) -> list[Any]:
    """The elements in a new list, which is paid for."""
    found = _iterable(function, parameter, value)
    _pay_for(found)
    return list(found)


def _pay_for(value: Any, size: int = 8) -> Any:
    """Pays for a new list of what the value holds, or for so many bytes an element."""
    if len(value) > 8:
        grow(len(value) * (size + (_INTEGER if type(value) is range else 0)))
    return value


_INTEGER = 32
_PAIR = 72


def _range(start_or_stop: Any, stop: Any = _MISSING, step: Any = 1, /) -> range:
    start, stop = (0, start_or_stop) if stop is _MISSING else (start_or_stop, stop)
    for name, value in (("start", start), ("stop", stop), ("step", step)):
        if type(value) is not int:
            wrong("range", name, value, "int")
        if not _INT_MIN <= value <= _INT_MAX:
            fail("out-of-range", f"got {value} for {name}, want value in signed 32-bit range")
    if step == 0:
        fail("out-of-range", "step cannot be 0")
    made = range(start, stop, step)
    if (stop - start if step > 0 else start - stop) // abs(step) > _INT_MAX - 1 and len(made) > _INT_MAX:
        fail("out-of-range", f"len({repr_value(made)}) exceeds signed 32-bit range")
    return made


def _str(x: Any, /) -> str:
    return str_value(x)


def _repr(x: Any, /) -> str:
    return repr_value(x)


def _type(x: Any, /) -> str:
    return type_name(x)


def _bool(x: Any = False, /) -> bool:
    return truth(x)


def _list(x: Any = (), /) -> list[Any]:
    return list(_pay_for(_iterable("list", "x", x)))


def _tuple(x: Any = (), /) -> tuple[Any, ...]:
    return tuple(_pay_for(_iterable("tuple", "x", x)))


def _set(elements: Any = (), /) -> Set:
    return Set(map(hashable, _pay_for(_iterable("set", "elements", elements), ENTRY)))


def _dict(pairs: Any = (), /, **kwargs: Any) -> dict[Any, Any]:
    result: dict[Any, Any] = {}
    for key, value in mapping_of("dict", pairs, kwargs):
        store(result, key, value)
    return result


def _enumerate(list: Any, /, start: Any = 0) -> list[Any]:
    want("enumerate", "start", start, int)
    return [*enumerate(_pay_for(elements(list), _PAIR + _INTEGER), start)]


def _zip(*args: Any) -> list[Any]:
    found = [*map(elements, args)]
    if found and (count := min(map(len, found))) > 4:
        grow(count * (56 + (8 + _INTEGER) * len(found)))
    return list(zip(*found, strict=False))


def _reversed(sequence: Any, /) -> list[Any]:
    return list(_pay_for(_iterable("reversed", "sequence", sequence), 16))[::-1]


def _any(elements: Any, /) -> bool:
    return any(map(truth, _iterable("any", "elements", elements)))


def _all(elements: Any, /) -> bool:
    return all(map(truth, _iterable("all", "elements", elements)))


def _abs(x: Any, /) -> Any:
    want("abs", "x", x, int, float)
    return abs(x)


class _Key:
    """Orders by Starlark's `<`."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __lt__(self, other: _Key) -> bool:
        return less(self.value, other.value)


def _key(function: str, key: Any) -> Callable[[Any], Any] | None:
    if key is None:
        return None
    try:
        return callee(key)
    except StarlarkError:
        wrong(function, "key", key, "callable or NoneType")
    return None


def _sorted(iterable: Any, /, *, key: Any = None, reverse: Any = False) -> list[Any]:
    items = _items("sorted", "iterable", iterable)
    want("sorted", "reverse", reverse, bool)
    function = _key("sorted", key)
    if len(items) > 8:
        charge(len(items) * (len(items).bit_length() // 2 + (CALL if function else 0)))
        grow(64 * len(items))
    keys = items if function is None else [function(item) for item in items]
    kinds = set(map(type, keys))
    if len(kinds) <= 1 and kinds <= {int, str}:
        order = sorted(range(len(keys)), key=keys.__getitem__, reverse=reverse)
    else:
        wrapped = [_Key(each) for each in keys]
        order = sorted(range(len(keys)), key=wrapped.__getitem__, reverse=reverse)
    return [items[position] for position in order]


def _extreme(name: str, worse: Callable[[Any, Any], bool]) -> Callable[..., Any]:
    def extreme(*args: Any, key: Any = None) -> Any:
        function = _key(name, key)
        items = _items(name, "elements", args[0]) if len(args) == 1 else args
        if len(items) > 8:
            charge(len(items) * (CALL if function else 1))
        if not items:
            fail("invalid-value", "expected at least one item")
        best = items[0]
        if len(items) == 1:
            return best
        best_key = function(best) if function else best
        for item in items[1:]:
            item_key = function(item) if function else item
            if worse(best_key, item_key):
                best, best_key = item, item_key
        return best

    return extreme


_DIGITS = r"[0-9a-zA-Z]+"
_PREFIXES = {"0x": 16, "0o": 8, "0b": 2}


def _int(x: Any, /, base: Any = _MISSING) -> int:
    import re

    kind = type(x)
    if kind is not str:
        if kind is not int and kind is not bool and kind is not float:
            wrong("int", "x", x, "string, bool, int, or float")
        if base is not _MISSING:
            fail("invalid-value", "can't convert non-string with explicit base")
        if kind is float and not math.isfinite(x):
            fail("invalid-value", f"can't convert float {float_text(x)} to int")
        return int(x)
    base = 10 if base is _MISSING else base
    want("int", "base", base, int)
    if base != 0 and not 2 <= base <= 36:
        fail("invalid-value", f"invalid base {base} (want 2 <= base <= 36)")
    if not x:
        fail("invalid-value", "int: empty string")
    digits = x[1:] if x[0] in "+-" else x
    prefix = _PREFIXES.get(digits[:2].lower())
    if base == 0:
        if prefix is None and digits.startswith("0") and digits.strip("0"):
            fail("invalid-value", f"cannot infer base when string begins with a 0: {quote(x)}")
        base = prefix or 10
    if prefix == base:
        digits = digits[2:]
    try:
        if not re.fullmatch(_DIGITS, digits):
            raise ValueError
        value = int(digits, base) if len(digits) < 4000 else _long(digits, base)
    except ValueError:
        fail("invalid-value", f"invalid base-{base} literal: {quote(x)}")
    return -value if x[0] == "-" else value


def _long(digits: str, base: int) -> int:
    if base == 10 and digits.isdigit() and len(digits) < 39_000:
        charge((len(digits) >> 5) ** 2 >> 1)
        return decimal_value(digits)
    if len(digits) > 20000:
        fail("integer-too-large", f"integer of {len(digits)} digits is too large")
    charge((len(digits) >> 5) ** 2)
    value = 0
    for digit in digits:
        value = value * base + int(digit, base)
    return value


_FLOAT = r"[+-]?(?:[0-9]+\.?[0-9]*(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?|(?i:inf(?:inity)?|nan))"


def _float(x: Any = 0.0, /) -> float:
    import re

    kind = type(x)
    if kind is str:
        if not x:
            fail("invalid-value", "float: empty string")
        if len(x) > SCANNED:
            charge(len(x))
        if not re.fullmatch(_FLOAT, x):
            fail("invalid-value", f"invalid float literal: {x}")
        value = float(x)
        if math.isinf(value) and "n" not in x.lower():
            fail("out-of-range", "floating-point number too large")
        return value
    want("float", "x", x, str, bool, int, float)
    try:
        return float(x)
    except OverflowError:
        fail("out-of-range", "int too large to convert to float")


def _hash(value: Any, /) -> int:
    if type(value) in (str, bytes) and len(value) > 16:
        charge(2 * len(value))
    if type(value) is bytes:
        result = 0x811C9DC5
        for byte in value:
            result = ((result ^ byte) * 0x01000193) & 0xFFFFFFFF
        return result
    want("hash", "value", value, str, bytes)
    result = 0
    for unit in memoryview(value.encode("utf-16-le", "surrogatepass")).cast("H"):
        result = (31 * result + unit) & 0xFFFFFFFF
    return result - (1 << 32) if result >> 31 else result


def _fail(*args: Any, msg: Any = None, attr: Any = None, sep: Any = " ") -> NoReturn:
    want("fail", "sep", sep, str)
    parts = [held(str_value(each)) for each in ((msg, *args) if msg is not None else args)]
    text = sep.join(parts)
    if attr is not None:
        text = f"attribute {str_value(attr)}: {text}"
    raise StarlarkError.of("fail", f"{text}" if text else "fail called")


def _print(*args: Any, sep: Any = " ") -> None:
    want("print", "sep", sep, str)
    current().say(sized(sep.join([held(str_value(each)) for each in args])))


def _dir(x: Any, /) -> list[str]:
    return list(attribute_names(x))


def _has(x: Any, name: str) -> bool:
    return name in attribute_names(x)


def _hasattr(x: Any, name: Any, /) -> bool:
    want("hasattr", "name", name, str)
    return _has(x, name)


def _getattr(x: Any, name: Any, default: Any = _MISSING, /) -> Any:
    want("getattr", "name", name, str)
    if default is not _MISSING and not _has(x, name):
        return default
    return attribute(x, name)


def _bytes(x: Any, /) -> bytes:
    if type(x) is str:
        if len(x) > 16:
            spend(len(x) * (1 if x.isascii() else 4))
        return x.encode("utf-8", "replace")
    if type(x) is bytes:
        return x
    if type(x) is BytesElems:
        return bytes(x.starlark_iter())
    if type(x) in LISTS or type(x) in (tuple, range):
        for position, item in enumerate(elements(x)):
            if type(item) is not int:
                fail("wrong-type", f"at index {position}, got {type_name(item)}, want int")
            if not 0 <= item < 256:
                fail("out-of-range", f"at index {position}, {item} out of range -- want value in unsigned 8-bit range")
        grow(len(x))
        return bytes(x)
    wrong("bytes", "x", x, "string, bytes, or iterable of ints")
    return b""


def _ord(x: Any, /) -> int:
    want("ord", "x", x, str, bytes)
    if len(x) != 1:
        fail("invalid-value", f"ord: {'string' if type(x) is str else 'bytes'} has length {len(x)}, want 1")
    return ord(x)


def _chr(x: Any, /) -> str:
    want("chr", "x", x, int)
    if not 0 <= x < 0x110000 or 0xD800 <= x < 0xE000:
        fail("out-of-range", f"chr: Unicode code point {x} out of range")
    return chr(x)


def _struct(**kwargs: Any) -> Struct:
    return Struct(kwargs)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": _abs,
    "all": _all,
    "any": _any,
    "bool": _bool,
    "bytes": _bytes,
    "chr": _chr,
    "dict": _dict,
    "dir": _dir,
    "enumerate": _enumerate,
    "fail": _fail,
    "float": _float,
    "getattr": _getattr,
    "hasattr": _hasattr,
    "hash": _hash,
    "int": _int,
    "len": _len,
    "list": _list,
    "max": _extreme("max", less),
    "min": _extreme("min", greater),
    "ord": _ord,
    "print": _print,
    "range": _range,
    "repr": _repr,
    "reversed": _reversed,
    "set": _set,
    "sorted": _sorted,
    "str": _str,
    "tuple": _tuple,
    "type": _type,
    "zip": _zip,
}
for _name, _function in (*FUNCTIONS.items(), ("struct", _struct)):
    # CPython names the function in its argument errors.
    _function.__name__ = _function.__qualname__ = _name

UNIVERSE: dict[str, Any] = {name: Builtin(name, function) for name, function in FUNCTIONS.items()}
"""What every file sees without being given it."""

STRUCT = Builtin("struct", _struct)
"""`struct`, for hosts to give to modules."""
