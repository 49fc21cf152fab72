"""Why a target's actions ran: what changed, what that led to, and what did not run although something before it did."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mlbuild.journal.contents import Read, differences
from mlbuild.journal.entry import Build, Entry, Header
from mlbuild.journal.graph import Makers
from mlbuild.journal.past import Before, Change, Past, attribute_changes, changes, is_as_before, remade
from mlbuild.journal.reasons import few, input_words, members_of, named, own_words, short, value_words
from mlbuild.records import record
from mlbuild.terms import OUTPUT_ROOT

MOST_DETAILS = 12


@record
class Cause:
    """Something that is not as it was, and that no action before it explains."""

    what: str
    details: tuple[str, ...]


@record
class Step:
    """One action of the chain, or all of a target that do the same for other parts."""

    action: str
    how: str
    """As in `ActionFinished`."""
    parts: tuple[str, ...]
    """The names of their first outputs, in the order of the graph."""
    because: tuple[str, ...]
    made_anew: tuple[str, ...]
    """What is not the same bytes as before: if nothing, the change ends here."""


@record
class Told:
    """The story of one target in one build."""

    target: str
    actions: int
    ran: int
    build: Header
    compared_with: Header | None
    changed: tuple[Cause, ...] = ()
    for_the_first_time: tuple[str, ...] = ()
    led_to: tuple[Step, ...] = ()
    did_not_run: tuple[tuple[str, int], ...] = ()
    """What reads something that moved, and is as before all the same: its name, and how many times."""
    not_concerned: int = 0


@record
class Look:
    """One action beside what it was before. `has_moved`: it, or what it makes, is not as it was."""

    entry: Entry
    before: Before | None
    changes: tuple[Change, ...]
    remade: tuple[str, ...]
    has_moved: bool


class Story:
    """The story of one build, told for one target at a time."""

    def __init__(self, build: Build, past: Past, read: Read) -> None:
        self._build = build
        self._past = past
        self._read = read
        self._makers = Makers(build)

    def of(self, label: str) -> Told | None:
        """The story of a target; nothing if the build has no action of it."""
        own = [name for name, entry in self._build.entries.items() if entry.owner == label and entry.how != "mapped"]
        if not own:
            return None
        looks = {entry.outputs[0]: self._look(entry) for entry in self._makers.closure(own)}
        compared = next((look.before.build.header for look in looks.values() if look.before), None)
        moved = {name: look for name, look in looks.items() if look.has_moved}
        causes: dict[str, tuple[str, ...]] = {}
        for look in moved.values():
            for title, details in self._causes(look, moved):
                causes.setdefault(title, details)
        spared, beyond = self._cut_off(looks, moved) if moved else ({}, 0)
        return Told(
            label,
            len(own),
            sum(1 for name in own if looks[name].entry.has_run),
            self._build.header,
            compared,
            tuple(Cause(title, details) for title, details in causes.items()),
            tuple(dict.fromkeys(look.entry.name for look in moved.values() if look.before is None)),
            tuple(self._led_to(moved)),
            tuple(spared.items()),
            beyond,
        )

    def in_short(self, name: str) -> str:
        """Why one action ran, on one line. Of the build nothing needs to be known but this action."""
        look = self._look(self._build.entries[name])
        if look.before is None:
            return "it has not been built here before"
        details: list[str] = []
        for change in look.changes:
            if change.what == "input" and _is_source(change.name) and change.before and change.after:
                details += differences(change.name, _kept(change.before), _kept(change.after), self._read)
        if any(change.what != "input" or not (change.before and change.after) for change in look.changes):
            said = self._attributes(look.entry.owner, look.before.build)
            details += said[1] if said is not None else ()
        return few(self.reasons(look)) + (f" ({few(details)})" if details else "")

    def _look(self, entry: Entry) -> Look:
        before = self._past.before(entry)
        if before is None:
            return Look(entry, None, (), entry.outputs, True)
        made = remade(self._build, entry, before)
        is_same = is_as_before(self._build, entry, before)
        found = () if is_same else changes(self._build, entry, before)
        return Look(entry, before, found, made, entry.has_run or not is_same)

    def _causes(self, look: Look, moved: dict[str, Look]) -> Iterator[tuple[str, tuple[str, ...]]]:
        """What of the look is not explained by an action before it."""
        entry, before = look.entry, look.before
        if before is None:
            if not any(name in moved for name in self._makers.reads(entry)):
                yield f"{entry.name} has not been built here before", ()
            return
        if not look.changes:
            yield self._without_change(entry, before)
            return
        own: list[Change] = []
        for change in look.changes:
            if change.what != "input" or change.before is None or change.after is None:
                own.append(change)
            elif _is_source(change.name):
                details = differences(change.name, _kept(change.before), _kept(change.after), self._read)
                yield f"{named(self._build, change.name)} changed", details
        if own:
            yield from self._own_causes(look, own, moved)

    def _without_change(self, entry: Entry, before: Before) -> tuple[str, tuple[str, ...]]:
        if not entry.key:
            what = "is made from what its target says" if not entry.inputs else "came out otherwise"
            return self._attributes(entry.owner, before.build) or (
                f"{entry.name} {what}: the rule, or this machine's tools, have changed",
                (few(self._made_anew(Look(entry, before, (), remade(self._build, entry, before), True))),),
            )
        if before.entry.how == "failed":
            return f"{entry.name} had failed in build {before.build.header.id}: failures are not kept", ()
        return (
            f"the cache no longer had the result of {entry.name}, or was not to give it",
            ("nothing that decides it has changed",),
        )

    def _own_causes(
        self, look: Look, own: list[Change], moved: dict[str, Look]
    ) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Changes that no input explains: an attribute of the target, of what it takes its settings from, or its rule."""
        assert look.before is not None
        old = look.before.build
        found = self._attributes(look.entry.owner, old)
        if found is not None:
            yield found
            return
        follows = [each for each in own if each.what == "input" and self._makers.of(each.name)]
        if follows and any(name in moved for name in self._makers.reads(look.entry)):
            return  # a member of a directory came or went: the action that makes it says why
        needed = dict.fromkeys(each.owner for each in self._makers.closure((look.entry.outputs[0],)))
        # An environment without packages has no action of its own: then any target may be meant.
        others = self._said_otherwise(needed, old) or self._said_otherwise(self._build.targets, old)
        settings = {"variable", "property", "mount", "argument", "limit"}
        if others and any(each.what in settings for each in own):
            yield from others
            return
        if self._build.header.defines != old.header.defines:
            before, after = (
                " ".join(f"{name}={value}" for name, value in each.header.defines) for each in (old, self._build)
            )
            yield f"`--define`: `{before}` -> `{after}`", ()
        elif self._build.header.version != old.header.version:
            yield f"mlbuild {old.header.version} -> {self._build.header.version}", ()
        else:
            words = [
                own_words(each) if each.what != "input" else input_words(self._build, each, self._read) for each in own
            ]
            yield (
                f"{look.entry.owner} is made by other commands, though its attributes are as before: its rule or macro changed",
                (few(words),),
            )

    def _said_otherwise(self, labels: Iterable[str], old: Build) -> list[tuple[str, tuple[str, ...]]]:
        return [each for label in labels if (each := self._attributes(label, old)) is not None]

    def _attributes(self, label: str, old: Build) -> tuple[str, tuple[str, ...]] | None:
        now = self._build.targets.get(label)
        found = attribute_changes(old.targets.get(label), now)
        if not found or now is None:
            return None
        details = tuple(f"`{name}`: {value_words(before, after)}" for name, before, after in found)
        return f"{label} says something else ({now.path}:{now.line})", details[:MOST_DETAILS]

    def _led_to(self, moved: dict[str, Look]) -> Iterator[Step]:
        groups: dict[tuple[str, str], list[Look]] = {}
        for look in moved.values():
            if look.before is not None and look.entry.how != "internal":
                groups.setdefault((look.entry.name, look.entry.how), []).append(look)
        for (name, how), looks in groups.items():
            yield Step(
                name,
                how,
                tuple(short(each.entry.outputs[0]).rpartition("/")[2] for each in looks),
                tuple(dict.fromkeys(words for look in looks for words in self.reasons(look))),
                tuple(dict.fromkeys(each for look in looks for each in self._made_anew(look))) if how == "ran" else (),
            )

    def reasons(self, look: Look) -> Iterator[str]:
        """Short words for what of an action is not as it was."""
        if look.before is not None and not look.changes and look.entry.key:
            yield "its result was not there" if look.before.entry.how != "failed" else "it had failed"
        for change in look.changes:
            yield input_words(self._build, change, self._read) if change.what == "input" else own_words(change)

    def _made_anew(self, look: Look) -> Iterator[str]:
        for path in look.remade:
            old = look.before.build.values.get(path) if look.before else None
            below = members_of(self._build, path, old, self._build.values.get(path), self._read)
            yield from below or (named(self._build, path),)

    def _cut_off(self, looks: dict[str, Look], moved: dict[str, Look]) -> tuple[dict[str, int], int]:
        """What did not run although something that it reads from ran; and how many actions are farther away."""
        spared: dict[str, int] = {}
        beyond = 0
        for name, look in looks.items():
            if name not in moved and look.entry.how != "internal":
                if any(each in moved for each in self._makers.reads(look.entry)):
                    spared[look.entry.name] = spared.get(look.entry.name, 0) + 1
                else:
                    beyond += 1
        return spared, beyond


def _is_source(path: str) -> bool:
    return not path.startswith(f"{OUTPUT_ROOT}/")


def _kept(value: object) -> tuple[str, str, int]:
    assert isinstance(value, tuple)
    return value
