"""Two remembered builds, side by side: which sources, targets and outputs are not the same, and where the difference begins."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from mlbuild.journal.entry import Build, Entry, Kept
from mlbuild.journal.graph import DERIVED
from mlbuild.journal.past import attribute_changes
from mlbuild.records import record
from mlbuild.terms import Digest, FileValue, TreeValue
from mlbuild.verify.comparison import Difference, differences

Read = Callable[[Digest], bytes]


@record
class TargetChange:
    """A target that its BUILD file describes otherwise: where it stands now, and (attribute, before, after)."""

    label: str
    place: str
    attributes: tuple[tuple[str, object, object], ...]


@record
class ActionChange:
    """An action whose outputs are not the same. `has_equal_inputs`: its key is the same, so the bytes should be, too."""

    owner: str
    mnemonic: str
    has_equal_inputs: bool
    differences: tuple[Difference, ...]


@record
class Between:
    """`only` has the targets that one of the builds lacks: those of the first, and those of the second."""

    sources: tuple[Difference, ...]
    targets: tuple[TargetChange, ...]
    actions: tuple[ActionChange, ...]
    only: tuple[tuple[str, ...], tuple[str, ...]]
    same: int
    """Outputs that both have, and that are the same."""


def between(one: Build, other: Build, read: Read) -> Between:
    """How the second build is unlike the first. What the store no longer has is not looked into."""
    changed, same = [], 0
    for name, entry in other.entries.items():
        before = one.entries.get(name)
        if before is None or entry.how == "mapped":
            continue
        pairs = [(path, one.values[path], other.values[path]) for path in entry.outputs if _both(path, one, other)]
        same += sum(left == right for _, left, right in pairs)
        if found := _differences(pairs, read):
            changed.append(ActionChange(entry.owner, entry.mnemonic, _has_one_key(before, entry), found))
    shared = sorted(path for path in one.values if not path.startswith(DERIVED) and _both(path, one, other))
    targets = tuple(
        TargetChange(label, f"{target.path}:{target.line}", attributes)
        for label, target in sorted(other.targets.items())
        if (attributes := attribute_changes(one.targets.get(label), target))
    )
    owners = [{entry.owner for entry in build.entries.values()} for build in (one, other)]
    return Between(
        _differences([(path, one.values[path], other.values[path]) for path in shared], read),
        targets,
        tuple(changed),
        (tuple(sorted(owners[0] - owners[1])), tuple(sorted(owners[1] - owners[0]))),
        same,
    )


def _both(path: str, one: Build, other: Build) -> bool:
    return path in one.values and path in other.values


def _has_one_key(before: Entry, now: Entry) -> bool:
    return bool(now.key) and before.key == now.key


def _differences(pairs: list[tuple[str, Kept, Kept]], read: Read) -> tuple[Difference, ...]:
    found: list[Difference] = []
    for path, left, right in pairs:
        if left != right:
            try:
                found += differences({path: _value(left)}, {path: _value(right)}, read)
            except LookupError:
                found.append(Difference(path, ("what it was is no longer kept",)))
    return tuple(found)


def _value(kept: Kept) -> FileValue | TreeValue:
    kind, name, size = kept
    digest = Digest(name, size)
    return TreeValue(digest) if kind == "tree" else FileValue(digest, kind == "executable")


def plain(found: Between, ids: tuple[str, str]) -> Mapping[str, object]:
    """All of it for programs."""
    return {
        "builds": list(ids),
        "sources": [_plain(each) for each in found.sources],
        "targets": [
            {
                "target": each.label,
                "place": each.place,
                "attributes": [{"name": name, "first": left, "second": right} for name, left, right in each.attributes],
            }
            for each in found.targets
        ],
        "actions": [
            {
                "target": each.owner,
                "mnemonic": each.mnemonic,
                "equal_inputs": each.has_equal_inputs,
                "differences": [_plain(inner) for inner in each.differences],
            }
            for each in found.actions
        ],
        "only_in_first": list(found.only[0]),
        "only_in_second": list(found.only[1]),
        "same_outputs": found.same,
    }


def _plain(difference: Difference) -> Mapping[str, object]:
    return {"path": difference.path, "how": list(difference.how)}


MOST_FILES = 5
MOST_TARGETS = 30


def lines(found: Between, titles: tuple[str, str]) -> Iterator[str]:
    """One page for a person. `titles` say which builds they are."""
    yield f"first:  {titles[0]}"
    yield f"second: {titles[1]}"
    if found.sources:
        yield from ("", "sources")
        yield from _of_files(found.sources)
    if found.targets:
        yield from ("", "targets that say something else")
    for target in found.targets[:MOST_TARGETS]:
        yield f"  {target.label} ({target.place})"
        yield from (f"    `{name}`: `{left}` / `{right}`" for name, left, right in target.attributes)
    if found.actions:
        yield from ("", "outputs")
    for action in found.actions[:MOST_TARGETS]:
        why = ", from the same inputs: `mlbuild verify` finds out why" if action.has_equal_inputs else ""
        yield f"  {action.mnemonic} {action.owner}{why}"
        yield from (f"  {line}" for line in _of_files(action.differences))
    if (more := len(found.actions) - MOST_TARGETS) > 0:
        yield f"  … and those of {more} more actions"
    for word, labels in zip(("first", "second"), found.only, strict=True):
        if labels:
            yield from ("", f"only in the {word}: {', '.join(labels)}")
    yield from ("", f"{'1 output is' if found.same == 1 else f'{found.same} outputs are'} the same in both")


def _of_files(found: tuple[Difference, ...]) -> Iterator[str]:
    for difference in found[:MOST_FILES]:
        yield f"  `{difference.path}`"
        yield from (f"    {line}" for line in difference.how)
    if (more := len(found) - MOST_FILES) > 0:
        yield f"  … and {more} more files"
