"""Why a target's actions ran: what changed, what that led to, and what did not run although something before it did."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mlbuild.journal.contents import Read, differences
from mlbuild.journal.entry import Build, Entry
from mlbuild.journal.graph import Makers
from mlbuild.journal.lines import moment
from mlbuild.journal.past import Before, Change, Past, attribute_changes, changes, is_as_before, remade
from mlbuild.journal.reasons import few, input_words, members_of, named, own_words, short, value_words
from mlbuild.records import record
from mlbuild.terms import OUTPUT_ROOT

MOST_CAUSES = 12
MOST_GROUPS = 20
"""So many from the beginning of the chain, and as many from its end."""


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

    def lines(self, label: str) -> tuple[str, ...]:
        """The story of a target; nothing if the build has no action of it."""
        own = [name for name, entry in self._build.entries.items() if entry.owner == label and entry.how != "mapped"]
        looks = {entry.outputs[0]: self._look(entry) for entry in self._makers.closure(own)}
        return tuple(self._told(label, own, looks)) if own else ()

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

    def _told(self, label: str, own: list[str], looks: dict[str, Look]) -> Iterator[str]:
        ran = [name for name in own if looks[name].entry.has_run]
        header = self._build.header
        words = " ".join((header.command, *header.patterns))
        yield f"{label}: {len(ran) or 'none'} of {_actions(len(own))} ran in build {header.id} ({moment(header.began)}, {words})"
        compared = next((look.before.build.header for look in looks.values() if look.before), None)
        if compared is not None:
            yield f"compared with build {compared.id} ({moment(compared.began)})"
        moved = {name: look for name, look in looks.items() if look.has_moved}
        if not moved:
            yield "everything that decides its outputs is as it was"
            return
        causes: dict[str, tuple[str, ...]] = {}
        for look in moved.values():
            for title, details in self._causes(look, moved):
                causes.setdefault(title, details)
        yield from ("", "what changed")
        for title, details in list(causes.items())[:MOST_CAUSES]:
            yield f"  {title}"
            yield from (f"    {each}" for each in details)
        if len(causes) > MOST_CAUSES:
            yield f"  … and {len(causes) - MOST_CAUSES} more"
        yield from ("", "what that led to")
        yield from self._led_to(moved)
        yield from self._cut_off(looks, moved)

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
        return f"{label} says something else ({now.path}:{now.line})", details[:MOST_CAUSES]

    def _led_to(self, moved: dict[str, Look]) -> Iterator[str]:
        groups: dict[tuple[str, str], list[Look]] = {}
        new: dict[str, None] = {}
        for look in moved.values():
            if look.before is None:
                new[look.entry.name] = None
            elif look.entry.how != "internal":
                groups.setdefault((look.entry.name, look.entry.how), []).append(look)
        if new:
            yield f"  for the first time: {few(new)}"
        told = list(groups.items())
        left_out = len(told) - 2 * MOST_GROUPS
        if left_out > 0:
            told[MOST_GROUPS:-MOST_GROUPS] = []
        for number, ((name, how), looks) in enumerate(told):
            if left_out > 0 and number == MOST_GROUPS:
                yield f"  … {left_out} more …"
            parts = [short(each.entry.outputs[0]).rpartition("/")[2] for each in looks]
            times = f" {len(looks)} times: {few(parts)}" if len(looks) > 1 else ""
            yield f"  {name} {_ENDS.get(how, how)}{times}"
            if words := few(each for look in looks for each in self.reasons(look)):
                yield f"    because {words}"
            if how == "ran":
                anew = [each for look in looks for each in self._made_anew(look)]
                yield (
                    f"    made {few(anew)} anew" if anew else "    made the same bytes as before: the change ends here"
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

    def _cut_off(self, looks: dict[str, Look], moved: dict[str, Look]) -> Iterator[str]:
        """What did not run although something that it reads from ran."""
        spared: dict[str, int] = {}
        beyond = 0
        for name, look in looks.items():
            if name not in moved and look.entry.how != "internal":
                if any(each in moved for each in self._makers.reads(look.entry)):
                    spared[look.entry.name] = spared.get(look.entry.name, 0) + 1
                else:
                    beyond += 1
        if spared:
            yield from ("", "what did not run, because what it reads is as before")
            for name, times in spared.items():
                yield f"  {name}" + (f" ({times} times)" if times > 1 else "")
        if beyond:
            yield from ("", f"{beyond} more {'action is' if beyond == 1 else 'actions are'} not concerned")


_ENDS = {"cached": "changed, and its result was known already", "internal": "was done again"}


def _is_source(path: str) -> bool:
    return not path.startswith(f"{OUTPUT_ROOT}/")


def _actions(count: int) -> str:
    return f"{count} {'action' if count == 1 else 'actions'}"


def _kept(value: object) -> tuple[str, str, int]:
    assert isinstance(value, tuple)
    return value
