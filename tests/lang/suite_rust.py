"""starlark-rust's unit tests: the Starlark in the string literals of `assert::eq("...", "...")` and its like, read out of Rust."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mlbuild.lang import MODULE, StarlarkError, Thread, builtin, compile_program, execute, repr_value
from mlbuild.lang.runtime.compare import equal
from mlbuild.lang.runtime.ops import truth
from mlbuild.lang.runtime.values import fail
from mlbuild.lang.syntax.scan import scan
from mlbuild.records import replace
from tests.lang.suite_chunks import LIMITS, Verdicts

_DIALECT = replace(MODULE, rebinding=True, top_level_control=True)
_EXTENSIONS = {
    "library extensions": (
        r"\b(record|enum|field|partial|map|filter|abs|sum|pprint|pstr|prepr|debug|call_stack|dbg|breakpoint"
        r"|garbage_collect|experimental_regex)\b|\bstruct\b|\bjson\b|\basserts\b"
    ),
    "types": r"\b(typing|isinstance|eval_type|assert_type)\b|->|def \w+\([^)]*:\s*[\w.\"]|(?m:^\w+\s*:\s*\w+\s*=)",
    "f-strings": r"\bf\"|\bf'",
}
_ABOUT_EXTENSIONS = (
    r"record|enumeration|typing|type_annot|namespace|fstring|/docs/|structs/|rust_decimal|stdlib/(extra|partial|internal)"
    r"|tests/opt|derive"
)
_RAW = re.compile(r'r(#*)"(.*?)"\1', re.S)
_TEXT = re.compile(r'"((?:\\.|[^"\\])*)"', re.S)
_BETWEEN = re.compile(r"(?:\s|,|&|\[|\]|//[^\n]*\n)*")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}


def extension(program: str) -> str | None:
    """What of starlark-rust's own the program uses, which the specification does not have."""
    return next((name for name, pattern in _EXTENSIONS.items() if re.search(pattern, program)), None)


def unit_tests(files: Mapping[str, str]) -> Verdicts:
    """The assertions of the Rust files; a case is where the call is, and which of the calls of that line."""
    verdicts = Verdicts()
    for name, text in sorted(files.items()):
        if re.search(_ABOUT_EXTENSIONS, "starlark/src/" + name):
            continue
        # Documentation is compiled and run too.
        text = re.sub(r"(?m)^[ \t]*//[/!] ?#? ?", "", text)
        for line, kind, strings in _calls(text):
            for index, (programs, must_fail) in enumerate(_programs(kind, strings)):
                reason = next((why for each in programs if (why := extension(each))), None)
                if reason is not None:
                    verdicts.skipped[reason] = verdicts.skipped.get(reason, 0) + 1
                    continue
                case = f"{name}:{line}" + (f":{index + 1}" if kind == "all_true" else "")
                verdicts.cases.add(case)
                problem = _problem(kind, programs, must_fail)
                if problem:
                    verdicts.differences[case] = problem
    return verdicts


def _calls(text: str) -> Iterator[tuple[int, str, list[str]]]:
    for found in re.finditer(r"\bassert::(eq|is_true|is_false|all_true|fail|fails|pass)\s*\(", text):
        strings = _strings(text, found.end())
        if strings:
            yield text.count("\n", 0, found.start()) + 1, found[1], strings


def _strings(text: str, position: int) -> list[str]:
    """The string literals of an argument list; nothing if it holds something else."""
    found = []
    while True:
        between = _BETWEEN.match(text, position)
        assert between is not None
        position = between.end()
        if text[position : position + 1] == ")":
            return found
        if raw := _RAW.match(text, position):
            found.append(raw[2])
            position = raw.end()
        elif plain := _TEXT.match(text, position):
            unwrapped = re.sub(r"\\\n\s*", "", plain[1])
            unwrapped = re.sub(r"\\u\{([0-9a-fA-F]+)\}", lambda code: chr(int(code[1], 16)), unwrapped)
            found.append(re.sub(r"\\(.)", lambda code: _ESCAPES.get(code[1], code[1]), unwrapped, flags=re.S))
            position = plain.end()
        else:
            return []


def _programs(kind: str, strings: list[str]) -> Iterator[tuple[list[str], bool]]:
    """The programs of each case, and whether they must fail."""
    if kind == "eq":
        if len(strings) == 2:
            yield strings, False
    elif kind == "all_true":
        for line in strings[0].split("\n"):
            if line.strip() and not line.strip().startswith("#"):
                yield [line.strip()], False
    else:
        yield strings[:1], kind in ("fail", "fails")


def _problem(kind: str, programs: list[str], must_fail: bool) -> str | None:
    """What is not as the assertion says."""
    results = []
    try:
        for program in programs:
            results.append(_result(program))
    except StarlarkError as error:
        return None if must_fail else error.message
    if must_fail:
        return "no error"
    if kind == "eq":
        return None if equal(*results) else f"{repr_value(results[0])} != {repr_value(results[1])}"
    if kind == "pass":
        return None
    return None if truth(results[0]) == (kind != "is_false") else "not " + ("true" if kind != "is_false" else "false")


@builtin("assert_eq")
def _assert_eq(thread: Thread, x: object, y: object, /) -> None:
    if not equal(x, y):
        fail("not-equal", f"{repr_value(x)} != {repr_value(y)}")


@builtin("assert_ne")
def _assert_ne(thread: Thread, x: object, y: object, /) -> None:
    if equal(x, y):
        fail("equal", f"{repr_value(x)} == {repr_value(y)}")


@builtin("assert_true")
def _assert_true(thread: Thread, x: object, /) -> None:
    if not truth(x):
        fail("not-true", "assertion failed")


@builtin("assert_false")
def _assert_false(thread: Thread, x: object, /) -> None:
    if truth(x):
        fail("not-false", "assertion failed")


@builtin("noop")
def _noop(thread: Thread, *args: object, **kwargs: object) -> object:
    return args[0] if args else None


_NAMES = {
    "assert_eq": _assert_eq,
    "assert_ne": _assert_ne,
    "assert_true": _assert_true,
    "assert_false": _assert_false,
    "noop": _noop,
}


def _result(program: str) -> object:
    """What the program's last expression is."""
    source = _bind_last(program)
    thread = Thread(print=lambda _: None, limits=LIMITS)
    compiled = compile_program(source.encode("utf-8", "surrogatepass"), "unit.star", _DIALECT, frozenset(_NAMES))
    return execute(compiled, _NAMES, {}, thread).get("result")


def _bind_last(program: str) -> str:
    """The program with `result` bound to its last statement, if that is an expression."""
    tokens = scan(program)
    depth, begins, start, first = 0, True, None, ""
    for kind, text, offset in zip(tokens.kinds, tokens.texts, tokens.starts, strict=False):
        if begins and kind not in ("#", "\n"):
            column = offset - program.rfind("\n", 0, offset) - 1
            start, first = (offset, text) if column == 0 or program[:offset].rstrip().endswith(";") else (None, "")
            begins = False
        depth += (text in ("(", "[", "{")) - (text in (")", "]", "}"))
        begins = begins or (depth == 0 and kind in ("\n", "SEMICOLON"))
    if start is None or first in ("def", "for", "if", "else", "elif", "load", "return", "pass", "break", "continue"):
        return program
    bound = f"{program[:start]}result = ({program[start:].rstrip()}\n)\n"
    try:
        compile_program(bound.encode("utf-8", "surrogatepass"), "unit.star", _DIALECT, frozenset(_NAMES))
    except StarlarkError:
        return program  # an assignment, or a mistake to be told as it stands
    return bound
