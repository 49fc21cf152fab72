"""`.mlbuildignore`: folders that are never packages."""

from __future__ import annotations

from mlbuild.terms import OUTPUT_ROOT

IGNORE_FILE = ".mlbuildignore"
NEVER = frozenset({OUTPUT_ROOT, "external", ".venv"})
"""Folders of the root that are ours: outputs, other repositories, and the environment that `mlbuild env link` shows to editors."""


def parse_ignored(text: str) -> frozenset[str]:
    """The folders that the file names, one a line; `#` begins a comment."""
    lines = (line.partition("#")[0].strip().strip("/") for line in text.splitlines())
    return frozenset(line.removeprefix("./") for line in lines if line)


def is_ignored(folder: str, ignored: frozenset[str]) -> bool:
    """Whether the folder (from the workspace root), or one above it, is ignored."""
    while folder:
        if folder in ignored or folder in NEVER:
            return True
        folder = folder.rpartition("/")[0]
    return False
