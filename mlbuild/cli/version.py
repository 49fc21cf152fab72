"""`mlbuild version`."""

from __future__ import annotations

import mlbuild


def run(arguments: tuple[str, ...]) -> int:
    print(f"mlbuild {mlbuild.__version__}")
    return 0
