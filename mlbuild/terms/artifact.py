"""Artifacts: the files and folders that actions read and write, by name. Their content is a `Value`."""

from __future__ import annotations

from typing import ClassVar

from mlbuild.records import ordered_record
from mlbuild.terms.label import Label

OUTPUT_ROOT = "mlbuild-out"


@ordered_record
class Artifact:
    """A source file, or an output of an action. `path` is relative to the exec root.

    `models/train.py` (source), `external/mlbuild/rules/ml/tools/run.py` (source of another repository),
    `mlbuild-out/models/ranker` (derived). `parent` is set for a member of a directory artifact whose members
    became known during the build (`path` then lies below the parent's). `levels` are what a directory's rule calls the
    levels below it, for messages: `partition`, `column`.
    """

    path: str
    owner: Label
    is_source: bool
    is_directory: bool = False
    parent: Artifact | None = None
    levels: tuple[str, ...] = ()

    starlark_type: ClassVar[str] = "File"

    @property
    def short_path(self) -> str:
        """The path without the output root: `models/ranker`."""
        return self.path if self.is_source else self.path.removeprefix(OUTPUT_ROOT + "/")

    @property
    def basename(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def tree_relative_path(self) -> str:
        """Of a member: its path below the parent directory."""
        return self.path.removeprefix(self.parent.path + "/") if self.parent else self.basename

    # What Starlark sees (the host value protocol of `mlbuild.lang`).
    def starlark_dir(self) -> tuple[str, ...]:
        return (
            "basename", "dirname", "extension", "is_directory", "is_source", "owner", "path", "short_path",
            "tree_relative_path",
        )  # fmt: skip

    def starlark_attr(self, name: str) -> object:
        if name in ("path", "owner", "is_source", "is_directory", "short_path", "basename", "tree_relative_path"):
            return getattr(self, name)
        if name == "dirname":
            return self.path.rpartition("/")[0]
        if name == "extension":
            return self.basename.rpartition(".")[2] if "." in self.basename else ""
        raise KeyError(name)

    def starlark_repr(self) -> str:
        kind = "source" if self.is_source else "generated"
        return f"<{kind} {'directory' if self.is_directory else 'file'} {self.short_path}>"
