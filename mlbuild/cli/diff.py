"""`mlbuild diff`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlbuild.cli.building import in_session
from mlbuild.cli.showing import show
from mlbuild.diagnostics import ExitCode

if TYPE_CHECKING:
    from mlbuild.config import BuildRequest
    from mlbuild.session import Session


def run(request: BuildRequest) -> int:
    def tell(session: Session) -> int:
        show(session.diff())
        return ExitCode.SUCCESS

    return in_session(request, tell)
