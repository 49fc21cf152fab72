"""What analysis asks of loading. `mlbuild.loading.Loader` is it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from mlbuild.diagnostics import Location, UserError
from mlbuild.terms import Entry, Label


class Registered(Protocol):
    """A registered toolchain, and the place that registers it."""

    @property
    def label(self) -> Label: ...
    @property
    def location(self) -> Location | None: ...


class WorkspaceFacts(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def toolchains(self) -> Sequence[Registered]: ...


class Packages(Protocol):
    def workspace(self) -> WorkspaceFacts:
        """The workspace's name and toolchains. Raises UserError."""

    def entry(self, label: Label) -> Entry:
        """What the label names. Raises UserError, with no place."""

    def label_in(self, path: str, text: str) -> Label:
        """A label as written in a file. Raises BadLabel."""

    def placed(self, error: UserError, location: Location | None) -> UserError:
        """The error, at a place unless it has one already, with the line that stands there."""
