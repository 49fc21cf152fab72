"""A place on the cache's own disk for what is on its way into the store: `/tmp` may be small, or memory."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator

_FORGOTTEN_SECONDS = 24 * 3600
"""Far longer than anything may be on its way: a folder this old was left by a process that was killed."""


@contextlib.contextmanager
def incoming_folder(place: str) -> Iterator[str]:
    """A new folder below `place`, removed at the end; those that killed processes left there are removed too."""
    os.makedirs(place, mode=0o700, exist_ok=True)
    _sweep(place, time.time() - _FORGOTTEN_SECONDS)
    with tempfile.TemporaryDirectory(dir=place, ignore_cleanup_errors=True) as folder:
        yield folder


def _sweep(place: str, before: float) -> None:
    for name in os.listdir(place):
        path = os.path.join(place, name)
        with contextlib.suppress(FileNotFoundError):  # another process has just removed it
            if os.lstat(path).st_mtime < before:
                shutil.rmtree(path, ignore_errors=True)
