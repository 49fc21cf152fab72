"""`mlbuild` and `python -m mlbuild`."""

from __future__ import annotations

import os
import sys

from mlbuild.cli import main

__all__ = ["main", "run"]


def run() -> None:
    """The console script."""
    code = main(sys.argv[1:], os.environ)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read us has gone: nothing more to say, and no complaint at interpreter exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.exit(code)


if __name__ == "__main__":
    run()
