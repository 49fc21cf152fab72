"""`mlbuild doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlbuild.cli.building import in_session
from mlbuild.cli.showing import show
from mlbuild.diagnostics import ExitCode

if TYPE_CHECKING:
    from mlbuild.config import BuildRequest
    from mlbuild.session import Session


def run(request: BuildRequest) -> int:
    def examine(session: Session) -> int:
        lines = session.doctor()
        show(lines)
        return int(ExitCode.ENVIRONMENT if any(line.startswith("no:") for line in lines) else ExitCode.SUCCESS)

    return in_session(request, examine)
