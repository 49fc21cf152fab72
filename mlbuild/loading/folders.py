"""Which folders are packages, and what lies in them. Remembers what it saw for as long as it lives: one build."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from mlbuild.diagnostics import fail
from mlbuild.loading.glob import matching
from mlbuild.loading.ignored import IGNORE_FILE, NEVER, is_ignored, parse_ignored
from mlbuild.loading.package import BUILD_FILE, WORKSPACE_FILE
from mlbuild.seams import EntryKind, SourceTree

Listing = tuple[tuple[str, EntryKind], ...]


class Questions(Protocol):
    """What an evaluation may ask of the source tree."""

    def glob(self, package_folder: str, pattern: str, with_directories: bool = False) -> tuple[str, ...]: ...

    def packages_below(self, folder: str) -> Iterator[str]: ...

    def enclosing_package(self, folder: str) -> str | None: ...

    def kind(self, path: str) -> EntryKind | None: ...


class Folders:
    """Questions about the source tree, by path from the exec root."""

    def __init__(self, sources: SourceTree) -> None:
        self._sources = sources
        self._listings: dict[str, Listing] = {}
        self._packages: dict[str, bool] = {}
        self._ignored: frozenset[str] | None = None

    def is_package(self, folder: str) -> bool:
        known = self._packages.get(folder)
        if known is None:
            path = f"{folder}/{BUILD_FILE}" if folder else BUILD_FILE
            known = self._sources.kind(path) == "file" and not self.is_ignored(folder)
            self._packages[folder] = known
        return known

    def kind(self, path: str) -> EntryKind | None:
        return self._sources.kind(path)

    def listing(self, folder: str) -> Listing:
        """What is in a folder, sorted by name; nothing when there is no such folder."""
        known = self._listings.get(folder)
        if known is None:
            try:
                known = self._sources.list(folder)
            except (FileNotFoundError, NotADirectoryError):
                known = ()
            except OSError as error:
                raise fail("unreadable-folder", f"cannot list `{folder or '.'}`: {error.strerror or error}") from None
            if folder == "":
                known = tuple(entry for entry in known if entry[0] not in NEVER)
            self._listings[folder] = known
        return known

    def own_listing(self, package_folder: str, below: str) -> Listing:
        """What is in a folder below a package, without the folders that are packages themselves or are ignored."""
        folder = f"{package_folder}/{below}" if package_folder and below else package_folder or below
        prefix = folder + "/" if folder else ""
        return tuple(
            (name, kind)
            for name, kind in self.listing(folder)
            if kind == "file" or not (self.is_package(prefix + name) or self.is_ignored(prefix + name))
        )

    def glob(self, package_folder: str, pattern: str, with_directories: bool = False) -> tuple[str, ...]:
        """The paths below the package that the pattern matches, sorted. Raises glob.BadPattern."""
        return matching(pattern, lambda below: self.own_listing(package_folder, below), with_directories)

    def packages_below(self, folder: str) -> Iterator[str]:
        """The folders of all packages at or below a folder, in the order of their paths.

        Neither hidden or ignored folders nor workspaces of their own are entered.
        """
        stack = [folder]
        while stack:
            current = stack.pop()
            if current != folder and self.kind(f"{current}/{WORKSPACE_FILE}") == "file":
                continue
            if self.is_package(current):
                yield current
            prefix = current + "/" if current else ""
            inner = [
                prefix + name
                for name, kind in self.listing(current)
                if kind == "directory" and not name.startswith(".") and not self.is_ignored(prefix + name)
            ]
            stack.extend(reversed(inner))

    def enclosing_package(self, folder: str) -> str | None:
        """The nearest folder at or above that is a package, without leaving the repository."""
        floor = "/".join(folder.split("/")[:2]) if folder.startswith("external/") else ""
        while True:
            if self.is_package(folder):
                return folder
            if folder == floor or not folder:
                return None
            folder = folder.rpartition("/")[0]

    def is_ignored(self, folder: str) -> bool:
        """Whether `.mlbuildignore` names the folder or one above it, or it is where outputs or repositories lie."""
        if folder.startswith("external/"):
            return False
        if self._ignored is None:
            try:
                text = self._sources.read(IGNORE_FILE).decode("utf-8", "replace")
            except OSError:
                text = ""
            self._ignored = parse_ignored(text)
        return is_ignored(folder, self._ignored)
