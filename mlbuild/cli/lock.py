"""`mlbuild lock`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlbuild.cli.building import in_session
from mlbuild.cli.showing import show

if TYPE_CHECKING:
    from mlbuild.config import BuildRequest
    from mlbuild.session import Session


def run(request: BuildRequest) -> int:
    def lock(session: Session) -> int:
        show(f"locked {path}" for path in session.lock(request.words or ("//...",)))
        return 0

    return in_session(request, lock)
