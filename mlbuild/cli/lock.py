"""`mlbuild lock`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlbuild.cli.building import in_session

if TYPE_CHECKING:
    from mlbuild.config import BuildRequest
    from mlbuild.session import Session


def run(request: BuildRequest) -> int:
    def lock(session: Session) -> int:
        for path in session.lock(request.words or ("//...",)):
            print(f"locked {path}")
        return 0

    return in_session(request, lock)
