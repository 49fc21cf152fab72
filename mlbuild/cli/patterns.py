"""The target patterns of a command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlbuild.diagnostics import ExitCode, fail

if TYPE_CHECKING:
    from mlbuild.config import BuildRequest


def patterns_of(request: BuildRequest) -> tuple[str, ...]:
    """All of them, in order; what follows `--` too. Raises UserError when there is none."""
    patterns = (*request.words, *request.rest)
    if not patterns:
        raise fail(
            "no-patterns",
            f"`mlbuild {request.command}` needs to be told what to {request.command}",
            hint=f"for everything: `mlbuild {request.command} //...`",
            exit_code=ExitCode.COMMAND_LINE,
        )
    return patterns
