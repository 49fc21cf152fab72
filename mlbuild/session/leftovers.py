"""What a command that was killed leaves in the cache. Whoever opens the rooms removes it; a null build does not."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def may_be_there(cache: Path, private: Path) -> bool:
    """Whether there is any, or another command is at work."""
    for place in (private / "run" / "runs", cache / "tmp"):
        with contextlib.suppress(OSError):
            if os.listdir(place):
                return True
    return False


def remove(cache: Path, private: Path) -> None:
    """Removes what is nobody's any more. A disk that does not let it go keeps it: it is in nobody's way."""
    from mlbuild.sandbox import remove_leftovers
    from mlbuild.store.temporary import TemporaryFiles

    with contextlib.suppress(OSError):
        remove_leftovers(private / "run")
    with contextlib.suppress(OSError):
        temporary = TemporaryFiles(cache / "tmp")
        temporary.clear_away()
        temporary.close()
