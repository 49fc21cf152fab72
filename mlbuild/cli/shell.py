"""`mlbuild shell`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlbuild.cli.building import in_session
from mlbuild.diagnostics import ExitCode, fail

if TYPE_CHECKING:
    from mlbuild.config import BuildRequest


def run(request: BuildRequest) -> int:
    if len(request.words) != 1:
        said = f"takes one target, not {len(request.words)}" if request.words else "needs a target"
        raise fail(
            "one-target" if request.words else "no-target", f"`mlbuild shell` {said}",
            hint="`mlbuild shell //envs:train`; what follows `--` goes to the interpreter", exit_code=ExitCode.COMMAND_LINE,
        )  # fmt: skip
    return in_session(request, lambda session: int(session.shell(request.words[0], request.rest)))
