"""Targets, rules, and what else a label can name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mlbuild.diagnostics import Frame, Location
from mlbuild.records import entity, field, record
from mlbuild.terms.label import Label
from mlbuild.terms.provider import Provider


@record
class Attribute:
    """One attribute of a rule. `kind` is the name of what made it: `label_list` of `attr.label_list`."""

    name: str
    kind: str
    default: object = None
    doc: str = ""
    is_mandatory: bool = False
    allow_empty: bool = True
    values: tuple[object, ...] = ()
    allow_files: bool | tuple[str, ...] = False
    is_single_file: bool = False
    providers: tuple[tuple[Provider, ...], ...] = ()
    """A dependency must have all providers of one of these groups."""
    is_configurable: bool = True
    is_executable: bool = False
    is_tool: bool = False
    """What it names is used by the target's actions (`cfg = "exec"`): it does not become a part of what they make."""


@record
class Rule:
    """A kind of target: its attributes and the function that analyses it (none: analysis knows the rule itself)."""

    name: str
    attributes: Mapping[str, Attribute]
    implementation: object
    doc: str = ""
    is_test: bool = False
    is_executable: bool = False
    toolchains: tuple[Label, ...] = ()
    outputs: Mapping[str, str] = field(default_factory=dict)
    module: str = ""


@entity
class Target:
    """A rule with values: what a BUILD file says. `attributes` holds what was written, defaults not filled in.

    `location` is the place in the BUILD file; `frames` are the calls that led to it when a macro made the target.
    """

    label: Label
    rule: Rule
    attributes: Mapping[str, object]
    location: Location
    visibility: tuple[str, ...]
    frames: tuple[Frame, ...] = ()
    tags: tuple[str, ...] = ()
    implicit_outputs: tuple[tuple[str, Label], ...] = ()
    """Key in the rule's `outputs` -> the file."""


@record
class SourceFile:
    """A file or folder of the workspace that a label names."""

    label: Label
    is_directory: bool = False


@record
class OutputFile:
    """A file that a target says it makes, named by its own label."""

    label: Label
    target: Target


@record
class PartOfTarget:
    """`:by_time.train`: what the target `:by_time` returns as its part `train`, if it does."""

    label: Label
    target: Target
    part: str


Entry = Target | SourceFile | OutputFile | PartOfTarget
"""What a label can name."""

Implementation = Callable[..., object]
