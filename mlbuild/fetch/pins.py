"""A lock taken apart: a small lock for each package, so that each is installed by itself and remembered by itself."""

from __future__ import annotations

from mlbuild.diagnostics import fail
from mlbuild.fetch.lock import Requirement, check_lock, lock_options, unlocked
from mlbuild.terms import Digest

_LONGEST_NAME = 120


def pins(lock: bytes, path: str) -> dict[str, bytes]:
    """The locks by file name, such as `six-1.17.0.txt`. The order of the lock's lines and hashes does not show in them.

    Raises:
        UserError: as `check_lock` does, and where a package is pinned twice in the same words.
    """
    try:
        text = lock.decode()
    except UnicodeDecodeError:
        raise unlocked(path) from None
    options = "".join(f"{option}\n" for option in lock_options(text))
    found: dict[str, list[Requirement]] = {}
    for each in check_lock(text, path):
        alike = found.setdefault(f"{each.name}-{each.version}"[:_LONGEST_NAME], [])
        if any(each.text == other.text for other in alike):
            raise fail("bad-lock", f"`{path}` pins `{each.text}` twice", hint="make the lock with `mlbuild lock`")
        alike.append(each)
    return {
        # One version may be there several times, for unlike platforms.
        f"{name}.txt" if len(alike) == 1 else f"{name}-{_letters(each)}.txt": options.encode() + _pin(each)
        for name, alike in found.items()
        for each in alike
    }


def _pin(requirement: Requirement) -> bytes:
    hashes = " ".join(f"--hash={each}" for each in sorted(set(requirement.hashes)))
    return f"{requirement.text} {hashes}\n".encode()


def _letters(requirement: Requirement) -> str:
    return Digest.of(requirement.text.encode()).hash[:8]
