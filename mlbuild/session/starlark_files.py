"""Which files paths and target patterns mean to a command that works on files rather than on targets."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from mlbuild.diagnostics import ExitCode, fail
from mlbuild.loading.ignored import IGNORE_FILE, is_ignored, parse_ignored
from mlbuild.loading.package import BUILD_FILE, WORKSPACE_FILE
from mlbuild.loading.patterns import Pattern, parse_pattern


class StarlarkFiles:
    """The BUILD files, the workspace file and the modules of a workspace, by their paths as a person sees them."""

    def __init__(self, workspace: Path, working_folder: Path, package: str) -> None:
        self._workspace = str(workspace)
        self._standing = str(working_folder)
        self._package = package
        try:
            text = Path(workspace, IGNORE_FILE).read_text(encoding="utf-8", errors="replace")
        except OSError:
            text = ""
        self._ignored = parse_ignored(text)

    def meant(self, words: tuple[str, ...]) -> list[str]:
        """The files that the words mean, all of the workspace if there are none: each once, sorted. Raises UserError."""
        found: set[str] = set()
        for word in words or ("//...",):
            pattern = self._pattern(word)
            if pattern is None:
                found |= set(self._at(os.path.normpath(os.path.join(self._standing, word)), word))
            elif pattern.is_subtracted:
                found -= set(self._named(pattern))
            else:
                found |= set(self._named(pattern))
        return sorted(map(self._shown, found))

    def _pattern(self, word: str) -> Pattern | None:
        is_pattern = word.startswith(("//", ":", "-")) or word == "..." or word.endswith("/...")
        return parse_pattern(word, self._package) if is_pattern else None

    def _shown(self, path: str) -> str:
        below = os.path.relpath(path, self._standing)
        return path if below.startswith("..") else below

    def _at(self, path: str, word: str) -> Iterator[str]:
        if os.path.isdir(path):
            return self._below(path, enters_workspaces=True)
        if os.path.exists(path):
            return iter([path])
        raise fail(
            "no-such-file",
            f"there is no file or folder `{word}`",
            hint="name a file, a folder, or a target pattern such as `//models/...`",
            exit_code=ExitCode.COMMAND_LINE,
        )

    def _named(self, pattern: Pattern) -> Iterator[str]:
        """What a target pattern means: the files of its packages; of a target, the file that declares it."""
        label = pattern.label
        folder = os.path.join(self._workspace, label.package) if label.package else self._workspace
        if label.repository or not os.path.isdir(folder):
            raise fail(
                "no-such-package",
                f"`{pattern.text}` names no folder of this workspace",
                hint="only files of the workspace itself can be formatted",
                exit_code=ExitCode.COMMAND_LINE,
            )
        if pattern.is_recursive:
            yield from self._below(folder, enters_workspaces=False)
            return
        inside = os.path.join(folder, label.name)
        names: tuple[str, ...] = (BUILD_FILE,)
        if pattern.scope.value != "one":
            names = tuple(entry for entry in sorted(os.listdir(folder)) if _is_ours(entry))
        elif label.name.endswith(".bzl") and os.path.isfile(inside):
            names = (label.name,)
        yield from (path for name in names if os.path.isfile(path := os.path.join(folder, name)))

    def _below(self, folder: str, *, enters_workspaces: bool) -> Iterator[str]:
        """All files below a folder; not of hidden or ignored folders, nor of other workspaces if that is said."""
        waiting = [folder]
        while waiting:
            current = waiting.pop()
            with os.scandir(current) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
            names = {entry.name for entry in found}
            if current != folder and WORKSPACE_FILE in names and not enters_workspaces:
                continue
            for entry in found:
                if entry.is_dir(follow_symlinks=False):
                    if not entry.name.startswith(".") and not self._is_ignored(entry.path):
                        waiting.append(entry.path)
                elif _is_ours(entry.name) and entry.is_file():
                    yield entry.path

    def _is_ignored(self, path: str) -> bool:
        if os.path.basename(path) == "mlbuild-out":
            return True
        below = os.path.relpath(path, self._workspace)
        return not below.startswith("..") and is_ignored(below, self._ignored)


def _is_ours(name: str) -> bool:
    return name in (BUILD_FILE, WORKSPACE_FILE) or name.endswith(".bzl")
