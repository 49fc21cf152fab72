"""`mlbuild lock`: from the requirements that targets name to their locks, in the workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlbuild.diagnostics import fail
from mlbuild.terms import Label, Target

if TYPE_CHECKING:
    from mlbuild.config import BuildRequest
    from mlbuild.fetch.locking import LockRequest, Text
    from mlbuild.session.rooms import Rooms


def write_locks(rooms: Rooms, request: BuildRequest, patterns: tuple[str, ...]) -> tuple[str, ...]:
    """Resolves and writes the lock of every target that has both `requirements` and `lock`; returns their paths.

    Raises UserError when no target has both, or its requirements have no solution.
    """
    written: list[str] = []
    for label in rooms.loader.expand(patterns, request.package):
        entry = rooms.loader.entry(label)
        if not isinstance(entry, Target) or not {"requirements", "lock"} <= entry.attributes.keys():
            continue
        lock = _path(entry, "lock", label)
        python = str(entry.attributes.get("python") or "")
        place = request.workspace / lock
        previous = place.read_text(encoding="utf-8") if place.exists() else ""
        # What is pinned stays pinned, as long as the requirements allow it.
        text = rooms.fetcher.lock(_asked(rooms, entry, label), python, previous)
        if text != previous:
            place.write_text(text, encoding="utf-8")
        written.append(lock)
    if not written:
        raise fail(
            "nothing-to-lock",
            f"no target of {' '.join(patterns)} names both its `requirements` and its `lock`",
            hint='say both in a target: `py_env(requirements = "requirements.in", lock = "requirements.lock")`',
        )
    return tuple(dict.fromkeys(written))


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
