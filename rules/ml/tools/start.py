"""Starts one of the tools beside this file by its name: `start.py train_model ARGUMENTS`."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

ROOT = str(Path(__file__).absolute().parents[3])


def main(arguments: list[str]) -> int:
    """The exit code of the tool `arguments[0]`; what a person can fix is said without a traceback."""
    # Only the repository's root leads to the tools: their names never stand in the way of a user's own modules.
    here = Path(__file__).resolve().parent
    sys.path[:] = [ROOT, *(each for each in sys.path if Path(each).resolve() != here)]
    from rules.ml.tools.failure import ToolError

    tool = importlib.import_module(f"rules.ml.tools.{arguments[0]}")
    try:
        tool.main(arguments[1:])
    except ToolError as error:
        print(error.render(), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    sys.stderr.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    sys.exit(main(sys.argv[1:]))
