"""The target graph as questions see it: loaded where they look, no further."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from mlbuild.diagnostics import Diagnostic, ExitCode, Location, UserError
from mlbuild.loading.dependencies import Dependency, dependencies_of
from mlbuild.loading.package import BUILD_FILE
from mlbuild.records import record
from mlbuild.terms import Entry, Label, Rule, SourceFile, Target


class Packages(Protocol):
    """What questions ask of loading. `mlbuild.loading.Loader` is it."""

    def entry(self, label: Label) -> Entry:
        """What the label names. Raises UserError, with no place."""

    def matching(self, text: str, folder: str = "") -> tuple[tuple[Label, ...], tuple[Diagnostic, ...]]:
        """The labels that a pattern means, and what is wrong with the rest."""

    def everything_in(self, repository: str, package: str) -> Sequence[Label]:
        """All that a package has. Raises UserError."""

    def modules_of(self, repository: str, package: str) -> Sequence[Label]:
        """The modules that a package's BUILD file loads. Raises UserError."""

    def is_global(self, rule: Rule) -> bool:
        """Whether BUILD files see the rule by its name without loading it."""

    def file_label(self, path: str) -> Label:
        """The label of the file with this path from the exec root."""

    def placed(self, error: UserError, location: Location | None) -> UserError:
        """The error, at a place unless it has one already."""


@record
class Kept:
    """Which edges the graph has."""

    implicit: bool = True
    tools: bool = True

    def __call__(self, dependency: Dependency) -> bool:
        return (self.implicit or not dependency.is_implicit) and (self.tools or not dependency.is_tool)


EVERYTHING = Kept()


class TargetGraph:
    """Labels and what they depend on. Remembers what it has seen, and, if it may go on, what is wrong with the rest."""

    def __init__(
        self,
        packages: Packages,
        folder: str = "",
        kept: Callable[[Dependency], bool] = EVERYTHING,
        keep_going: bool = False,
    ) -> None:
        self._packages = packages
        self._folder = folder
        self._kept = kept
        self._keep_going = keep_going
        self._entries: dict[Label, Entry] = {}
        self._written: dict[Label, tuple[Label, ...]] = {}
        self._expanded: dict[Label, tuple[Label, ...]] = {}
        self._faults: dict[Diagnostic, None] = {}

    @property
    def faults(self) -> tuple[Diagnostic, ...]:
        """What could not be loaded, and was left out."""
        return tuple(self._faults)

    def matching(self, pattern: str) -> tuple[Label, ...]:
        """The labels that a target pattern means. Raises UserError."""
        labels, faults = self._packages.matching(pattern, self._folder)
        self._found_wrong(faults)
        return labels

    def entry(self, label: Label) -> Entry:
        """What a label of this graph names. Raises UserError."""
        known = self._entries.get(label)
        return self._packages.entry(label) if known is None else known

    def dependencies(self, label: Label) -> tuple[Label, ...]:
        """What the label depends on directly, in the order written, each once. Raises UserError for what is not there."""
        known = self._expanded.get(label)
        if known is None:
            known = self._expanded[label] = self.there(self.written(label), label)
        return known

    def there(self, labels: Iterable[Label], user: Label) -> tuple[Label, ...]:
        """Those of the labels, all written in `user`, that name something. Raises UserError for the first that does not."""
        return tuple(each for each in labels if self._is_there(each, user))

    def written(self, label: Label) -> tuple[Label, ...]:
        """As `dependencies`, but whatever is written: what is named may not be there."""
        known = self._written.get(label)
        if known is None:
            known = self._written[label] = tuple(dict.fromkeys(self._edges(self.entry(label))))
        return known

    def known(self, label: Label) -> tuple[Label, ...]:
        """The dependencies that a question has followed so far; none if it never came here."""
        return self._expanded.get(label, ())

    def siblings(self, label: Label) -> Sequence[Label]:
        """Everything in the label's package."""
        return self._or_nothing(lambda: self._packages.everything_in(label.repository, label.package))

    def build_file(self, label: Label) -> Label:
        """The BUILD file of the label's package."""
        return self._file(label.sibling(BUILD_FILE))

    def build_files(self, label: Label) -> tuple[Label, ...]:
        """The BUILD file of the label's package, if there is a package."""
        file = label.sibling(BUILD_FILE)
        try:
            self._packages.entry(file)
        except UserError:
            return ()
        return (self._file(file),)

    def modules(self, label: Label) -> tuple[Label, ...]:
        """The modules that the BUILD file of the label's package loads, directly or not."""
        found = self._or_nothing(lambda: self._packages.modules_of(label.repository, label.package))
        return tuple(self._file(each) for each in found)

    def file(self, path: str) -> Label:
        """The label of a module."""
        return self._packages.file_label(path)

    def is_global(self, rule: Rule) -> bool:
        """Whether BUILD files see the rule by its name without loading it."""
        return self._packages.is_global(rule)

    def _file(self, label: Label) -> Label:
        # As in Bazel: such a file may lie where no package speaks of it, and answers all the same.
        self._entries.setdefault(label, SourceFile(label))
        return label

    def _edges(self, entry: Entry) -> Iterable[Label]:
        if isinstance(entry, Target):
            return (each.label for each in dependencies_of(entry) if self._kept(each))
        return () if isinstance(entry, SourceFile) else (entry.target.label,)

    def _is_there(self, label: Label, user: Label) -> bool:
        try:
            self.entry(label)
        except UserError as error:
            entry = self.entry(user)
            self._found_wrong(
                self._packages.placed(error, entry.location if isinstance(entry, Target) else None).diagnostics
            )
            return False
        return True

    def _or_nothing(self, ask: Callable[[], Sequence[Label]]) -> Sequence[Label]:
        try:
            return ask()
        except UserError as error:
            self._found_wrong(error.diagnostics)
            return ()

    def _found_wrong(self, faults: Iterable[Diagnostic]) -> None:
        """Raises UserError (exit code 7), or remembers what is wrong."""
        faults = tuple(faults)
        if faults and not self._keep_going:
            raise UserError(*faults, exit_code=ExitCode.QUERY_FAILED)
        self._faults.update(dict.fromkeys(faults))
