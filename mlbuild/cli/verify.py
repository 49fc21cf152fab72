"""`mlbuild verify`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlbuild.cli.building import in_session
from mlbuild.cli.patterns import patterns_of
from mlbuild.cli.showing import show

if TYPE_CHECKING:
    from mlbuild.config import BuildRequest
    from mlbuild.session import Session


def run(request: BuildRequest) -> int:
    patterns = patterns_of(request)

    def tell(session: Session) -> int:
        report, code = session.verify(patterns)
        show(report)
        return code

    return in_session(request, tell)
