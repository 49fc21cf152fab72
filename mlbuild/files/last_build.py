"""The last build in one compact file: "has anything that decides these targets changed?" by stats alone.

Imports next to nothing, because the answer to a build with nothing to do must cost next to nothing. Whatever is odd
about the file, a stamp or the clock means "may have changed": the ordinary walk then decides.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator

from mlbuild.files.kept import keep, load_kept

Witness = tuple[str, str, int, int, int, int]
"""(absolute path, kind, size, mtime_ns, ctime_ns, inode). Kinds: `file`, `directory` (its listing), `absent`,
`output` (made by the build itself, so it may be as young as the state)."""

RACY_NS = 20_000_000
"""A file changed less than this before it was looked at may change again within the same tick of the clock."""

MAGIC = b"mlbuild-last-build-1\n"


def witness(path: str, kind: str) -> Witness:
    """How the path looks now."""
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return (path, "absent", 0, 0, 0, 0)
    if kind == "directory":
        return (path, kind, 0, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
    return (path, kind, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


def remember(
    path: str, question: str, witnesses: Iterable[Witness], began_ns: int, now_ns: int, answer: tuple[object, ...]
) -> bool:
    """Writes the state of a build that began at `began_ns`; says whether it could be trusted later.

    `question` is everything about the invocation that decides its answer. Inputs that changed after the build began,
    or a moment before, and outputs placed a moment ago make the state useless: then the old one is removed.
    """
    every = sorted(set(witnesses))
    for _, kind, _, mtime, ctime, _ in every:
        latest = max(mtime, ctime)
        if (kind == "output" and latest >= now_ns) or (kind != "output" and latest >= began_ns - RACY_NS):
            forget(path)
            return False
    return keep(path, MAGIC, (question, every, answer))


def recall(path: str, question: str) -> tuple[object, ...] | None:
    """The answer, if the question is the same and every witness looks as it did."""
    kept = load_kept(path, MAGIC)
    if not isinstance(kept, tuple) or len(kept) != 3:
        return None
    asked, witnesses, answer = kept
    if asked != question or not all(_holds(each) for each in _cheapest_first(witnesses)):
        return None
    return tuple(answer)


def forget(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return


def _cheapest_first(witnesses: list[Witness]) -> Iterator[Witness]:
    """Outputs first: they are few, and a removed one is the common reason to say no."""
    yield from (each for each in witnesses if each[1] == "output")
    yield from (each for each in witnesses if each[1] != "output")


def _holds(expected: Witness) -> bool:
    path, kind, size, mtime, ctime, inode = expected
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return kind == "absent"
    except OSError:
        return False
    # The ctime shows an edit whose mtime was set back, and other permissions.
    if kind == "absent" or (found.st_mtime_ns, found.st_ctime_ns, found.st_ino) != (mtime, ctime, inode):
        return False
    return stat.S_ISDIR(found.st_mode) if kind == "directory" else found.st_size == size
