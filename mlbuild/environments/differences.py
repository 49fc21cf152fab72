"""How one environment is unlike another, in the words of those who use it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlbuild.environments.contents import Contents
from mlbuild.records import record

Pair = tuple[str | None, str | None]
"""What the one has and what the other has; nothing where it lacks it."""

_SAME_VERSION = "other files"


@record
class Differences:
    """By name: (what the one has, what the other has). `rebuilt` are packages of one version with unlike files."""

    one: str
    other: str
    python: tuple[str, str] | None
    packages: Mapping[str, Pair]
    rebuilt: Mapping[str, str]
    libraries: Mapping[str, Pair]
    variables: Mapping[str, Pair]
    is_same: bool
    """Every byte of both is the same, and so are the variables."""


def compare(one: Contents, other: Contents) -> Differences:
    """How `other` is unlike `one`."""
    versions = [{name: each.version for name, each in side.packages.items()} for side in (one, other)]
    records = [{name: each.record for name, each in side.packages.items()} for side in (one, other)]
    libraries = [{name: digest.hash for name, digest in side.libraries.items()} for side in (one, other)]
    trees = [(side.interpreter_tree, side.packages_tree, side.variables) for side in (one, other)]
    return Differences(
        one.label,
        other.label,
        None if one.python == other.python else (one.python, other.python),
        dict(_unlike(*versions)),
        {
            name: version
            for name, version in versions[0].items()
            if versions[1].get(name) == version and records[0][name] != records[1][name]
        },
        dict(_unlike(*libraries)),
        dict(_unlike(one.variables, other.variables)),
        trees[0] == trees[1],
    )


def lines(found: Differences) -> Iterator[str]:
    """As a person reads it."""
    if found.is_same:
        yield f"`{found.one}` and `{found.other}` are the same to the last byte"
        return
    yield f"from `{found.one}` to `{found.other}`:"
    if found.python is not None:
        yield f"  python {found.python[0]} -> {found.python[1]}"
    packages: dict[str, str] = {name: _versions(pair) for name, pair in found.packages.items()}
    packages |= {name: f"{version}, with {_SAME_VERSION}" for name, version in found.rebuilt.items()}
    yield from (f"  package {name} {packages[name]}" for name in sorted(packages))
    for name, pair in sorted(found.libraries.items()):
        yield f"  library {name} {_presence(pair)}"
    for name, pair in sorted(found.variables.items()):
        yield f"  variable {name} {_versions(pair)}"
    if not (found.python or packages or found.libraries or found.variables):
        yield "  the same packages and libraries, with other files of the interpreter or between the packages"


def plain(found: Differences) -> dict[str, object]:
    """The same as JSON's values."""
    return {
        "one": found.one,
        "other": found.other,
        "same": found.is_same,
        "python": list(found.python) if found.python else None,
        "packages": {name: list(pair) for name, pair in found.packages.items()},
        "packages_with_other_files": dict(found.rebuilt),
        "libraries": {name: list(pair) for name, pair in found.libraries.items()},
        "variables": {name: list(pair) for name, pair in found.variables.items()},
    }


def _unlike(one: Mapping[str, str], other: Mapping[str, str]) -> Iterator[tuple[str, Pair]]:
    for name in sorted({*one, *other}):
        if one.get(name) != other.get(name):
            yield name, (one.get(name), other.get(name))


def _versions(pair: Pair) -> str:
    match pair:
        case (None, new):
            return f"{new} added"
        case (old, None):
            return f"{old} removed"
        case (old, new):
            return f"{old} -> {new}"


def _presence(pair: Pair) -> str:
    return "added" if pair[0] is None else "removed" if pair[1] is None else "has other bytes"
