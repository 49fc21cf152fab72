"""Modules (`*.bzl`): each evaluated once, its loads first. Also how a BUILD file gets what it loads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Protocol

from mlbuild.diagnostics import Location, UserError, did_you_mean, fail
from mlbuild.lang import MODULE, Allowance, Dialect, Load, Program, Thread, execute
from mlbuild.loading import missing
from mlbuild.loading.folders import Folders
from mlbuild.loading.lines import SourceLines
from mlbuild.loading.native import MODULE_GLOBALS, NATIVE_RULES, PACKAGE_FUNCTIONS, Native
from mlbuild.loading.own_frames import at_own_frames
from mlbuild.loading.package import repository_and_folder
from mlbuild.records import record, replace
from mlbuild.seams import SourceTree
from mlbuild.terms import BadLabel, Label


class Programs(Protocol):
    """Compiles files; `mlbuild.lang.ProgramCache` also remembers what it compiled."""

    def get(
        self, source: Callable[[], bytes], path: str, dialect: Dialect, names: frozenset[str], content: str
    ) -> Program: ...

    def ahead(
        self, files: Iterable[tuple[Callable[[], bytes], str, str]], dialect: Dialect, names: frozenset[str]
    ) -> None:
        """These files (what reads them, path, digest) will be asked for."""


Exports = Mapping[str, object]


@record
class _Loading:
    path: str
    program: Program
    loads: Iterator[Load]


class Modules:
    """All modules of a build by path from the exec root, evaluated when first loaded."""

    def __init__(
        self,
        sources: SourceTree,
        programs: Programs,
        folders: Folders,
        prelude: Callable[[], Exports],
        print: Callable[[str, Location], None],
    ) -> None:
        self._sources = sources
        self._programs = programs
        self._folders = folders
        self._print = print
        self._lines = SourceLines(sources)
        self._done: dict[str, Exports | UserError] = {}
        self.allowance = Allowance()
        self._loads: dict[str, tuple[Load, ...]] = {}
        self._restored: dict[str, tuple[str, ...]] = {}
        self._globals = {**MODULE_GLOBALS, "native": Native({**PACKAGE_FUNCTIONS, **NATIVE_RULES}, prelude)}
        self.workspace_name = ""

    def module(self, path: str) -> Exports:
        """What the module exports. Raises UserError."""
        self._load(path, None)
        return self._exports(path)

    def loaded_by(self, path: str) -> tuple[str, ...]:
        """The modules that an evaluated file loads, directly or not, in the order in which it comes upon them."""
        if path in self._restored:
            return self._restored[path]
        found: dict[str, None] = {}
        waiting = [path]
        while waiting:
            loading = waiting.pop()
            for load in self._loads.get(loading, ()):
                module = self._path(load, loading)
                if module not in found:
                    found[module] = None
                    waiting.append(module)
        return tuple(found)

    def restored(self, path: str, modules: tuple[str, ...]) -> None:
        """The file was not evaluated; when it was, it loaded these modules."""
        self._restored[path] = modules

    def digest(self, path: str) -> str | None:
        """The digest of a file's bytes; nothing if it cannot be read."""
        try:
            return self._sources.digest(path).hash
        except (OSError, UserError):
            return None

    def package_of(self, path: str) -> str:
        """The package that a module belongs to."""
        return self._package_of(path, repository_and_folder(path)[1])

    def exported(self, path: str, name: str) -> object:
        """What the module exports under the name. Raises UserError, KeyError."""
        return self.module(path)[name]

    def file_label(self, path: str) -> Label:
        """The label of a file, in the package that it belongs to; in that of its folder when no BUILD file is near."""
        repository, below = repository_and_folder(path)
        package = self._package_of(path, below)
        return Label(repository, package, below[len(package) :].lstrip("/"))

    def evaluate(self, path: str, dialect: Dialect, names: Mapping[str, object], thread: Thread) -> Exports:
        """Evaluates a file that is no module (a BUILD file), after the modules that it loads."""
        program = self._compile(path, dialect, frozenset(names))
        self._loads[path] = tuple(program.loads)
        loaded = {load.module: self._bind(load, path) for load in program.loads}
        try:
            return execute(program, names, loaded, thread)
        except UserError as error:
            raise at_own_frames(error, self._lines) from None

    def ahead(self, paths: Iterable[str], dialect: Dialect, names: Mapping[str, object]) -> None:
        """These files will be evaluated: lets them be compiled by all processors."""
        files = []
        for path in paths:
            content = self.digest(path)
            if content is not None:  # else it is told when the file is evaluated
                files.append((partial(self._sources.read, path), path, content))
        self._programs.ahead(files, dialect, frozenset(names))

    def label_in(self, path: str, text: str) -> Label:
        """A label as written in the file with this path. Raises BadLabel."""
        repository, below = repository_and_folder(path)
        if text.startswith("//"):
            label = Label.parse(text, repository=repository)
        else:
            label = Label.parse(text, repository=repository, package=self._package_of(path, below))
        if label.repository and label.repository == self.workspace_name:
            label = replace(label, repository="")
        return label

    def _package_of(self, path: str, below: str) -> str:
        """The package that a file belongs to; its folder when no BUILD file is near."""
        folder = path.rpartition("/")[0]
        package = self._folders.enclosing_package(folder)
        return repository_and_folder(folder if package is None else package)[1]

    def _bind(self, load: Load, path: str) -> Exports:
        wanted = self._path(load, path)
        self._load(wanted, load)
        exports = self._exports(wanted)
        for _, name in load.bindings:
            if name not in exports:
                raise self._no_such_symbol(load, wanted, name, exports)
        return exports

    def _exports(self, path: str) -> Exports:
        done = self._done[path]
        if isinstance(done, UserError):
            raise done
        return done

    def _load(self, path: str, load: Load | None) -> None:
        """Evaluates a module and first, without recursion, what it loads."""
        if path in self._done:
            return
        stack = [self._begin(path, load)]
        active = {path: None}
        while stack:
            top = stack[-1]
            try:
                inner = self._next_unloaded(top, active)
                if inner is not None:
                    stack.append(inner)
                    active[inner.path] = None
                    continue
                self._loads[top.path] = tuple(top.program.loads)
                loaded = {each.module: self._bind(each, top.path) for each in top.program.loads}
                self._done[top.path] = self._execute(top.program, loaded)
            except UserError as error:
                # All that wait for this module fail with it, for the same reason.
                for waiting in stack:
                    self._done[waiting.path] = error
                raise
            stack.pop()
            del active[top.path]

    def _execute(self, program: Program, loaded: Mapping[str, Exports]) -> Exports:
        thread = Thread(context=ModuleContext(self), allowance=self.allowance)
        thread.print = lambda text: self._print(text, thread.location())
        return execute(program, self._globals, loaded, thread)

    def _next_unloaded(self, top: _Loading, active: dict[str, None]) -> _Loading | None:
        for load in top.loads:
            path = self._path(load, top.path)
            if path in active:
                chain = [*list(active)[list(active).index(path) :], path]
                error = fail(
                    "load-cycle",
                    "modules load each other in a circle",
                    notes=(" -> ".join(f"`{each}`" for each in chain),),
                    hint="move what both need into a third module",
                )
                raise self._lines.placed(error, load.location)
            if path not in self._done:
                return self._begin(path, load)
        return None

    def _begin(self, path: str, load: Load | None) -> _Loading:
        try:
            program = self._compile(path, MODULE, frozenset(self._globals))
        except FileNotFoundError:
            error = missing.no_such_module(self._folders, path, path if load is None else load.module)
            raise self._lines.placed(error, None if load is None else load.location) from None
        return _Loading(path, program, iter(program.loads))

    def _compile(self, path: str, dialect: Dialect, names: frozenset[str]) -> Program:
        try:
            content = self._sources.digest(path)
            return self._programs.get(lambda: self._sources.read(path), path, dialect, names, content.hash)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise fail("unreadable-file", f"cannot read `{path}`: {error.strerror or error}") from None

    def _path(self, load: Load, path: str) -> str:
        try:
            label = self.label_in(path, load.module)
        except BadLabel as bad:
            raise self._lines.placed(fail("bad-label", str(bad)), load.location) from None
        if not load.module.startswith(("//", "@", ":")):
            error = fail(
                "bad-label",
                f"`{load.module}` is no label of a module",
                hint=f"write `:{load.module}` for a file of this package",
            )
            raise self._lines.placed(error, load.location)
        return label.path

    def _no_such_symbol(self, load: Load, path: str, name: str, exports: Exports) -> UserError:
        near = did_you_mean(name, exports)
        if name.startswith("_"):
            hint: str | None = "names that begin with `_` are private to their module"
        elif near is not None:
            hint = f"did you mean `{near}`?"
        else:
            hint = "it exports " + ", ".join(f"`{each}`" for each in sorted(exports)) if exports else None
        error = fail("no-such-symbol", f"`{path}` exports no `{name}`", hint=hint)
        return self._lines.placed(error, load.location)


class ModuleContext:
    """The context of the thread that evaluates a module."""

    def __init__(self, modules: Modules) -> None:
        self._modules = modules

    def label_in(self, path: str, text: str) -> Label:
        return self._modules.label_in(path, text)
