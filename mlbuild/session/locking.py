"""`mlbuild lock`: from the requirements that targets name to their locks, in the workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlbuild.diagnostics import UserError, fail
from mlbuild.terms import Label, Target

if TYPE_CHECKING:
    from mlbuild.config import BuildRequest
    from mlbuild.fetch.locking import LockRequest, Text
    from mlbuild.session.rooms import Rooms


def write_locks(rooms: Rooms, request: BuildRequest, patterns: tuple[str, ...]) -> tuple[str, ...]:
    """Resolves and writes the lock of every target that has both `requirements` and `lock`; returns their paths.

    Raises UserError when no target has both, or its requirements have no solution.
    """
    asked: dict[str, tuple[Target, tuple[LockRequest, str]]] = {}
    for label in rooms.loader.expand(patterns, request.package):
        entry = rooms.loader.entry(label)
        if not isinstance(entry, Target) or not {"requirements", "lock"} <= entry.attributes.keys():
            continue
        lock = _path(entry, "lock", label)
        wanted = _asked(rooms, entry, label), str(entry.attributes.get("python") or "")
        _check_name(entry, lock)
        first, said = asked.setdefault(lock, (entry, wanted))
        if said != wanted:
            raise _two_requests(first, entry, lock)
    for lock, (_, (what, python)) in asked.items():
        place = request.workspace / lock
        previous = place.read_text(encoding="utf-8") if place.exists() else ""
        # What is pinned stays pinned, as long as the requirements allow it.
        text = rooms.fetcher.lock(what, python, previous)
        if text != previous:
            place.write_text(text, encoding="utf-8")
    if not asked:
        raise fail(
            "nothing-to-lock",
            f"no target of {' '.join(patterns)} names both its `requirements` and its `lock`",
            hint='say both in a target: `py_env(requirements = "requirements.in", lock = "requirements.lock")`',
        )
    return tuple(asked)


def _check_name(target: Target, lock: str) -> None:
    """A lock of another format, which its name tells, is not for us to write."""
    from mlbuild.fetch.lock_tables import is_pylock, is_uv_lock

    if is_uv_lock(lock) or is_pylock(lock):
        raise fail(
            "foreign-lock",
            f"`{lock}` has a format that others write",
            location=target.location,
            hint="make it with uv (`uv lock`, `uv export --format pylock.toml`), or name the lock `requirements.lock`",
        )


def _two_requests(one: Target, other: Target, lock: str) -> UserError:
    """Two environments may share a lock, if they ask for the same."""
    return fail(
        "two-requests",
        f"`{one.label.short}` and `{other.label.short}` name one lock, `{lock}`, and ask for different packages",
        location=other.location,
        hint="give each its own `lock`, or both the same `requirements` and options",
    )


def _asked(rooms: Rooms, target: Target, label: Label) -> LockRequest:
    from mlbuild.fetch.locking import LockRequest

    requirements = _text(rooms, target, label, "requirements")
    assert requirements is not None
    return LockRequest(
        requirements,
        _text(rooms, target, label, "constraints"),
        _text(rooms, target, label, "overrides"),
        _words(target, "platforms"),
        _words(target, "extras"),
        _words(target, "groups"),
    )


def _text(rooms: Rooms, target: Target, label: Label, attribute: str) -> Text | None:
    """The file that an attribute names, if it names one. Raises UserError."""
    from mlbuild.fetch.locking import Text

    if not target.attributes.get(attribute):
        return None
    path = _path(target, attribute, label)
    try:
        return Text(path, rooms.sources.read(path).decode("utf-8"))
    except FileNotFoundError:
        raise fail(
            "no-such-file",
            f"`{target.label.short}` is to be locked, but there is no file `{path}`",
            location=target.location,
            hint="write the packages into it that are needed, one a line",
        ) from None
    except UnicodeDecodeError:
        raise fail("bad-requirements", f"`{path}` is no text in UTF-8", location=target.location) from None


def _words(target: Target, attribute: str) -> tuple[str, ...]:
    value = target.attributes.get(attribute)
    return tuple(str(each) for each in value) if isinstance(value, (list, tuple)) else ()


def _path(target: Target, attribute: str, label: Label) -> str:
    return Label.parse(str(target.attributes[attribute]), repository=label.repository, package=label.package).path
