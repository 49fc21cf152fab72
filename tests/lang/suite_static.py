"""Suites of mistakes that are told without running the file: starlark-go's of its parser and resolver, starlark-rust's golden files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from mlbuild.lang import MODULE, Dialect, StarlarkError, compile_program
from mlbuild.lang.syntax.parse import parse
from tests.lang.suite_chunks import Verdicts, chunks, dialect_of, quoted
from tests.lang.suite_rust import extension

_OTHER_DIALECT = r"is not allowed in this dialect|`(lambda|def|load|\.\.\.)` is not allowed|`\*` is not allowed"
"""Golden files about dialects of starlark-rust that lack what ours has."""


def syntax_errors(files: Mapping[str, str]) -> Verdicts:
    """Chunks whose first syntax error is on the line that says so, or that have none."""
    verdicts = Verdicts()
    for name, text in files.items():
        for first, chunk in chunks(text):
            _judge(verdicts, name, first, chunk, _mistakes_of_parsing(_code(chunk)), only_first=True)
    return verdicts


def name_errors(files: Mapping[str, str], predeclared: Iterable[str]) -> Verdicts:
    """Chunks with all the mistakes of names and places, each on its line, and no others."""
    verdicts = Verdicts()
    for name, text in files.items():
        for first, chunk in chunks(text):
            lines = _mistakes(_code(chunk), dialect_of(chunk), frozenset(predeclared))
            _judge(verdicts, name, first, chunk, lines)
    return verdicts


def golden_errors(files: Mapping[str, str]) -> Verdicts:
    """`Program:` and `Error:` of starlark-rust: the error is on that line."""
    verdicts = Verdicts()
    for name, text in sorted(files.items()):
        for found in re.finditer(r"^Program:\n(.*?)\n\nError:\s(.*?)(?=\n\n\nProgram:|\Z)", text, re.M | re.S):
            program, error = found[1] + "\n", found[2]
            reason = extension(program)
            if reason is None and re.search(_OTHER_DIALECT, error):
                reason = "another dialect"
            if reason is not None:
                verdicts.skipped[reason] = verdicts.skipped.get(reason, 0) + 1
                continue
            case = f"{name}:{text.count(chr(10), 0, found.start()) + 2}"
            verdicts.cases.add(case)
            lines = _mistakes(program, MODULE, frozenset("M"))
            told = re.search(r"--> [\w./-]+:(\d+)", error)
            if told:
                verdicts.errors.add(case)
            if not lines:
                verdicts.differences[case] = f"no error: {error.splitlines()[0]}"
            elif told and int(told[1]) not in lines:
                verdicts.lines[case] = f"told at {lines}, not at {told[1]}: {error.splitlines()[0]}"
    return verdicts


def parsed(files: Mapping[str, str]) -> Verdicts:
    """Files of real projects that have no syntax error."""
    verdicts = Verdicts()
    for name, text in files.items():
        verdicts.cases.add(name)
        if lines := _mistakes_of_parsing(text):
            verdicts.differences[name] = f"a syntax error on line {lines[0]}"
    return verdicts


def _judge(verdicts: Verdicts, name: str, first: int, chunk: str, lines: list[int], only_first: bool = False) -> None:
    wanted = [
        number for number, line in enumerate(chunk.split("\n"), 1) if (mark := quoted(line)[1]) is not None and mark
    ]
    case = f"{name}:{first}"
    verdicts.cases.add(case)
    if wanted:
        verdicts.errors.add(case)
    if bool(lines) != bool(wanted):
        verdicts.differences[case] = f"mistakes told on lines {lines} of the chunk, not on {wanted}"
    elif (lines[:1] if only_first else sorted(set(lines))) != (wanted[:1] if only_first else wanted):
        verdicts.lines[case] = f"mistakes told on lines {lines} of the chunk, not on {wanted}"


def _code(chunk: str) -> str:
    return "\n".join(quoted(line)[0] for line in chunk.split("\n"))


def _mistakes_of_parsing(source: str) -> list[int]:
    try:
        file = parse(source, "file.star")
    except StarlarkError as error:
        return [each.location.line for each in error.diagnostics if each.location]
    return [each.location.line for each in file.mistakes if each.location]


def _mistakes(source: str, dialect: Dialect, names: frozenset[str]) -> list[int]:
    try:
        compile_program(source.encode(), "file.star", dialect, names)
    except StarlarkError as error:
        return [each.location.line for each in error.diagnostics if each.location]
    return []
