"""Results on stdout: what a person or a pipe asked to have."""

from __future__ import annotations

import os
from collections.abc import Iterable

from mlbuild.diagnostics import escape


def show(lines: Iterable[str]) -> None:
    """Prints lines. A reader that has gone (`mlbuild help | head -1`) has had enough: that is no failure."""
    try:
        print(escape("\n".join(lines)), flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
