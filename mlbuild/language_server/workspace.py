"""One workspace as an editor sees it: texts, trees, and a loader that is kept while what it read is still so."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from mlbuild.diagnostics import Diagnostic, UserError
from mlbuild.lang import BUILD, MODULE, Dialect, Program, ProgramCache, check, compile_program
from mlbuild.lang.syntax import tree
from mlbuild.language_server.edited_tree import EditedTree
from mlbuild.language_server.text import Text
from mlbuild.loading import BUILD_FILE, WORKSPACE_FILE, Loader, Package
from mlbuild.loading.folders import Folders
from mlbuild.loading.ignored import IGNORE_FILE
from mlbuild.loading.native import BUILD_GLOBALS, MODULE_GLOBALS, PACKAGE_FUNCTIONS, WORKSPACE_GLOBALS
from mlbuild.loading.package import repository_and_folder
from mlbuild.terms import Label, Target

REPOSITORY = "mlbuild"
LOOK_AGAIN_SECONDS = 1.0
"""For so long the disk is taken to be as it was: a burst of questions looks at it once."""


class Texts:
    """The files that are open in the editor, by their place on disk."""

    def __init__(self) -> None:
        self.open: dict[str, Text] = {}
        self.versions: dict[str, int | None] = {}
        self.encoding: str = "utf-16"
        """What the editor counts columns in."""


class Programs:
    """Compiles: what is on disk through the cache of all builds, what is being written without leaving a trace."""

    def __init__(self, cache: ProgramCache, is_edited: Callable[[str], bool]) -> None:
        self._cache = cache
        self._is_edited = is_edited

    def get(
        self, source: Callable[[], bytes], path: str, dialect: Dialect, names: frozenset[str], content: str
    ) -> Program:
        if self._is_edited(path):
            return compile_program(source(), path, dialect, names)
        return self._cache.get(source, path, dialect, names, content)

    def ahead(
        self, files: Iterable[tuple[Callable[[], bytes], str, str]], dialect: Dialect, names: frozenset[str]
    ) -> None:
        """Files are compiled when they are asked for: a server beside an editor starts no processes."""


class EditedWorkspace:
    """A workspace's root, and everything that can be asked of its files. Paths are those of the loader."""

    def __init__(self, root: Path, rules: Path, texts: Texts, cache: ProgramCache) -> None:
        self.root = root
        self._rules = rules
        self._texts = texts
        self._cache = cache
        self._sources = self._new_sources()
        self._loader: Loader | None = None
        self._folders: Folders | None = None
        self._trees: dict[str, tuple[bytes, tree.File | None, tuple[Diagnostic, ...]]] = {}
        self._looked = -LOOK_AGAIN_SECONDS
        self.last_targets: dict[tuple[str, str], dict[str, str]] = {}
        """Of each package, when it could last be loaded: its targets and what they are."""
        self.generation = 0
        """Counts up whenever something that was loaded may be other by now."""

    # Places
    def path_of(self, place: str) -> str | None:
        """The path from the exec root of a file on disk; nothing if it belongs to neither the workspace nor mlbuild's rules."""
        for folder, prefix in ((str(self.root), ""), (str(self._rules), f"external/{REPOSITORY}/rules/")):
            if place.startswith(folder.rstrip("/") + "/"):
                return prefix + place[len(folder.rstrip("/")) + 1 :]
        return None

    def place_of(self, path: str) -> str:
        """Where a file is on disk."""
        return self._sources.place(path)

    # Texts and trees
    def text(self, path: str) -> Text | None:
        """The file as it is in the editor, or else on disk."""
        place = self.place_of(path)
        if (known := self._texts.open.get(place)) is not None:
            return known
        try:
            return Text(Path(place).read_bytes().decode("utf-8"), self._texts.encoding)
        except (OSError, ValueError):
            return None

    def file(self, path: str) -> tree.File | None:
        """What of the file can be read."""
        return self._checked(path)[1]

    def mistakes(self, path: str) -> tuple[Diagnostic, ...]:
        """All that can be said against the file without running it."""
        return self._checked(path)[2]

    def names(self, path: str) -> Mapping[str, object]:
        """The names that a file is given, beyond those of the language, with their values."""
        if path.endswith(".bzl"):
            return {**MODULE_GLOBALS, "native": None}
        if path == WORKSPACE_FILE:
            return WORKSPACE_GLOBALS
        return {**BUILD_GLOBALS, **self.prelude()}

    def dialect(self, path: str) -> Dialect:
        return MODULE if path.endswith(".bzl") else BUILD

    # What loading says
    def loader(self) -> Loader:
        """The loader of what is written now."""
        if self._loader is None:
            self._sources = self._new_sources()
            self._loader = Loader(self._sources, Programs(self._cache, self._is_edited))
            with contextlib.suppress(UserError):  # told where WORKSPACE.ml is shown
                self._loader.workspace()
        return self._loader

    def folders(self) -> Folders:
        if self._folders is None:
            self.loader()
            self._folders = Folders(self._sources)
        return self._folders

    def prelude(self) -> Mapping[str, object]:
        """What every BUILD file sees; nothing while mlbuild's own rules are broken."""
        try:
            return self.loader().prelude()
        except UserError:
            return {}

    def package_functions(self) -> Mapping[str, object]:
        """What modules call as `native.NAME`, beside the rules."""
        return PACKAGE_FUNCTIONS

    def module(self, path: str) -> Mapping[str, object]:
        """What a module exports; nothing while it is broken."""
        try:
            return self.loader().module(path)
        except UserError:
            return {}

    def package(self, path: str) -> Package | None:
        """The package of a BUILD file, if it can be loaded."""
        repository, name = self.package_of(path)
        return self.package_named(repository, name)

    def package_named(self, repository: str, name: str) -> Package | None:
        try:
            return self.loader().package(repository, name)
        except UserError:
            return None

    def package_of(self, path: str) -> tuple[str, str]:
        """Repository and name of the package that the file belongs to."""
        folder = path.rpartition("/")[0]
        enclosing = self.folders().enclosing_package(folder)
        return repository_and_folder(folder if enclosing is None else enclosing)

    def build_file(self, repository: str, package: str) -> str:
        folder = Label(repository, package, "x").package_path
        return f"{folder}/{BUILD_FILE}" if folder else BUILD_FILE

    def target(self, label: Label) -> Target | None:
        """The target that a label names: itself, or what makes the file or the part."""
        try:
            entry = self.loader().entry(label)
        except UserError:
            return None
        if isinstance(entry, Target):
            return entry
        return getattr(entry, "target", None)

    def packages(self) -> tuple[tuple[str, str], ...]:
        """All packages of the workspace: repository (the workspace's own) and name, in the order of their paths."""
        return tuple(("", folder) for folder in self.folders().packages_below(""))

    def packages_in(self, repository: str) -> tuple[str, ...]:
        """The folders of all packages of another repository."""
        return tuple(self.folders().packages_below(f"external/{repository}"))

    def with_edits(self, texts: Mapping[str, str]) -> EditedWorkspace:
        """The workspace as it would be if these files had these texts."""
        edited = Texts()
        edited.encoding = self._texts.encoding
        edited.open = {
            **self._texts.open,
            **{self.place_of(path): Text(text, edited.encoding) for path, text in texts.items()},
        }
        return EditedWorkspace(self.root, self._rules, edited, self._cache)

    # What changes
    def edited(self, path: str) -> None:
        """The editor has another text for this file, or none any more."""
        self._forget(frozenset((path,)), came=not Path(self.place_of(path)).is_file())

    def look_again(self, *, at_once: bool = False) -> None:
        """Sees whether files have changed on disk since they were read."""
        now = time.monotonic()
        if self._loader is None or (now - self._looked < LOOK_AGAIN_SECONDS and not at_once):
            return
        self._looked = now
        changed, came = self._sources.changes()
        if changed or came:
            self._forget(changed, came)

    def _forget(self, changed: frozenset[str], came: bool) -> None:
        self.generation += 1
        if self._loader is None:
            return
        names = {path.rpartition("/")[2] for path in changed}
        if came or any(name.endswith(".bzl") or name in (WORKSPACE_FILE, IGNORE_FILE) for name in names):
            self._loader = self._folders = None
            return
        for path in changed:
            if path.rpartition("/")[2] == BUILD_FILE:
                self._loader.forget(*repository_and_folder(path.rpartition("/")[0]))

    def _checked(self, path: str) -> tuple[bytes, tree.File | None, tuple[Diagnostic, ...]]:
        text = self.text(path)
        source = b"" if text is None else text.source.encode("utf-8", "surrogatepass")
        known = self._trees.get(path)
        if known is not None and known[0] == source:
            return known
        file, found = check(source, path, self.dialect(path), frozenset(self.names(path)))
        known = self._trees[path] = source, file, tuple(found)
        return known

    def _new_sources(self) -> EditedTree:
        return EditedTree(self.root, {REPOSITORY: self._rules.parent}, self._bytes)

    def _is_edited(self, path: str) -> bool:
        return self.place_of(path) in self._texts.open

    def _bytes(self, path: str) -> bytes | None:
        text = self._texts.open.get(self.place_of(path))
        return None if text is None else text.source.encode("utf-8", "surrogatepass")
