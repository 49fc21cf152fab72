"""`mlbuild query`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlbuild.cli.building import in_session
from mlbuild.cli.showing import show

if TYPE_CHECKING:
    from mlbuild.config import BuildRequest
    from mlbuild.session import Session


def run(request: BuildRequest) -> int:
    def ask(session: Session) -> int:
        lines, code = session.query()
        found = tuple(lines)
        if found:
            show(found)
        return code

    return in_session(request, ask)
