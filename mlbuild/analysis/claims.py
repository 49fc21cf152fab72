"""Who makes which output: each path has one owner, and none lies inside another."""

from __future__ import annotations

from collections.abc import Iterable

from mlbuild.diagnostics import Location, UserError, fail
from mlbuild.records import record
from mlbuild.terms import Artifact, Label


@record
class Owner:
    """A target, and the place in its BUILD file."""

    label: Label
    location: Location


class Claims:
    """The outputs of all targets analysed so far."""

    def __init__(self) -> None:
        self._owners: dict[str, Owner] = {}
        self._folders: dict[str, str] = {}  # a folder that outputs lie in -> the first of them

    def claim(self, outputs: Iterable[Artifact], owner: Owner) -> None:
        """Takes the outputs for the owner, all or none. Raises UserError."""
        outputs = tuple(outputs)
        for output in outputs:
            self._check(output.path, owner)
        for output in outputs:
            path = output.path
            self._owners[path] = owner
            while (path := path.rpartition("/")[0]) and path not in self._folders:
                self._folders[path] = output.path

    def _check(self, path: str, owner: Owner) -> None:
        other = self._owners.get(path)
        if other is not None:
            raise two_owners(path, owner, other)
        inner = self._folders.get(path)
        if inner is not None:
            raise _inside(inner, path, owner, self._owners[inner])
        folder = path.rpartition("/")[0]
        while folder:
            other = self._owners.get(folder)
            if other is not None:
                raise _inside(path, folder, owner, other)
            folder = folder.rpartition("/")[0]


def two_owners(path: str, owner: Owner, other: Owner) -> UserError:
    if owner.label == other.label:
        message = f"two actions of `{owner.label.short}` make `{path}`"
    else:
        message = f"`{path}` has two owners: `{other.label.short}` and `{owner.label.short}`"
    return fail(
        "two-owners",
        message,
        location=owner.location,
        notes=() if owner.label == other.label else (f"`{other.label.short}` is at {other.location}",),
        hint="give one of them another name",
    )


def _inside(inner: str, outer: str, owner: Owner, other: Owner) -> UserError:
    both = owner.label.short, other.label.short
    return fail(
        "two-owners",
        f"output `{inner}` lies inside output `{outer}`: `{both[0]}` and `{both[1]}` cannot both be built",
        location=owner.location,
        notes=() if owner.label == other.label else (f"`{other.label.short}` is at {other.location}",),
        hint="give one of them another name",
    )
