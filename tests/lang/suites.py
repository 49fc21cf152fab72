"""The published suites by name, and what came of them: `python -m tests.lang.suites` runs all and records the figures.

Each suite is read at one commit, so that what is recorded stays true when it grows. No suite's text is kept here.
"""

from __future__ import annotations

import json
import platform
import sys
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from tests.lang.suite_chunks import Style, Verdicts, official, quoted, run_files
from tests.lang.suite_rust import unit_tests
from tests.lang.suite_source import files, packaged, repository
from tests.lang.suite_static import golden_errors, name_errors, parsed, syntax_errors

RESULTS = Path(__file__).with_name("results") / "suites.json"

_BAZEL = Style(official("java"), judges_messages=True)
_GO = Style(quoted, modules=True, nearly_equal=True)
_ABSENT = {r"\bfibonacci\b": "a host value without end"}
_NOT_TESTS = frozenset(("benchmark.star", "paths.star", "proto.star", "time.star", "function_param.star"))
"""Of starlark-go: a benchmark, a library, and the tests of the modules `proto` and `time`."""


class Suite(NamedTuple):
    """`judge` gets the files that `under` has; without a repository, those of the package."""

    repository: str
    under: tuple[str, ...]
    suffix: str
    judge: Callable[[Mapping[str, str]], Verdicts]


def _go_evaluation(found: Mapping[str, str]) -> Verdicts:
    return run_files({name: text for name, text in found.items() if name not in _NOT_TESTS}, _GO, _ABSENT)


SUITES: dict[str, Suite] = {
    "spec": Suite("bazelbuild/starlark", ("test_suite/testdata",), ".star", lambda found: run_files(found, _BAZEL)),
    "bazel": Suite("", (), "", lambda found: run_files(found, _BAZEL)),
    "go": Suite("google/starlark-go", ("starlark/testdata", "starlarkstruct/testdata"), ".star", _go_evaluation),
    "go-syntax": Suite("google/starlark-go", ("syntax/testdata",), "errors.star", syntax_errors),
    "go-resolve": Suite(
        "google/starlark-go", ("resolve/testdata",), "resolve.star", lambda found: name_errors(found, ("M", "U"))
    ),
    "rust-eval": Suite(
        "facebook/starlark-rust",
        ("starlark/testcases/eval/go",),
        ".star",
        lambda found: run_files(found, _GO, _ABSENT),
    ),
    "rust-unit": Suite("facebook/starlark-rust", ("starlark/src",), ".rs", unit_tests),
    "rust-golden": Suite("facebook/starlark-rust", ("starlark_syntax/src/syntax",), ".golden", golden_errors),
    "rust-parse": Suite("facebook/starlark-rust", ("starlark_syntax/testcases/parse",), ".star", parsed),
}


def verdicts(name: str, folder: Path) -> Verdicts:
    """Runs the suite; `folder` takes what is downloaded. The test that asks is skipped if the suite cannot be had."""
    suite = SUITES[name]
    if not suite.repository:
        return suite.judge(packaged(folder))
    clone = repository(suite.repository)
    found: dict[str, str] = {}
    for under in suite.under:
        found.update(files(clone, suite.repository, under, suite.suffix))
    return suite.judge(found)


def figures(found: Verdicts) -> dict[str, object]:
    """What is recorded of a suite."""
    cases, errors = len(found.cases), len(found.errors)
    return {
        "cases": cases,
        "agree": cases - len(found.differences),
        "agree_with_message": cases - len(found.differences.keys() | found.messages.keys()),
        "errors_on_a_named_line": errors,
        "on_that_line": errors - len(found.lines) - len(found.errors & found.differences.keys()),
        "skipped": dict(sorted(found.skipped.items())),
    }


def _record() -> None:
    with tempfile.TemporaryDirectory() as folder:
        made = {name: figures(verdicts(name, Path(folder))) for name in SUITES}
    about = {
        "date": datetime.now(UTC).date().isoformat(),
        "python": platform.python_version(),
        "machine": platform.machine(),
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({**about, "suites": made}, indent=1) + "\n")
    sys.stdout.write(RESULTS.read_text())


if __name__ == "__main__":
    _record()
