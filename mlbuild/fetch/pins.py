"""A lock taken apart: a small lock for each package, so that each is installed by itself and remembered by itself."""

from __future__ import annotations

from collections.abc import Iterable

from mlbuild.diagnostics import Location, fail
from mlbuild.fetch.lock import Requirement, check_lock, lock_options, unlocked
from mlbuild.fetch.markers import Holds
from mlbuild.terms import Digest

_LONGEST_NAME = 120


def pins(
    lock: bytes, path: str, holds: Holds, extras: Iterable[str] = (), groups: Iterable[str] = ()
) -> dict[str, bytes]:
    """The locks by file name, such as `six-1.17.0.txt`, of the packages whose markers hold.

    The order of the lock's lines and hashes does not show in them. Which format the lock has is seen by its name.

    Raises:
        UserError: as `check_lock` does, and where a package is pinned twice in the same words.
    """
    options, requirements = _read(lock, path, holds, tuple(extras), tuple(groups))
    found: dict[str, list[Requirement]] = {}
    for each in requirements:
        alike = found.setdefault(f"{each.name}-{each.version}"[:_LONGEST_NAME], [])
        if any(each.text == other.text for other in alike):
            raise fail("bad-lock", f"`{path}` pins `{each.text}` twice", hint="make the lock with `mlbuild lock`")
        alike.append(each)
    return {
        # One version may be there several times, with unlike extras.
        f"{name}.txt" if len(alike) == 1 else f"{name}-{_letters(each)}.txt": options + _pin(each)
        for name, alike in found.items()
        for each in alike
    }


def _read(
    lock: bytes, path: str, holds: Holds, extras: tuple[str, ...], groups: tuple[str, ...]
) -> tuple[bytes, tuple[Requirement, ...]]:
    """The options that go before every pin, and the requirements that hold."""
    from mlbuild.fetch.lock_tables import is_pylock, is_uv_lock, read_pylock, read_uv_lock

    if is_uv_lock(path):
        return b"", read_uv_lock(lock, path, holds, extras, groups)
    if extras or groups:
        raise fail(
            "no-such-extra",
            f"`{path}` knows no extras and no dependency groups: its packages are chosen already",
            hint="leave out `extras` and `groups`, or name a `uv.lock`",
        )
    if is_pylock(path):
        return b"", read_pylock(lock, path, holds)
    try:
        text = lock.decode()
    except UnicodeDecodeError:
        raise unlocked(path) from None
    holding: list[Requirement] = []
    for each in check_lock(text, path):
        bare, _, marker = each.text.partition(";")
        try:
            if holds(marker.strip()):
                holding.append(Requirement(bare.strip(), each.hashes, each.line))
        except ValueError as error:
            raise fail("bad-lock", str(error), location=Location(path, each.line)) from None
    return "".join(f"{option}\n" for option in lock_options(text)).encode(), tuple(holding)


def _pin(requirement: Requirement) -> bytes:
    hashes = " ".join(f"--hash={each}" for each in sorted(set(requirement.hashes)))
    return f"{requirement.text} {hashes}\n".encode()


def _letters(requirement: Requirement) -> str:
    return Digest.of(requirement.text.encode()).hash[:8]
