"""Errors of the language, word for word: `errors/*.txt`.

A case is `### what is wrong`, a file, and after `-- error` what a person reads of it. `MLBUILD_UPDATE_CASES=1` writes down what is
read now: look at the difference before you keep it. `written.txt` is told without running, in a module; `running.txt` runs, and may
load `:lib.bzl`; `build.txt` is of BUILD files.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from mlbuild.diagnostics import render
from mlbuild.lang import BUILD, MODULE, STRUCT, StarlarkError, Thread, check, compile_program, execute

CASES = Path(__file__).with_name("errors")
IS_UPDATE = "MLBUILD_UPDATE_CASES" in os.environ
NAMES = frozenset({"struct", "py_library"})
LIBRARY = b"""\
NAMES = ["a"]
TABLE = {"b": 1}
_seen = []

def add(x):
    _seen.append(x)

def collect(x, into = []):
    into.append(x)
    return into

def broken(x):
    return x.foo

_private = 1
"""


def cases() -> list[tuple[str, str, str, str]]:
    """Of each case its file, its title, the source and the text of the error."""
    found = []
    for file in sorted(CASES.glob("*.txt")):
        for part in ("\n" + file.read_text(encoding="utf-8")).split("\n### ")[1:]:
            title, _, body = part.partition("\n")
            source, _, error = body.partition("-- error\n")
            found.append((file.stem, title, source.rstrip("\n") + "\n", error.rstrip("\n")))
    return found


def told(kind: str, source: str) -> str:
    """What a person reads."""
    if kind != "running":
        _, found = check(source.encode(), "a.bzl", BUILD if kind == "build" else MODULE, NAMES)
        return "\n".join(render(each) for each in found)
    try:
        run("a.bzl", source.encode(), {":lib.bzl": run("lib.bzl", LIBRARY, {})})
    except StarlarkError as error:
        return "\n".join(render(each) for each in error.diagnostics)
    return ""


def run(path: str, source: bytes, loaded: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
    program = compile_program(source, path, MODULE, frozenset({"struct"}))
    return execute(program, {"struct": STRUCT}, loaded, Thread())


@pytest.mark.parametrize(("kind", "title", "source", "error"), cases(), ids=[f"{c[0]}: {c[1]}" for c in cases()])
def test_the_error_says_where_what_and_what_to_try(kind: str, title: str, source: str, error: str) -> None:
    if not IS_UPDATE:
        assert told(kind, source) == error
        assert error, title


@pytest.mark.skipif(not IS_UPDATE, reason="only when the cases are to be written anew")
def test_the_cases_are_written_anew() -> None:
    for file in CASES.glob("*.txt"):
        parts = [
            f"### {title}\n{source}-- error\n{told(kind, source)}\n"
            for kind, title, source, _ in cases()
            if kind == file.stem
        ]
        file.write_text("\n".join(parts), encoding="utf-8")
