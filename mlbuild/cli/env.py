"""`mlbuild env diff`, `kernel`, `link`, `oci` and `sbom`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlbuild.cli.building import in_session
from mlbuild.cli.showing import show

if TYPE_CHECKING:
    from mlbuild.config import BuildRequest
    from mlbuild.session import Session


def run(request: BuildRequest) -> int:
    def do(session: Session) -> int:
        said, code = session.env((*request.words, *request.rest))
        if said:
            show(said)
        return code

    return in_session(request, do)
