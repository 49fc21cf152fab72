"""The page `docs/reference/commands.md`, made from the table that parses: `python -m mlbuild.cli.reference > PAGE`."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from mlbuild.cli.help import spelling
from mlbuild.diagnostics import ExitCode
from mlbuild.flags import COMMANDS

MEANINGS = {
    ExitCode.SUCCESS: "done",
    ExitCode.BUILD_FAILED: "the build failed",
    ExitCode.COMMAND_LINE: "the command line or an rc file is wrong",
    ExitCode.TESTS_FAILED: "all was built, and tests failed; of `mlbuild verify`: something differs; of a query with `--keep_going`: parts could not be loaded",
    ExitCode.NO_TESTS: "there were no tests to run; of `mlbuild fmt`: a file is not formatted",
    ExitCode.QUERY_FAILED: "a query could not be answered",
    ExitCode.INTERRUPTED: "interrupted",
    ExitCode.LOCK_HELD: "another command is at work in this workspace, and `--noblock_for_lock` was given",
    ExitCode.ENVIRONMENT: "the machine lacks something: disk, permissions, a sandbox",
    ExitCode.INTERNAL: "a bug in mlbuild",
}


def page() -> str:
    """The whole page as Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# Commands\n"
    yield "Made from `mlbuild/flags.py` by `mlbuild/cli/reference.py`.\n"
    yield "As for Bazel, `-` and `_` are the same in a flag, a boolean `--x` is undone by `--nox`, and the last flag wins."
    yield "Flags come from `~/.mlbuildrc`, then from the workspace's `.mlbuildrc`, then from the command line."
    for command in COMMANDS.values():
        yield f"\n## {command.name}\n\n`mlbuild {command.usage}`\n\n{command.doc}"
        if command.inherits:
            yield f"In rc files, the lines of `{command.inherits}` hold for it too."
        if command.flags:
            yield "\n| flag | |\n| --- | --- |"
        for flag in command.flags:
            yield f"| `{_cell(spelling(flag))}` | {_cell(flag.doc)} |"
    yield "\n## Exit codes\n\n| code | means |\n| --- | --- |"
    for code, meaning in MEANINGS.items():
        yield f"| {int(code)} | {meaning} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(page())
