"""What a cache notes about itself: lines of text with a checksum, replaced whole. Damaged or lost means: not there.

Plain text, since in a shared cache another user may have written it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import xxhash

from mlbuild.files.kept import replace_whole


def keep_note(path: Path, magic: bytes, lines: Iterable[str]) -> bool:
    """Replaces what the file holds; says whether the disk took it, and whether nobody else was at it."""
    body = "\n".join(lines).encode()
    return replace_whole(str(path), magic + xxhash.xxh3_128_hexdigest(body).encode() + b"\n" + body)


def load_note(path: Path, magic: bytes) -> list[str] | None:
    """The lines that `keep_note` wrote under the same magic, or None."""
    try:
        content = path.read_bytes()
        checksum, _, body = content.removeprefix(magic).partition(b"\n")
        is_whole = content.startswith(magic) and checksum == xxhash.xxh3_128_hexdigest(body).encode()
        return body.decode().split("\n") if is_whole else None
    except (OSError, UnicodeDecodeError):
        return None
