"""Replaces a file of the user's: whole, or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile


def replace_file(path: str, data: bytes) -> None:
    """Writes the file anew with its mode, and its owner if that may be. A link stays: what it leads to is replaced. Raises OSError."""
    place = os.path.realpath(path)
    before = os.stat(place)
    folder, name = os.path.split(place)
    descriptor, new = tempfile.mkstemp(prefix=f".{name}.", dir=folder)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            with contextlib.suppress(PermissionError):
                os.fchown(file.fileno(), before.st_uid, before.st_gid)
            os.fchmod(file.fileno(), stat.S_IMODE(before.st_mode))
            os.fsync(file.fileno())
        os.replace(new, place)
    except BaseException:
        os.unlink(new)
        raise
