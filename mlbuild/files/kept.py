"""Small state of our own on disk: marshalled, checksummed, replaced whole. Damaged or lost means: not there.

Marshalled bytes are trusted only because the folder is the user's own and the checksum agrees; nothing here ever comes
from somebody else.
"""

from __future__ import annotations

import contextlib
import marshal
import os

import xxhash

CHECKSUM = 16


def load_kept(path: str, magic: bytes) -> object:
    """What `keep` wrote under the same magic, or None."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 (pathlib costs more than the whole answer of a null build)
            content = file.read()
        start = len(magic) + CHECKSUM
        if content[: len(magic)] != magic or xxhash.xxh3_128_digest(content[start:]) != content[len(magic) : start]:
            return None
        loaded: object = marshal.loads(content[start:])
    except (OSError, ValueError, EOFError, TypeError):
        return None
    return loaded


def keep(path: str, magic: bytes, value: object) -> bool:
    """Replaces what the file holds; says whether the disk took it."""
    body = marshal.dumps(value)  # type: ignore[arg-type]  # the stub lists the types; nesting is beyond it
    temporary = f"{path}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with open(temporary, "wb") as file:  # noqa: PTH123
            file.write(magic + xxhash.xxh3_128_digest(body) + body)
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        return False
    return True
