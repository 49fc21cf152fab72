"""An action of a build beside the same action of an earlier one: what of it is not as it was. Knows no disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from mlbuild.journal.entry import Build, Entry, Kept, TargetEntry
from mlbuild.records import record

NOT_DECIDING = frozenset({"name", "tags", "visibility"})


@record
class Change:
    """One part of an action: `what` is `input`, `argument`, `variable`, `property`, `mount`, `limit` or `outputs`.

    `before` or `after` is missing for what was not there.
    """

    what: str
    name: str
    before: str | Kept | None
    after: str | Kept | None


@record
class Before:
    """The same action, and the build that had it."""

    build: Build
    entry: Entry


class Past:
    """Earlier builds, newest first; each is read only when those after it did not have what is looked for."""

    def __init__(self, builds: Iterable[Build]) -> None:
        self._coming: Iterator[Build] = iter(builds)
        self._read: list[Build] = []

    def before(self, entry: Entry) -> Before | None:
        """The last time that the action was looked at."""
        for build in self._builds():
            found = build.entries.get(entry.outputs[0])
            if found is not None and found.how != "skipped":
                return Before(build, found)
        return None

    def target(self, label: str, since: Build) -> TargetEntry | None:
        """What the target was in that build."""
        return since.targets.get(label)

    def _builds(self) -> Iterator[Build]:
        yield from self._read
        for build in self._coming:
            self._read.append(build)
            yield build


def is_as_before(build: Build, entry: Entry, before: Before) -> bool:
    """Nothing that decides its outputs differs; for what has no key, the outputs themselves do not."""
    if entry.key and before.entry.key:
        return entry.key == before.entry.key
    return not remade(build, entry, before)


def remade(build: Build, entry: Entry, before: Before) -> tuple[str, ...]:
    """The outputs that are not the same bytes as before."""
    old, new = before.build.values, build.values
    return tuple(path for path in entry.outputs if new.get(path) != old.get(path))


def changes(build: Build, entry: Entry, before: Before) -> tuple[Change, ...]:
    """All of the action's parts that are not as they were, inputs first."""
    old = before.entry
    found: list[Change] = []
    found += _differing("input", _inputs(before.build, old), _inputs(build, entry))
    found += _differing("mount", _mounts(old), _mounts(entry))
    found += _arguments(old.arguments, entry.arguments)
    found += _differing("variable", dict(old.environment), dict(entry.environment))
    found += _differing("property", dict(old.platform), dict(entry.platform))
    if old.timeout_seconds != entry.timeout_seconds:
        found.append(Change("limit", "time", f"{old.timeout_seconds}s", f"{entry.timeout_seconds}s"))
    if sorted(old.outputs) != sorted(entry.outputs):
        found.append(Change("outputs", "outputs", " ".join(sorted(old.outputs)), " ".join(sorted(entry.outputs))))
    return tuple(found)


def attribute_changes(old: TargetEntry | None, new: TargetEntry | None) -> tuple[tuple[str, object, object], ...]:
    """Which attributes a BUILD file sets otherwise now: (name, before, after), as deep as both are dicts."""
    if old is None or new is None:
        return ()
    found: list[tuple[str, object, object]] = []
    for name in sorted(old.attributes.keys() | new.attributes.keys()):
        if name not in NOT_DECIDING:
            _deep(name, old.attributes.get(name), new.attributes.get(name), found)
    return tuple(found)


def _deep(name: str, old: object, new: object, found: list[tuple[str, object, object]]) -> None:
    if old == new and old.__class__ is new.__class__:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys(), key=str):
            _deep(f'{name}["{key}"]', old.get(key), new.get(key), found)
    else:
        found.append((name, old, new))


def _inputs(build: Build, entry: Entry) -> Mapping[str, Kept | None]:
    mounted = [content for _, content, is_artifact in entry.mounts if is_artifact]
    return {path: build.values.get(path) for path in (*entry.inputs, *mounted)}


def _mounts(entry: Entry) -> Mapping[str, str]:
    return {place: content for place, content, _ in entry.mounts}


def _differing(
    what: str, old: Mapping[str, str | Kept | None], new: Mapping[str, str | Kept | None]
) -> Iterator[Change]:
    if old == new:
        return
    for name in sorted(old.keys() | new.keys()):
        if (before := old.get(name)) != (after := new.get(name)):
            yield Change(what, name, before, after)


def _arguments(old: tuple[str, ...], new: tuple[str, ...]) -> Iterator[Change]:
    """What differs of a command line; the flag that an argument follows is its name."""
    if old == new:
        return
    from difflib import SequenceMatcher

    for kind, first, last, new_first, new_last in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind != "equal":
            before, after = " ".join(old[first:last]), " ".join(new[new_first:new_last])
            flag = new[new_first - 1] if new_first and new[new_first - 1].startswith("-") else ""
            yield Change("argument", flag, before or None, after or None)
