"""What kind of node a label names, in Bazel's words."""

from __future__ import annotations

from mlbuild.diagnostics import Location
from mlbuild.terms import Entry, OutputFile, SourceFile, Target

PART = "part"


def kind_of(entry: Entry) -> str:
    """`genrule rule`, `source file`, `generated file` or, of a target, `part`."""
    match entry:
        case Target():
            return f"{entry.rule.name} rule"
        case SourceFile():
            return "source file"
        case OutputFile():
            return "generated file"
        case _:
            return PART


def location_of(entry: Entry) -> Location:
    """Where it is declared; of a source file, its first line."""
    if isinstance(entry, SourceFile):
        return Location(entry.label.path, 1, 1)
    return (entry if isinstance(entry, Target) else entry.target).location
