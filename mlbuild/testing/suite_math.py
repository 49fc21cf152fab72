"""starlark-go's `math` module, for its suite. No build has it: the last bits of a sine differ from machine to machine."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from mlbuild.lang import Builtin, Namespace, Thread, builtin, type_name
from mlbuild.lang.runtime.values import fail

_Real = Callable[..., float]


def _real(value: Any) -> float:
    if type(value) not in (int, float):
        fail("wrong-type", f"got {type_name(value)}, want float or int")
    return float(value)


def _whole(name: str, round_to: Callable[[float], int]) -> Builtin:
    @builtin(name)
    def convert(thread: Thread, x: Any, /) -> int:
        if type(x) is int:
            return x
        real = _real(x)
        if not math.isfinite(real):
            fail("out-of-range", f"cannot convert float {'NaN' if real != real else 'infinity'} to integer")
        return round_to(real)

    return convert


def _of_one(name: str, function: _Real) -> Builtin:
    @builtin(name)
    def compute(thread: Thread, x: Any, /) -> float:
        return _computed(function, _real(x))

    return compute


def _of_two(name: str, function: _Real) -> Builtin:
    @builtin(name)
    def compute(thread: Thread, x: Any, y: Any, /) -> float:
        return _computed(function, _real(x), _real(y))

    return compute


def _computed(function: _Real, *numbers: float) -> float:
    """C's answers where Python has errors: NaN outside of the domain, infinity beyond the range."""
    try:
        return function(*numbers)
    except ValueError:
        return math.nan
    except OverflowError:
        return math.copysign(math.inf, numbers[0]) if function is math.sinh else math.inf


def _round(x: float) -> float:
    """To the nearest, halves away from zero."""
    if not math.isfinite(x):
        return x
    whole = math.trunc(abs(x))
    return math.copysign(whole + (abs(x) - whole >= 0.5), x)


def _pow(x: float, y: float) -> float:
    return math.inf if x == 0 and y < 0 else math.pow(x, y)


def _atanh(x: float) -> float:
    return math.copysign(math.inf, x) if abs(x) == 1 else math.atanh(x)


def _gamma(x: float) -> float:
    return math.copysign(math.inf, x) if x == 0 else math.gamma(x)


def _natural(x: float) -> float:
    return -math.inf if x == 0 else math.log(x)


@builtin("log")
def _log(thread: Thread, x: Any, base: Any = math.e, /) -> float:
    number, below = _real(x), _real(base)
    if below == 1:
        fail("division-by-zero", "division by zero")
    logarithm = _computed(_natural, number)
    return logarithm if below == math.e else logarithm / _computed(_natural, below)


_ONE: dict[str, _Real] = {
    **{name: getattr(math, name) for name in ("fabs", "exp", "sqrt", "acos", "asin", "atan", "cos", "sin", "tan")},
    **{name: getattr(math, name) for name in ("degrees", "radians", "acosh", "asinh", "cosh", "sinh", "tanh")},
    "atanh": _atanh,
    "gamma": _gamma,
    "round": _round,
}
_TWO: dict[str, _Real] = {
    **{name: getattr(math, name) for name in ("copysign", "remainder", "atan2", "hypot")},
    "mod": math.fmod,
    "pow": _pow,
}
MATH = Namespace(
    "math",
    {
        "ceil": _whole("ceil", math.ceil),
        "floor": _whole("floor", math.floor),
        "log": _log,
        "e": math.e,
        "pi": math.pi,
        **{name: _of_one(name, function) for name, function in _ONE.items()},
        **{name: _of_two(name, function) for name, function in _TWO.items()},
    },
)
