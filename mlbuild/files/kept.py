"""Small state of our own on disk: marshalled, checksummed, replaced whole. Damaged or lost means: not there.

Marshalled bytes are trusted only because the folder is the user's own and the checksum agrees; nothing here ever comes
from somebody else.
"""

from __future__ import annotations

import fcntl
import marshal
import os

import xxhash

from mlbuild.files.sharing import file_mode, make_folder

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
    """Replaces what the file holds; says whether the disk took it, and whether nobody else was at it."""
    body = marshal.dumps(value)  # type: ignore[arg-type]  # the stub lists the types; nesting is beyond it
    return replace_whole(path, magic + xxhash.xxh3_128_digest(body) + body)


def replace_whole(path: str, content: bytes) -> bool:
    """Replaces a file of our own, or leaves it; says whether the disk took it, and whether nobody else was at it."""
    try:
        folder = os.path.dirname(path)
        make_folder(folder)
        # One name for all: what a killed process leaves is used by the next, instead of being left for good.
        temporary = f"{path}.new"
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not os.path.samestat(os.stat(temporary), os.fstat(descriptor)):
                return False  # somebody else has just renamed it
            try:
                if (mode := file_mode(folder)) != 0o600:
                    os.fchmod(descriptor, mode)
                os.ftruncate(descriptor, 0)
                _write(descriptor, content)
                os.replace(temporary, path)
            except OSError:
                os.unlink(temporary)
                raise
        finally:
            os.close(descriptor)
    except OSError:
        return False
    return True


def _write(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
