"""Analysed targets: what a label's dependants see of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from mlbuild.diagnostics import Location, fail
from mlbuild.records import entity, field
from mlbuild.terms import Artifact, Depset, Info, Label, Provider, RunCommand

Settings = frozenset[tuple[str, str, str]]
"""What a `config_setting` asks for: (kind of setting, name, value)."""


@entity
class Match:
    """Of a `config_setting`: what it asks for, and whether that is so."""

    settings: Settings
    is_match: bool


@entity
class Node:
    """A target after analysis, as Starlark sees it too: `target[Provider]`, `Provider in target`."""

    label: Label
    kind: str
    location: Location
    files: Depset
    providers: Mapping[Provider, Info]
    executable: Artifact | None = None
    outputs: Mapping[Label, Artifact] = field(default_factory=dict)
    """The files that labels of their own name."""
    parts: Mapping[str, Node] = field(default_factory=dict)
    groups: Mapping[str, Depset] = field(default_factory=dict)
    test_results: tuple[Artifact, ...] = ()
    run: RunCommand | None = None
    match: Match | None = None
    is_file: bool = False

    starlark_type: ClassVar[str] = "Target"

    def artifacts(self) -> tuple[Artifact, ...]:
        return artifacts_of(self.files)

    def starlark_dir(self) -> tuple[str, ...]:
        return ("executable", "files", "label")

    def starlark_attr(self, name: str) -> object:
        if name == "label":
            return self.label
        if name == "files":
            return self.files
        if name == "executable":
            return self.executable
        raise KeyError(name)

    def starlark_index(self, key: object) -> object:
        if not isinstance(key, Provider):
            raise TypeError("a target is indexed with a provider")
        info = self.providers.get(key)
        if info is None:
            has = ", ".join(f"`{each.name}`" for each in self.providers)
            raise fail(
                "missing-provider",
                f"`{self.label.short}` ({self.kind}) does not provide `{key.name}`",
                hint=f"it provides {has}",
            )
        return info

    def starlark_contains(self, key: object) -> bool:
        if not isinstance(key, Provider):
            raise TypeError("what a target holds are providers")
        return key in self.providers

    def starlark_repr(self) -> str:
        return f"<target {self.label.short}>"


def artifacts_of(files: Depset) -> tuple[Artifact, ...]:
    """The elements of a depset of files. Raises UserError (with no place) if it holds something else."""
    found: list[Artifact] = []
    for each in files.to_tuple():
        if not isinstance(each, Artifact):
            raise fail("not-a-file", f"a depset of files holds a {getattr(each, 'starlark_type', type(each).__name__)}")
        found.append(each)
    return tuple(found)
