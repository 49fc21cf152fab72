"""What differs of an action, in words. The names that a rule gives to the levels of a directory are used."""

from __future__ import annotations

from collections.abc import Iterable

from mlbuild.journal.contents import Read, changed_members, shown, shown_line
from mlbuild.journal.entry import Build, Kept
from mlbuild.journal.graph import parents
from mlbuild.journal.past import Change
from mlbuild.terms import OUTPUT_ROOT

MOST = 4


def named(build: Build, path: str) -> str:
    """An artifact for a person: ``column `delay`, partition `month=11` of `data/flights` ``, or its short path."""
    for folder in parents(path):
        if levels := build.levels.get(folder):
            parts = path.removeprefix(folder + "/").split("/")
            names = [f"{level} `{part}`" for level, part in zip(levels, _stems(parts, len(levels)), strict=False)]
            return f"{', '.join(reversed(names))} of `{short(folder)}`"
    return f"`{short(path)}`"


def _stems(parts: list[str], levels: int) -> list[str]:
    """The innermost level is a file: its extension is no part of its name."""
    return [*parts[:-1], parts[-1].rpartition(".")[0] or parts[-1]] if len(parts) == levels else parts


def short(path: str) -> str:
    return path.removeprefix(OUTPUT_ROOT + "/")


def input_words(build: Build, change: Change, read: Read) -> str:
    """What became of an input."""
    if change.before is None or change.after is None:
        return f"{named(build, change.name)} is {'new' if change.before is None else 'no longer read'}"
    below = members_of(build, change.name, change.before, change.after, read)
    return f"{few(below, 'and')} changed" if below else f"{named(build, change.name)} changed"


def members_of(build: Build, path: str, old: object, new: object, read: Read) -> tuple[str, ...]:
    """What changed below a directory, named; nothing for a file, or where that is no longer known."""
    if not (isinstance(old, tuple) and isinstance(new, tuple) and old[0] == new[0] == "tree"):
        return ()
    members = changed_members(_kept(old), _kept(new), read)
    return () if members is None else tuple(named(build, f"{path}/{each}") for each in members)


def own_words(change: Change) -> str:
    """What became of a part that is no input."""
    before, after = ("not there" if each is None else shown_line(str(each)) for each in (change.before, change.after))
    what = {
        "argument": f"argument `{change.name}`" if change.name else "arguments",
        "variable": f"environment variable `{change.name}`",
        "property": f"platform property `{change.name}`",
        "mount": f"what is mounted at `{change.name}`",
        "limit": f"limit of {change.name}",
        "outputs": "outputs",
    }[change.what]
    return f"{what}: {before} -> {after}"


def value_words(before: object, after: object) -> str:
    """How a value of a BUILD file became another: of a list, what came and went."""
    if isinstance(before, list) and isinstance(after, list):
        came, went = ([each for each in one if each not in other] for one, other in ((after, before), (before, after)))
        words = [
            f"{what} {few(shown(each) for each in some)}" for what, some in (("with", came), ("without", went)) if some
        ]
        if words and len(before) + len(came) - len(went) == len(after):
            return ", ".join(words)
    return f"{shown(before)} -> {shown(after)}"


def few(texts: Iterable[str], last: str = "and") -> str:
    """The first of them."""
    every = list(dict.fromkeys(texts))
    if len(every) > MOST:
        return f"{', '.join(every[:MOST])} {last} {len(every) - MOST} more"
    return ", ".join(every)


def _kept(value: tuple[object, ...]) -> Kept:
    kind, digest, size = value
    assert isinstance(kind, str) and isinstance(digest, str) and isinstance(size, int)
    return kind, digest, size
