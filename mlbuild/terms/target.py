"""Targets, rules and configured targets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from mlbuild.diagnostics import Location
from mlbuild.terms.label import Label


@dataclass(frozen=True, slots=True)
class Provider:
    """The type of a bundle of information that a rule returns: `PyEnvInfo`."""

    name: str
    fields: tuple[str, ...] | None
    key: tuple[str, str]
    """(module, exported name): two loads of one module give the same provider."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of a rule."""

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
    is_configurable: bool = True


@dataclass(frozen=True, slots=True)
class Rule:
    """A kind of target: its attributes and the function that analyses it."""

    name: str
    attributes: Mapping[str, Attribute]
    implementation: object
    doc: str = ""
    is_test: bool = False
    is_executable: bool = False
    toolchains: tuple[Label, ...] = ()
    outputs: Mapping[str, str] = field(default_factory=dict)
    module: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """A rule with values: what a BUILD file says. `attributes` holds what was written, defaults not filled in."""

    label: Label
    rule: Rule
    attributes: Mapping[str, object]
    location: Location
    visibility: tuple[str, ...]
    frames: tuple[str, ...] = ()


Implementation = Callable[..., object]
