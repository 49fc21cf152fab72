"""Evaluates WORKSPACE.ml, BUILD files and modules, each once, and says what labels name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mlbuild.diagnostics import Diagnostic, Location, UserError
from mlbuild.lang import BUILD, Thread
from mlbuild.loading import missing
from mlbuild.loading.builder import PackageBuilder
from mlbuild.loading.dependencies import dependencies_of
from mlbuild.loading.folders import Folders
from mlbuild.loading.kept import Asked, Keeper, KeptPackages
from mlbuild.loading.lines import SourceLines
from mlbuild.loading.modules import Modules, Programs
from mlbuild.loading.native import BUILD_GLOBALS, NATIVE_RULES, WORKSPACE_GLOBALS, WorkspaceBuilder
from mlbuild.loading.package import (
    BUILD_FILE,
    WORKSPACE_FILE,
    Package,
    Registration,
    Workspace,
    folder_of,
)
from mlbuild.loading.patterns import Pattern, Scope, parse_pattern
from mlbuild.loading.rule import RuleFunction
from mlbuild.records import record, replace
from mlbuild.seams import EventSink, SourceTree
from mlbuild.terms import Entry, Label, OutputFile, PartOfTarget, Rule, SourceFile
from mlbuild.terms.event import PackageLoaded, Warned

PRELUDE = "external/mlbuild/rules/prelude.bzl"
TOOLCHAINS = (Label("mlbuild", "rules/shell", "host"), Label("mlbuild", "rules/python", "host"))
"""What mlbuild registers itself, after the toolchains of the workspace."""


@record
class Defaults:
    """What mlbuild adds to every workspace: a module whose names BUILD files see, and toolchains."""

    prelude: str | None = PRELUDE
    toolchains: tuple[Label, ...] = TOOLCHAINS


class Loader:
    """Phase 1. Remembers what it evaluated, and every error, for as long as it lives: one build."""

    def __init__(
        self,
        sources: SourceTree,
        programs: Programs,
        sink: EventSink | None = None,
        defaults: Defaults = Defaults(),
        keeper: Keeper | None = None,
        about: str = "",
    ) -> None:
        """`keeper` keeps evaluated packages; `about` names all that evaluates them: mlbuild itself, and what it is given."""
        self._sink = sink
        self._defaults = defaults
        self._folders = Folders(sources)
        self._workspace: Workspace | None = None
        self._packages: dict[tuple[str, str], Package | UserError] = {}
        self._prelude: Mapping[str, object] | None = None
        self._entries: dict[Label, Entry] = {}
        self._lines = SourceLines(sources)
        self._modules = Modules(sources, programs, self._folders, self.prelude, self._print)
        self._about = about
        self._evaluator_text: str | None = None
        self._kept = None if keeper is None else KeptPackages(keeper, self._modules, self._folders, self._evaluator)
        self._printed: set[str] = set()
        """The files that printed something: what they are loaded by is evaluated each time, so that it is printed again."""

    def workspace(self) -> Workspace:
        """What WORKSPACE.ml says, or an empty workspace if there is none."""
        if self._workspace is None:
            registered: tuple[Registration, ...] = ()
            name = ""
            if self._folders.kind(WORKSPACE_FILE) == "file":
                builder = WorkspaceBuilder()
                self._evaluate(WORKSPACE_FILE, WORKSPACE_GLOBALS, builder)
                name, registered = builder.name, tuple(builder.toolchains)
            own = tuple(Registration(label) for label in self._defaults.toolchains)
            self._workspace = Workspace(name, (*registered, *own))
            self._modules.workspace_name = name
        return self._workspace

    def prelude(self) -> Mapping[str, object]:
        """The names that every BUILD file sees without loading them."""
        if self._prelude is None:
            if self._defaults.prelude is None:
                self._prelude = {}
            else:
                # While the prelude's own modules are evaluated it is empty to them.
                self._prelude = {}
                try:
                    self._prelude = self._modules.module(self._defaults.prelude)
                except UserError:
                    self._prelude = None
                    raise
        return self._prelude

    def package(self, repository: str, name: str) -> Package:
        """The package, evaluated. Raises UserError."""
        key = (repository, name)
        known = self._packages.get(key)
        if known is None:
            try:
                known = self._load_package(repository, name)
            except UserError as error:
                known = error
            self._packages[key] = known
        if isinstance(known, UserError):
            raise known
        return known

    def module(self, path: str) -> Mapping[str, object]:
        """What the module with this path from the exec root exports. Raises UserError."""
        self.workspace()
        return self._modules.module(path)

    def forget(self, repository: str, name: str) -> None:
        """Evaluates the package again when it is next asked for: its BUILD file has changed, and nothing else has."""
        self._packages.pop((repository, name), None)
        self._entries = {
            label: entry
            for label, entry in self._entries.items()
            if (label.repository, label.package) != (repository, name)
        }

    def entry(self, label: Label) -> Entry:
        """What the label names. Raises UserError (with no place: the asker knows it)."""
        known = self._entries.get(label)
        if known is None:
            known = self._entries[label] = self._find(label)
        return known

    def expand(self, patterns: Iterable[str], folder: str = "") -> tuple[Label, ...]:
        """The labels that the patterns mean, each once, in the order of the patterns. Raises UserError.

        `folder` is where the person stands, from the workspace's root. Wildcards leave out targets with the tag `manual`.
        """
        labels, faults = self.expand_what_loads(patterns, folder)
        if faults:
            raise UserError(*faults)
        return labels

    def expand_what_loads(
        self, patterns: Iterable[str], folder: str = ""
    ) -> tuple[tuple[Label, ...], tuple[Diagnostic, ...]]:
        """As `expand`, but what is wrong with some of it is given beside the rest instead of being raised."""
        chosen: dict[Label, None] = {}
        faults: list[Diagnostic] = []
        for text in patterns:
            try:
                pattern = parse_pattern(text, folder)
                matches = self._matches(pattern, pattern.is_subtracted, faults)
            except UserError as error:
                faults += error.diagnostics
                continue
            for label in matches:
                if pattern.is_subtracted:
                    chosen.pop(label, None)
                else:
                    chosen[label] = None
        return tuple(chosen), tuple(dict.fromkeys(faults))

    def matching(self, text: str, folder: str = "") -> tuple[tuple[Label, ...], tuple[Diagnostic, ...]]:
        """The labels that a pattern of a question means, and what is wrong with the rest.

        Unlike a build's, wildcards mean targets with the tag `manual` too, and `:*` means source files and BUILD files.
        """
        faults: list[Diagnostic] = []
        try:
            found = self._matches(parse_pattern(text, folder), True, faults, with_sources=True)
        except UserError as error:
            return (), error.diagnostics
        return tuple(dict.fromkeys(found)), tuple(dict.fromkeys(faults))

    def everything_in(self, repository: str, package: str) -> tuple[Label, ...]:
        """All that a package has: its rules, its outputs, its BUILD file, and the source files that it speaks of."""
        loaded = self.package(repository, package)
        return self._of_package(loaded, Scope.EVERYTHING, True, with_sources=True)

    def modules_of(self, repository: str, package: str) -> tuple[Label, ...]:
        """The modules that a package's BUILD file loads, directly or not."""
        self.package(repository, package)
        folder = folder_of(repository, package)
        path = f"{folder}/{BUILD_FILE}" if folder else BUILD_FILE
        return tuple(self._modules.file_label(each) for each in self._modules.loaded_by(path))

    def is_global(self, rule: Rule) -> bool:
        """Whether BUILD files see the rule by its name without loading it."""
        known = NATIVE_RULES.get(rule.name) or self.prelude().get(rule.name)
        return isinstance(known, RuleFunction) and known.rule is rule

    def file_label(self, path: str) -> Label:
        """The label of the file with this path from the exec root, in the package that it belongs to."""
        return self._modules.file_label(path)

    def placed(self, error: UserError, location: Location | None) -> UserError:
        """The error, at a place unless it has one already, with the line that stands there."""
        return self._lines.placed(error, location)

    def label_in(self, path: str, text: str) -> Label:
        """A label as written in the file with this path. Raises BadLabel."""
        return self._modules.label_in(path, text)

    def _load_package(self, repository: str, name: str) -> Package:
        workspace = self.workspace()
        folder = folder_of(repository, name)
        if not self._folders.is_package(folder):
            raise missing.no_such_package(self._folders, repository, name)
        names = {**BUILD_GLOBALS, **self.prelude()}
        path = f"{folder}/{BUILD_FILE}" if folder else BUILD_FILE
        restored = None if self._kept is None else self._kept.restore(path, repository, name)
        if restored is not None:
            package, modules = restored
            self._modules.restored(path, modules)
        else:
            asked = Asked(self._folders)
            builder = PackageBuilder(repository, name, asked, self._modules.label_in, self._lines, workspace.name)
            try:
                self._evaluate(path, names, builder)
            except UserError as error:
                raise UserError(*builder.errors, *error.diagnostics, exit_code=error.exit_code) from None
            package = builder.finish()
            modules = self._modules.loaded_by(path)
            if self._kept is not None and self._printed.isdisjoint((path, *modules)):
                self._kept.keep(path, package, modules, asked)
        if self._sink is not None:
            self._sink.emit(PackageLoaded(str(package)))
        return package

    def _evaluator(self) -> str:
        """All that decides what a BUILD file means, besides its bytes and what it loads."""
        if self._evaluator_text is None:
            prelude = self._defaults.prelude
            paths = () if prelude is None else (prelude, *self._modules.loaded_by(prelude))
            states = [(path, self._modules.digest(path), self._modules.package_of(path)) for path in paths]
            self._evaluator_text = repr((self._about, self.workspace().name, states))
        return self._evaluator_text

    def _evaluate(self, path: str, names: Mapping[str, object], context: object) -> None:
        thread = Thread(context=context, allowance=self._modules.allowance)
        thread.print = lambda text: self._print(text, thread.location())
        self._modules.evaluate(path, BUILD, names, thread)

    def _print(self, text: str, location: Location) -> None:
        self._printed.add(location.path)
        if self._sink is not None:
            self._sink.emit(Warned(Diagnostic("print", text, location), level="info"))

    def _find(self, label: Label) -> Entry:
        package = self.package(label.repository, label.package)
        name = label.name
        target = package.targets.get(name)
        if target is not None:
            return target
        maker = package.outputs.get(name)
        if maker is not None:
            return OutputFile(label, maker)
        inner = self._inner_package(label)
        if inner is not None:
            raise missing.crosses_boundary(label, inner)
        kind = self._folders.kind(label.path)
        if kind == "directory" and self._folders.is_package(label.path):
            raise missing.is_a_package(package, label)
        if kind is not None:
            return SourceFile(label, kind == "directory")
        stem, dot, _ = name.rpartition(".")
        while dot:
            target = package.targets.get(stem)
            if target is not None:
                return PartOfTarget(label, target, name[len(stem) + 1 :])
            stem, dot, _ = stem.rpartition(".")
        raise missing.no_such_target(self._folders, package, label)

    def _inner_package(self, label: Label) -> str | None:
        folder = folder_of(label.repository, label.package)
        position = label.name.find("/")
        while position > 0:
            inner = label.name[:position]
            if self._folders.is_package(f"{folder}/{inner}" if folder else inner):
                return inner
            position = label.name.find("/", position + 1)
        return None

    def _matches(
        self, pattern: Pattern, with_manual: bool, faults: list[Diagnostic], with_sources: bool = False
    ) -> tuple[Label, ...]:
        if pattern.label.repository and pattern.label.repository == self.workspace().name:
            pattern = replace(pattern, label=replace(pattern.label, repository=""))
        label = pattern.label
        if pattern.is_recursive:
            return self._below(pattern, with_manual, faults, with_sources)
        if pattern.scope is Scope.ONE:
            return (self._one(pattern),)
        package = self.package(label.repository, label.package)
        return self._of_package(package, pattern.scope, with_manual, with_sources)

    def _one(self, pattern: Pattern) -> Label:
        label = pattern.label
        folder = folder_of(label.repository, label.package)
        if (
            not pattern.text.lstrip("-").startswith(("//", "@", ":"))
            and ":" not in pattern.text
            and not self._folders.is_package(folder)
        ):
            # `models/ranker` that is no package: the target or file `ranker` of the package `models`.
            outer = self._folders.enclosing_package(folder)
            if outer is not None:
                inner = label.package[len(outer) :].lstrip("/")
                label = Label("", outer, inner)
        self.entry(label)
        return label

    def _below(
        self, pattern: Pattern, with_manual: bool, faults: list[Diagnostic], with_sources: bool
    ) -> tuple[Label, ...]:
        """The labels of all packages below that load; what is wrong with the others is added to the faults."""
        repository = pattern.label.repository
        root = folder_of(repository, "")
        found: list[Label] = []
        folders = list(self._folders.packages_below(folder_of(repository, pattern.label.package)))
        if len(folders) > 1:
            paths = (f"{folder}/{BUILD_FILE}" if folder else BUILD_FILE for folder in folders)
            self._modules.ahead(paths, BUILD, {**BUILD_GLOBALS, **self.prelude()})
        for folder in folders:
            name = folder[len(root) :].lstrip("/")
            try:
                found += self._of_package(self.package(repository, name), pattern.scope, with_manual, with_sources)
            except UserError as error:
                faults += error.diagnostics
        if not folders:
            raise missing.nothing_below(self._folders, repository, pattern.label.package)
        return tuple(found)

    def _of_package(
        self, package: Package, scope: Scope, with_manual: bool, with_sources: bool = False
    ) -> tuple[Label, ...]:
        names = [name for name, target in package.targets.items() if with_manual or "manual" not in target.tags]
        if scope is Scope.EVERYTHING:
            names += [name for name in package.outputs if name not in package.targets]
            names += self._sources_of(package) if with_sources else ()
        return tuple(Label(package.repository, package.name, name) for name in names)

    def _sources_of(self, package: Package) -> tuple[str, ...]:
        """The names of the BUILD file and of the source files that the package exports or that its targets name."""
        names: dict[str, None] = {BUILD_FILE: None}
        names.update((name, None) for name in package.exported if name not in package.targets)
        for target in package.targets.values():
            for each in dependencies_of(target):
                label = each.label
                is_here = (label.repository, label.package) == (package.repository, package.name)
                if not is_here or label.name in package.targets or label.name in package.outputs or label.name in names:
                    continue
                try:
                    if isinstance(self.entry(label), SourceFile):
                        names[label.name] = None
                except UserError:
                    continue  # whoever asks what the target depends on is told
        return tuple(name for name in names if name not in package.outputs)
