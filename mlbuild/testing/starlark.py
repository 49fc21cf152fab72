"""Runs Starlark files as the published conformance suites want: `run(source, filename)` returns, or raises what is wrong.

The suites need names that no build has (`catch`, `freeze`, `mutablestruct`, ...): `run.provides` lists them; `run.options` the
dialect options; `run.parse` and `run.check` stop before the file is run.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from types import FunctionType, TracebackType
from typing import Any

from mlbuild.lang import (
    JSON,
    MODULE,
    STRUCT,
    Dialect,
    Limits,
    Set,
    StarlarkError,
    Thread,
    builtin,
    call,
    compile_program,
    execute,
    repr_value,
)
from mlbuild.lang.errors import MARK
from mlbuild.lang.library import FUNCTIONS
from mlbuild.lang.loops import ITERATING
from mlbuild.lang.values import fail


class Failure(Exception):
    """What the suites' harness reads of an error: its message, and the lines that it is at."""

    def __init__(self, error: StarlarkError) -> None:
        told = [str(each.location) + ": " + each.message for each in error.diagnostics]
        name = _builtin_of(error.__traceback__)
        super().__init__("\n".join([f"Error in {name}: {told[0]}", *told[1:]] if name else told))
        self.message = "\n".join(each.message for each in error.diagnostics)
        self.lines = [each.location.line for each in error.diagnostics if each.location]
        self.lines += [frame.location.line for each in error.diagnostics for frame in each.frames]


def _builtin_of(traceback: TracebackType | None) -> str | None:
    """The builtin that failed, as Bazel's tracebacks name it."""
    names = {function.__code__: name for name, function in FUNCTIONS.items()}
    found = None
    while traceback is not None:
        frame = traceback.tb_frame
        found = None if MARK in frame.f_globals else found or names.get(frame.f_code)
        traceback = traceback.tb_next
    return found


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


HOST: dict[str, Any] = {
    "catch": _catch,
    "matches": _matches,
    "freeze": _freeze,
    "_freeze": _freeze,
    "struct": STRUCT,
    "mutablestruct": _mutablestruct,
    "int_mul_slow": _int_mul_slow,
    "json": JSON,
    "_utf8_byte_strings": False,
}
_NAMES = frozenset(HOST)


def _dialect(options: Iterable[str]) -> Dialect:
    chosen = set(options)
    return Dialect(
        MODULE.name,
        rebinding="globalreassign" in chosen,
        top_level_control="toplevelcontrol" in chosen,
        exported_loads="loadbindsglobally" in chosen,
    )


class _Run:
    provides = frozenset(HOST)
    options = frozenset(("set", "globalreassign", "toplevelcontrol", "loadbindsglobally"))

    def __call__(self, source: str, filename: str, options: Iterable[str] = ()) -> None:
        pinned: list[object] = []
        thread = Thread(context=pinned, print=lambda _: None, limits=Limits(steps=50_000_000))
        try:
            program = compile_program(source.encode("utf-8", "surrogatepass"), filename, _dialect(options), _NAMES)
            execute(program, HOST, {}, thread)
        except StarlarkError as error:
            raise Failure(error) from None
        finally:
            for value in pinned:
                ITERATING.pop(id(value), None)

    def parse(self, source: str, filename: str) -> None:
        from mlbuild.lang.parse import parse

        try:
            parse(source, filename)
        except StarlarkError as error:
            raise Failure(error) from None

    def check(self, source: str, filename: str, predeclared: Iterable[str], options: Iterable[str] = ()) -> None:
        try:
            compile_program(source.encode(), filename, _dialect(options), frozenset(predeclared))
        except StarlarkError as error:
            raise Failure(error) from None


run = _Run()
"""The entry point of the conformance harness."""
