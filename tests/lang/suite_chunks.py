"""Suites of chunked files: chunks apart by `---`, `### pattern` where one must fail, assertions where it must not.

A chunk is run whole. Where a statement of its top level fails unexpectedly, that is one difference: the statement is taken out and the
chunk is run again, so that what follows is judged too. A case is a line that asserts, or a chunk that says how it fails.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mlbuild.lang import (
    JSON,
    MODULE,
    Builtin,
    Dialect,
    Limits,
    Namespace,
    StarlarkError,
    Thread,
    builtin,
    call,
    compile_program,
    execute,
    repr_value,
)
from mlbuild.lang.compiler.resolve import bindings
from mlbuild.lang.runtime.compare import equal, less
from mlbuild.lang.runtime.loops import ITERATING
from mlbuild.lang.syntax.parse import parse
from mlbuild.lang.syntax.scan import scan
from mlbuild.records import replace
from mlbuild.testing.suite_math import MATH
from mlbuild.testing.suite_names import HOST

OPTIONS = {
    "while": "while_loops",
    "recursion": "recursion",
    "toplevelcontrol": "top_level_control",
    "globalreassign": "rebinding",
    "loadbindsglobally": "exported_loads",
    "set": "subset_operators",
}
"""starlark-go's options of a chunk, as fields of our dialect. Sets are always there; with its option they compare as its sets do."""


LIMITS = Limits(steps=50_000_000, memory=1 << 32, text=1 << 28)
"""Bazel's suite makes a string of a hundred million characters."""


@dataclass(frozen=True)
class Style:
    """How a suite writes its chunks, and what it judges."""

    mark: Callable[[str], tuple[str, str | None]]
    """The code of a line, and the pattern of the error that it expects."""
    judges_messages: bool = False
    modules: bool = False
    """Assertions come by `load("assert.star", "assert")`."""
    nearly_equal: bool = False
    """Floats that differ in the last bit are equal."""


@dataclass
class Verdicts:
    """What a suite found: the cases, and what differs of them, by `file:line`."""

    cases: set[str] = field(default_factory=set)
    errors: set[str] = field(default_factory=set)
    """Cases that must fail on a line that the suite names."""
    differences: dict[str, str] = field(default_factory=dict)
    """Fails where it must not, or the other way round."""
    messages: dict[str, str] = field(default_factory=dict)
    lines: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, int] = field(default_factory=dict)

    def all_differences(self) -> dict[str, str]:
        return self.lines | self.messages | self.differences


def official(implementation: str) -> Callable[[str], tuple[str, str | None]]:
    """`code ### [go:|java:|rust:] pattern`, of which each implementation reads its own."""

    def mark(line: str) -> tuple[str, str | None]:
        found = re.fullmatch(r"(.*?) *### *(?:(go|java|rust):)? *(.*)", line)
        if found is None:
            return line, None
        return found[1], found[3] if found[2] in (None, implementation) else None

    return mark


def quoted(line: str) -> tuple[str, str | None]:
    """starlark-go's `code ### "pattern"`, or in backquotes."""
    code, found, pattern = line.partition("###")
    return (code.rstrip(), pattern.strip()[1:-1]) if found else (line, None)


def chunks(text: str) -> Iterator[tuple[int, str]]:
    """The chunks with the number of their first line."""
    line = 1
    for chunk in re.split(r"(?m)^---[ \t]*\n", text):
        yield line, chunk
        line += chunk.count("\n") + 1


def dialect_of(chunk: str) -> Dialect:
    """The dialect that the chunk's `option:` comments ask for."""
    wanted = re.findall(r"option:(\w+)", chunk)
    return replace(MODULE, **{OPTIONS[each]: True for each in wanted if each in OPTIONS})


def run_files(files: Mapping[str, str], style: Style, absent: Mapping[str, str] = {}) -> Verdicts:
    """All chunks of the files; those that match a pattern of `absent` are skipped and counted by its reason."""
    verdicts = Verdicts()
    for name, text in sorted(files.items()):
        for first, chunk in chunks(text):
            reason = next((why for pattern, why in absent.items() if re.search(pattern, chunk)), None)
            if reason is not None:
                verdicts.skipped[reason] = verdicts.skipped.get(reason, 0) + 1
            elif any(line.strip() and not line.lstrip().startswith("#") for line in chunk.split("\n")):
                _Chunk(name, first, chunk, style, verdicts).run()
    return verdicts


class _Chunk:
    def __init__(self, name: str, first: int, chunk: str, style: Style, verdicts: Verdicts) -> None:
        self._name, self._first, self._style, self._verdicts = name, first, style, verdicts
        self._dialect = dialect_of(chunk)
        self._code: list[str] = []
        self._expected: list[tuple[int, str, bool]] = []
        for number, line in enumerate(chunk.split("\n"), first):
            code, pattern = style.mark(line)
            if style.modules:  # a reserved word, which starlark-go lets its tests use
                code = re.sub(r"(?<!module \")\bassert\b(?!\.star)", "assert_", code)
            self._code.append(code)
            if pattern is not None:
                self._expected.append((number, pattern, bool(code.strip())))

    def _place(self, line: int) -> str:
        return f"{self._name}:{self._first - 1 + line}"

    def run(self) -> None:
        verdicts = self._verdicts
        for _ in range(60):
            assertions = Assertions(self._style)
            error = self._evaluate(assertions)
            if error is None or self._expected:
                break
            place = error.diagnostics[0].frames[0].location if error.diagnostics[0].frames else None
            location = place or error.diagnostics[0].location
            assert location is not None
            verdicts.cases.add(self._place(location.line))
            verdicts.differences[self._place(location.line)] = error.message
            assert self._take_out(location.line), (
                f"{self._name}: nothing stands on line {location.line} of {self._code}"
            )
        assert error is None or self._expected, f"{self._name}: too many statements fail"
        if self._expected:
            self._judge(error)
        elif not assertions.checked:
            verdicts.cases.add(self._place(1))
        for line, (holds, message) in assertions.checked.items():
            verdicts.cases.add(self._place(line))
            if not holds:
                kept = verdicts.messages if message.startswith("another message") else verdicts.differences
                kept[self._place(line)] = message

    def _judge(self, error: StarlarkError | None) -> None:
        verdicts = self._verdicts
        number, pattern, has_code = self._expected[0]
        case = f"{self._name}:{number}"
        verdicts.cases.add(case)
        if has_code:
            verdicts.errors.add(case)
        if error is None:
            verdicts.differences[case] = f"no error matching {pattern!r}"
            return
        said = [each.message for each in error.diagnostics]
        said.append(f"Error in {_builtin_of(error)}: ")
        if self._style.judges_messages and not any(matches(pattern, each) for each in said):
            verdicts.messages[case] = f"{error.message!r} does not match {pattern!r}"
        if has_code:
            lines = [each.location.line for each in error.diagnostics if each.location]
            lines += [frame.location.line for each in error.diagnostics for frame in each.frames]
            wanted = {number - self._first + 1 for number, _, _ in self._expected}
            if not wanted & set(lines):
                told = sorted(self._first - 1 + line for line in set(lines))
                verdicts.lines[case] = f"told at {told}: {error.message}"

    def _evaluate(self, assertions: Assertions) -> StarlarkError | None:
        pinned: list[object] = []
        thread = Thread(context=pinned, print=lambda _: None, limits=LIMITS)
        names = HOST | ({} if self._style.modules else assertions.names())
        source = "\n".join(self._code).encode("utf-8", "surrogatepass")
        try:
            program = compile_program(source, self._name, self._dialect, frozenset(names))
            execute(program, names, assertions.modules(), thread)
        except StarlarkError as error:
            return error
        finally:
            for value in pinned:
                ITERATING.pop(id(value), None)
        return None

    def _take_out(self, line: int) -> bool:
        """Takes the statement of the line out; a name that it would have bound is None. Whether there was one."""
        starts = [start for start in _starts("\n".join(self._code)) if self._code[start].strip()]
        index = max((i for i, start in enumerate(starts) if start < line), default=-1)
        if index < 0:
            return False
        first, end = starts[index], starts[index + 1] if index + 1 < len(starts) else len(self._code)
        bound = _names("\n".join(self._code[first:end]))
        self._code[first:end] = [""] * (end - first)
        self._code[first] = "; ".join(f"{name} = None" for name in bound)
        return True


def _starts(text: str) -> Iterator[int]:
    """The lines, from 0, on which statements of the top level begin: also of a text that is no Starlark."""
    tokens = scan(text)
    depth, begins = 0, True
    for kind, token, offset in zip(tokens.kinds, tokens.texts, tokens.starts, strict=False):
        if kind == "\n":
            begins = begins or depth == 0
            continue
        if begins and kind != "#":
            begins = False
            if offset == text.rfind("\n", 0, offset) + 1 and token not in ("else", "elif"):
                yield text.count("\n", 0, offset)
        depth += (token in ("(", "[", "{")) - (token in (")", "]", "}"))


def _names(statement: str) -> list[str]:
    try:
        return [name for name, _ in bindings(parse(statement, "statement.star").statements)]
    except StarlarkError:
        return re.findall(r"\A(\w+) *=(?!=)", statement)


def _builtin_of(error: StarlarkError) -> str | None:
    from mlbuild.testing.starlark import builtin_of

    return builtin_of(error.__traceback__)


def matches(pattern: str, message: str) -> bool:
    """Whatever the case of letters, as the suites' own runners; a pattern may also be plain text."""
    if pattern.lower() in message.lower():
        return True
    try:
        return re.search(pattern, message, re.IGNORECASE) is not None
    except re.error:
        return False


class Assertions:
    """The suites' assertions: they note what holds by the line that asserts, and go on."""

    def __init__(self, style: Style) -> None:
        self._style = style
        self.checked: dict[int, tuple[bool, str]] = {}

    def _note(self, thread: Thread, holds: bool, message: str) -> None:
        line = thread.location().line
        if self.checked.get(line, (True, ""))[0]:
            self.checked[line] = holds, message

    def _equal(self, x: Any, y: Any) -> bool:
        if self._style.nearly_equal and {type(x), type(y)} in ({float}, {float, int}) and x == x and y == y:
            return math.isclose(x, y, rel_tol=4e-16, abs_tol=0)
        return equal(x, y)

    def functions(self) -> dict[str, Builtin]:
        """By the names that `assert.star` has."""

        @builtin("eq")
        def eq(thread: Thread, x: Any, y: Any, /) -> None:
            self._note(thread, self._equal(x, y), f"{repr_value(x)} != {repr_value(y)}")

        @builtin("ne")
        def ne(thread: Thread, x: Any, y: Any, /) -> None:
            self._note(thread, not self._equal(x, y), f"{repr_value(x)} == {repr_value(y)}")

        @builtin("true")
        def true(thread: Thread, condition: Any, message: Any = "assertion failed", /) -> None:
            self._note(thread, bool(condition), str(message))

        @builtin("lt")
        def lt(thread: Thread, x: Any, y: Any, /) -> None:
            self._note(thread, less(x, y), f"{repr_value(x)} is not less than {repr_value(y)}")

        @builtin("contains")
        def contains(thread: Thread, x: Any, y: Any, /) -> None:
            self._note(thread, any(equal(each, y) for each in x), f"{repr_value(x)} does not hold {repr_value(y)}")

        @builtin("fails")
        def fails(thread: Thread, function: Any, pattern: str, /) -> None:
            try:
                call(thread, function)
            except StarlarkError as error:
                said = (error.message, f"Error in {_builtin_of(error)}: ")
                told = not self._style.judges_messages or any(matches(pattern, each) for each in said)
                self._note(thread, told, f"another message: {error.message!r} does not match {pattern!r}")
            else:
                self._note(thread, False, f"no error matching {pattern!r}")

        @builtin("fail")
        def fail(thread: Thread, message: Any, /) -> None:
            self._note(thread, False, str(message))

        return {"eq": eq, "ne": ne, "true": true, "lt": lt, "contains": contains, "fails": fails, "fail": fail}

    def names(self) -> dict[str, Builtin]:
        """As the suites have them that predeclare them."""
        made = self.functions()
        return {
            "assert_eq": made["eq"],
            "assert_ne": made["ne"],
            "assert_": made["true"],
            "assert_fails": made["fails"],
        }

    def modules(self) -> dict[str, dict[str, Any]]:
        """What chunks can load."""
        made = Namespace("assert", self.functions())
        return {
            "assert.star": {"assert_": made, "freeze": HOST["freeze"]},
            "asserts.star": {"asserts": made, "freeze": HOST["freeze"]},
            "json.star": {"json": JSON},
            "math.star": {"math": MATH},
        }
