"""Bazel's own suite, as the package index's `starlark` carries it: all of it agrees, but for what `differences.json` explains."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlbuild.lang import MODULE, Builtin, StarlarkError, Thread, builtin, call, compile_program, execute, repr_value
from mlbuild.lang.compare import equal
from mlbuild.lang.loops import ITERATING
from mlbuild.testing.suite_names import HOST

PACKAGE = "starlark==0.6.0"
DIFFERENCES: dict[str, str] = json.loads(Path(__file__).with_name("differences.json").read_text())
"""By file and line, why Bazel's expectation is not ours."""


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The suite's files by name."""
    folder = tmp_path_factory.mktemp("suite")
    download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", PACKAGE]
    try:
        found = subprocess.run(download, cwd=folder, capture_output=True, text=True, timeout=50, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip(f"{PACKAGE} cannot be had from the package index in time")
    if found.returncode:
        pytest.skip(f"{PACKAGE} cannot be had from the package index: {found.stderr[-300:]}")
    files = {}
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        for member in archive:
            name = member.name.rpartition("/")[2]
            if "/conformance/" in member.name and name.endswith(".star") and not name.startswith("bench_"):
                content = archive.extractfile(member)
                assert content is not None
                files[name] = content.read().decode()
    return files


class Assertions:
    """The suite's assertions: they count, and go on."""

    def __init__(self) -> None:
        self.checked = 0
        self.failed: list[tuple[int, str]] = []

    def names(self) -> dict[str, Builtin]:
        def note(thread: Thread, holds: bool, message: str) -> None:
            self.checked += 1
            if not holds:
                place = thread.location()
                self.failed.append((place.line if place else 0, message))

        @builtin("assert_eq")
        def assert_eq(thread: Thread, x: Any, y: Any, /) -> None:
            note(thread, equal(x, y), f"{repr_value(x)} != {repr_value(y)}")

        @builtin("assert_")
        def assert_(thread: Thread, condition: Any, message: str = "assertion failed", /) -> None:
            note(thread, bool(condition), message)

        @builtin("assert_fails")
        def assert_fails(thread: Thread, function: Any, pattern: str, /) -> None:
            try:
                call(thread, function)
            except StarlarkError as error:
                note(thread, matches(pattern, error.message), f"{error.message!r} does not match {pattern!r}")
            else:
                note(thread, False, f"no error matching {pattern!r}")

        return {"assert_eq": assert_eq, "assert_": assert_, "assert_fails": assert_fails}


def matches(pattern: str, message: str) -> bool:
    """Bazel begins some messages with a capital letter."""
    return any(re.search(pattern, each) is not None for each in (message, message[:1].upper() + message[1:]))


def chunks(text: str) -> Iterator[tuple[int, str]]:
    line = 1
    for chunk in re.split(r"(?m)^---[ \t]*\n", text):
        yield line, chunk
        line += chunk.count("\n") + 1


def run(first: int, chunk: str) -> tuple[int, list[tuple[int, str]]]:
    """How many assertions the chunk makes, and those that fail, by line of the file."""
    code, expected = [], []
    for number, line in enumerate(chunk.split("\n"), first):
        text, found, pattern = line.partition("###")
        code.append(text)
        if found:
            expected.append((number, pattern.strip()))
    assertions = Assertions()
    thread = Thread(context=[], print=lambda _: None)
    names = HOST | assertions.names()
    problem = None
    try:
        program = compile_program("\n".join(code).encode(), "suite.star", MODULE, frozenset(names))
        execute(program, names, {}, thread)
    except StarlarkError as error:
        problem = error
    finally:
        assert isinstance(thread.context, list)
        for value in thread.context:
            ITERATING.pop(id(value), None)
    failed = [(first - 1 + line, message) for line, message in assertions.failed]
    if problem is None:
        failed += [(line, f"no error matching {pattern!r}") for line, pattern in expected]
    elif not expected:
        place = problem.diagnostics[0].location
        failed.append((first - 1 + (place.line if place else 0), problem.message))
    elif not any(matches(pattern, each.message) for _, pattern in expected for each in problem.diagnostics):
        failed.append((expected[0][0], f"{problem.message!r} does not match {expected[0][1]!r}"))
    return assertions.checked + len(expected), failed


def test_the_differences_are_exactly_those_that_are_explained(suite: dict[str, str]) -> None:
    checked, found = 0, {}
    for name, text in suite.items():
        for first, chunk in chunks(text):
            count, failed = run(first, chunk)
            checked += count
            found.update({f"{name}:{line}": message for line, message in failed})
    assert checked > 1_700
    unexplained = {place: message for place, message in found.items() if place not in DIFFERENCES}
    assert not unexplained
    assert sorted(found) == sorted(DIFFERENCES), "what is explained no longer differs"
