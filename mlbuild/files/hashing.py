"""The SHA-256 of a file's bytes, quick for small files too."""

from __future__ import annotations

import hashlib
from typing import BinaryIO

SMALL = 1 << 16


def sha256_of(file: BinaryIO) -> str:
    """In lower-case hex, from where the file stands to its end.

    `hashlib.file_digest` fills a buffer of 256 KiB whatever the size: for a small file that is most of the time.
    """
    hasher = hashlib.sha256()
    while chunk := file.read(SMALL):
        hasher.update(chunk)
        if len(chunk) < SMALL:
            continue
        buffer = bytearray(1 << 20)
        view = memoryview(buffer)
        while size := file.readinto(view):  # type: ignore[attr-defined]  # every binary file has it
            hasher.update(view[:size])
    return hasher.hexdigest()
