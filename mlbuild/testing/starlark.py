"""Runs Starlark files as the published conformance suites want: `run(source, filename)` returns, or raises what is wrong.

The suites need names that no build has (`catch`, `freeze`, `mutablestruct`, ...): `run.provides` lists them; `run.options` the
dialect options; `run.parse` and `run.check` stop before the file is run.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType

from mlbuild.lang import MODULE, Dialect, Limits, StarlarkError, Thread, compile_program, execute
from mlbuild.lang.errors import MARK
from mlbuild.lang.runtime.library import FUNCTIONS
from mlbuild.lang.runtime.loops import ITERATING
from mlbuild.testing.suite_names import HOST


class Failure(Exception):
    """What the suites' harness reads of an error: its message, and the lines that it is at."""

    def __init__(self, error: StarlarkError) -> None:
        told = [str(each.location) + ": " + each.message for each in error.diagnostics]
        name = builtin_of(error.__traceback__)
        super().__init__("\n".join([f"Error in {name}: {told[0]}", *told[1:]] if name else told))
        self.message = "\n".join(each.message for each in error.diagnostics)
        self.lines = [each.location.line for each in error.diagnostics if each.location]
        self.lines += [frame.location.line for each in error.diagnostics for frame in each.frames]


def builtin_of(traceback: TracebackType | None) -> str | None:
    """The builtin that failed, as Bazel's tracebacks name it."""
    names = {function.__code__: name for name, function in FUNCTIONS.items()}
    found = None
    while traceback is not None:
        frame = traceback.tb_frame
        found = None if MARK in frame.f_globals else found or names.get(frame.f_code)
        traceback = traceback.tb_next
    return found


_NAMES = frozenset(HOST)


def _dialect(options: Iterable[str]) -> Dialect:
    chosen = set(options)
    return Dialect(
        MODULE.name,
        rebinding="globalreassign" in chosen,
        top_level_control="toplevelcontrol" in chosen,
        exported_loads="loadbindsglobally" in chosen,
        while_loops="while" in chosen,
        recursion="recursion" in chosen,
        tabs=bool(chosen & {"while", "recursion"}),  # starlark-go's own options: its files are indented as Go's
        subset_operators="set" in chosen,
    )


class _Run:
    provides = frozenset(HOST)
    options = frozenset(("set", "while", "recursion", "globalreassign", "toplevelcontrol", "loadbindsglobally"))

    def __call__(self, source: str, filename: str, options: Iterable[str] = ()) -> None:
        pinned: list[object] = []
        thread = Thread(
            context=pinned, print=lambda _: None, limits=Limits(steps=50_000_000, memory=1 << 32, text=1 << 28)
        )
        try:
            program = compile_program(source.encode("utf-8", "surrogatepass"), filename, _dialect(options), _NAMES)
            execute(program, HOST, {}, thread)
        except StarlarkError as error:
            raise Failure(error) from None
        finally:
            for value in pinned:
                ITERATING.pop(id(value), None)

    def parse(self, source: str, filename: str) -> None:
        from mlbuild.lang.syntax.parse import parse

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
