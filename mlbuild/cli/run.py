"""`mlbuild run`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlbuild.cli.building import in_session
from mlbuild.diagnostics import ExitCode, fail

if TYPE_CHECKING:
    from mlbuild.config import BuildRequest


def run(request: BuildRequest) -> int:
    if not request.words:
        raise fail(
            "no-target", "`mlbuild run` needs a target", hint="`mlbuild run //tools:serve -- --port 8080`",
            exit_code=ExitCode.COMMAND_LINE,
        )  # fmt: skip
    target, *arguments = request.words
    return in_session(request, lambda session: int(session.run(target, (*arguments, *request.rest))))
