"""The page of exit codes."""

from __future__ import annotations

from collections.abc import Iterator

from docs.made.markdown import table
from mlbuild.cli.reference import MEANINGS

_ADVICE = {
    0: "",
    1: "Read the first error. Nothing needs to be cleaned: mend it and give the same command.",
    2: "`mlbuild help COMMAND` lists the flags.",
    3: "The log of each failed test is shown, and kept under `mlbuild-out/testlogs/`. The report of `mlbuild verify` names the cause.",
    4: "Name a target whose rule is a test: `py_test`, `evaluation`. For `mlbuild fmt --mode=check`: `mlbuild fmt` formats the files.",
    7: "Read the first error: a pattern that names nothing, or a BUILD file that does not load; `--keep_going` leaves it out.",
    8: "What had finished is kept; the same command goes on from there.",
    9: "Give the command without `--noblock_for_lock`, and it waits.",
    36: "`mlbuild doctor` says what this machine lacks.",
    37: "Please report it with the trace that was shown.",
}


def page() -> str:
    """The whole page as Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# Exit codes\n"
    yield "Made from `mlbuild/diagnostics.py` and `mlbuild/cli/reference.py` by `docs/make_reference.py`. They are Bazel's."
    yield "When several things fail, the gravest decides: a build that fails is 1 also if tests failed beside it."
    yield "`mlbuild run` ends with the code of the program that it ran.\n"
    yield from table(
        ("code", "means", "what to do"), ((str(int(code)), text, _ADVICE[code]) for code, text in MEANINGS.items())
    )
