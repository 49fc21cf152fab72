"""`mlbuild test`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlbuild.cli.building import in_session
from mlbuild.cli.patterns import patterns_of

if TYPE_CHECKING:
    from mlbuild.config import BuildRequest


def run(request: BuildRequest) -> int:
    patterns = patterns_of(request)
    return in_session(request, lambda session: session.test(patterns))
