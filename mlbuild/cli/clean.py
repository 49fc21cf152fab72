"""`mlbuild clean`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlbuild.cli.building import in_session

if TYPE_CHECKING:
    from mlbuild.config import BuildRequest
    from mlbuild.session import Session


def run(request: BuildRequest) -> int:
    def clean(session: Session) -> int:
        session.clean()
        return 0

    return in_session(request, clean)
