"""`mlbuild version`."""

from __future__ import annotations

import mlbuild
from mlbuild.cli.showing import show


def run(arguments: tuple[str, ...]) -> int:
    show((f"mlbuild {mlbuild.__version__}",))
    return 0
