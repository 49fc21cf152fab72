"""The kinds of files that are formatted, each in its way."""

from __future__ import annotations

from enum import Enum


class Kind(Enum):
    """What a file is: only BUILD and WORKSPACE files are rewritten by the meaning of their attributes."""

    BUILD = "build"
    BZL = "bzl"
    WORKSPACE = "workspace"

    @property
    def is_declarative(self) -> bool:
        """Whether the file declares targets, and is laid out for that."""
        return self is not Kind.BZL


def kind_of(name: str) -> Kind:
    """The kind of a file, by its name or path: `BUILD.ml`, `WORKSPACE.ml` (Bazel's names too), else a module."""
    base = name.rpartition("/")[2].lower()
    stem = base.partition(".")[0]
    if base.endswith(".bzl"):
        return Kind.BZL
    return {"build": Kind.BUILD, "workspace": Kind.WORKSPACE}.get(stem, Kind.BZL)
