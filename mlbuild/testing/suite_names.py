"""What the published suites want of their host and no build has: values whose fields can be set, freezing on request, catching."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from types import FunctionType
from typing import Any

from mlbuild.lang import JSON, STRUCT, Set, StarlarkError, Thread, builtin, call, repr_value
from mlbuild.lang.errors import MARK
from mlbuild.lang.runtime.compare import equal
from mlbuild.lang.runtime.loops import ITERATING
from mlbuild.lang.runtime.values import fail, type_name
from mlbuild.testing.suite_math import MATH


class MutableStruct:
    """A struct whose fields can be set."""

    starlark_type = "mutablestruct"

    def __init__(self, fields: dict[str, Any]) -> None:
        self._fields = fields

    def starlark_dir(self) -> tuple[str, ...]:
        return tuple(sorted(self._fields))

    def starlark_attr(self, name: str) -> Any:
        return self._fields[name]

    def starlark_repr(self) -> str:
        return (
            "mutablestruct("
            + ", ".join(f"{name} = {repr_value(self._fields[name])}" for name in sorted(self._fields))
            + ")"
        )

    def starlark_set_field(self, name: str, value: Any) -> None:
        if value == "bad":
            fail("bad-field", "bad field value")
        self._fields[name] = value


@builtin("catch")
def _catch(thread: Thread, function: Any, /) -> Any:
    try:
        call(thread, function)
    except StarlarkError as error:
        return error.message
    return None


@builtin("matches")
def _matches(thread: Thread, pattern: str, text: str, /) -> bool:
    said = [text]
    for ours, theirs in _OTHER_WORDS:
        said.append(re.sub(ours, theirs, said[-1]))
    said.append(text[:1].upper() + text[1:])
    wanted = (pattern, re.sub(r"(?:\\\\)*\\?['\"]", "", pattern))
    return any(re.search(each, words) is not None for each in wanted for words in said)


_OTHER_WORDS = (
    ("['\"\\\\]", ""),
    ("struct field", "field"),
    (r"in call to (\w+)\(\), got value of type (\w+), want a .*", r"\1: argument #1 is not iterable: \2"),
    (
        r"in call to (\w+)\(\), parameter (\w+) got value of type (\w+), want (\w+).*",
        r"\1: for parameter \2: got \3, want \4",
    ),
    (r"at offset (\d+), ", r"json.decode: at offset \1, "),
    (r"trying to mutate a frozen (\w+) value", "cannot insert into frozen hash table"),
    (r"(\w+)\(\) got unexpected keyword argument: .*", r"\1: does not accept keyword arguments"),
    (r"(\w+)\(\) missing 1 required positional argument: .*", r"\1: got 0 arguments, want 1"),
)
"""How starlark-go says the same thing."""


@builtin("freeze")
def _freeze(thread: Thread, value: Any = None, /) -> Any:
    """Freezes where it stands, for as long as the run; without an argument, all globals of the caller."""
    assert isinstance(thread.context, list)
    if value is None:
        frame = sys._getframe(1)
        while MARK not in frame.f_globals and frame.f_back is not None:
            frame = frame.f_back
        for each in [each for name, each in frame.f_globals.items() if name != "__builtins__"]:
            _pin(each, thread.context)
    _pin(value, thread.context)
    return value


def _pin(value: Any, pinned: list[object]) -> None:
    if isinstance(value, FunctionType):
        for held in [*(cell.cell_contents for cell in value.__closure__ or ()), *(value.__defaults__ or ())]:
            _pin(held, pinned)
    elif isinstance(value, list | dict | Set):
        if ITERATING.get(id(value)) == -1:
            return
        ITERATING[id(value)] = -1
        pinned.append(value)
    elif isinstance(value, HasFields):
        value.frozen = True
        _pin(tuple(value.fields.values()), pinned)
        return
    elif not isinstance(value, tuple):
        return
    if not isinstance(value, FunctionType):
        for item in [*value, *(value.values() if isinstance(value, dict) else ())]:
            _pin(item, pinned)


@builtin("mutablestruct")
def _mutablestruct(thread: Thread, **fields: Any) -> MutableStruct:
    return MutableStruct(fields)


@builtin("int_mul_slow")
def _int_mul_slow(thread: Thread, x: int, y: int, /) -> int:
    return x * y


class HasFields:
    """starlark-go's test object: any field can be set, but for those that begin with `no`."""

    starlark_type = "hasfields"

    def __init__(self) -> None:
        self.fields: dict[str, Any] = {}
        self.frozen = False

    def starlark_dir(self) -> tuple[str, ...]:
        return tuple(sorted(self.fields))

    def starlark_attr(self, name: str) -> Any:
        return self.fields[name]

    def starlark_repr(self) -> str:
        return "hasfields"

    def starlark_set_field(self, name: str, value: Any) -> None:
        if self.frozen:
            fail("frozen", "cannot set field on a frozen hasfields")
        if name.startswith("no"):
            fail("no-such-field", f"no .{name} field")
        self.fields[name] = value

    def starlark_binary(self, operator: str, other: Any, reflected: bool) -> Any:
        return 42 if operator == "+" and type_name(other) == "list" else NotImplemented


@builtin("hasfields")
def _hasfields(thread: Thread, /) -> HasFields:
    return HasFields()


class Symbol:
    """starlark-go's `gensym`: each symbol makes structs of a type of its own."""

    starlark_type = "symbol"

    def __init__(self, name: str) -> None:
        self.name = name

    def starlark_repr(self) -> str:
        return self.name

    def starlark_call(self, thread: Thread, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Branded:
        if args:
            fail("bad-arguments", f"{self.name}: unexpected positional arguments")
        return Branded(self, kwargs)


class Branded:
    """A struct that a symbol made."""

    starlark_type = "struct"
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, symbol: Symbol, fields: Mapping[str, Any]) -> None:
        self._symbol = symbol
        self._fields = dict(fields)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Branded) and self._symbol is other._symbol and equal(self._fields, other._fields)

    def starlark_dir(self) -> tuple[str, ...]:
        return tuple(sorted(self._fields))

    def starlark_attr(self, name: str) -> Any:
        return self._fields[name]

    def starlark_repr(self) -> str:
        fields = ", ".join(f"{name} = {repr_value(self._fields[name])}" for name in sorted(self._fields))
        return f"{self._symbol.name}({fields})"

    def starlark_binary(self, operator: str, other: Any, reflected: bool) -> Any:
        if operator != "+" or not isinstance(other, Branded) or reflected:
            return NotImplemented
        if self._symbol is not other._symbol:
            names = f"{self._symbol.name} + {other._symbol.name}"
            fail("bad-operands", f"cannot add structs of different constructors: {names}")
        return Branded(self._symbol, {**self._fields, **other._fields})


@builtin("gensym")
def _gensym(thread: Thread, /, *, name: str) -> Symbol:
    return Symbol(name)


HOST: dict[str, Any] = {
    "catch": _catch,
    "matches": _matches,
    "freeze": _freeze,
    "_freeze": _freeze,
    "struct": STRUCT,
    "mutablestruct": _mutablestruct,
    "hasfields": _hasfields,
    "gensym": _gensym,
    "math": MATH,
    "int_mul_slow": _int_mul_slow,
    "json": JSON,
    "_utf8_byte_strings": False,
}
