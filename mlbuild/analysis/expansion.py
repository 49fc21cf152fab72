"""`$(location //a:b)`, `$(SRCS)`, `$@`: what is replaced in the texts of commands."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from mlbuild.analysis.node import Node
from mlbuild.diagnostics import did_you_mean
from mlbuild.terms import Artifact, BadLabel, Label

SINGULAR = ("location", "execpath", "rootpath")
PLURAL = ("locations", "execpaths", "rootpaths")
LOCATION = re.compile(r"\$\((" + "|".join((*PLURAL, *SINGULAR)) + r")\s+([^)]*)\)")
VARIABLE = re.compile(r"\$(?:\(([^)]*)\)|(.)|\Z)", re.DOTALL)


class BadText(ValueError):
    """The text cannot be expanded; the message says why, in words for a person."""


def has_location(text: str) -> bool:
    return LOCATION.search(text) is not None


def expand_location(text: str, files: Mapping[Label, Sequence[Artifact]], resolve: Callable[[str], Label]) -> str:
    """Replaces `$(location X)` and its kin. `files` are the declared dependencies. Raises BadText."""

    def replacement(match: re.Match[str]) -> str:
        kind, written = match.group(1), match.group(2).strip()
        try:
            label = resolve(written)
        except BadLabel as error:
            raise BadText(f"`{match.group(0)}`: {error}") from None
        found = files.get(label)
        if found is None:
            near = did_you_mean(label.short, [each.short for each in files])
            more = f": did you mean `{near}`?" if near else ""
            raise BadText(f"`{match.group(0)}` names no dependency of this target{more}")
        paths = [each.short_path if kind.startswith("rootpath") else each.path for each in found]
        if kind in SINGULAR and len(paths) != 1:
            raise BadText(
                f"`{match.group(0)}` is for one file, but `{label.short}` has {len(paths)}: use `$({kind}s ...)`"
            )
        return " ".join(paths)

    return LOCATION.sub(replacement, text)


def expand_variables(text: str, variables: Mapping[str, str]) -> str:
    """Replaces `$(NAME)`, `$X` (one character) and `$$`. Raises BadText for a name that is not there."""

    def replacement(match: re.Match[str]) -> str:
        name = match.group(1) if match.group(1) is not None else match.group(2)
        if name is None:
            raise BadText("a single `$` at the end: write `$$` for a dollar sign")
        if match.group(1) is None and name == "$":
            return "$"
        value = variables.get(name)
        if value is None:
            raise BadText(_unknown(match.group(0), name, variables))
        return value

    return VARIABLE.sub(replacement, text)


def _unknown(written: str, name: str, variables: Mapping[str, str]) -> str:
    near = did_you_mean(name, variables)
    if near:
        return f"`{written}` is not defined: did you mean `$({near})`?"
    return f"`{written}` is not defined: write `${written}` for the shell's own, or give `--define {name}=...`"


def files_for_location(nodes: Sequence[tuple[Label, Node]]) -> dict[Label, tuple[Artifact, ...]]:
    """The files that `$(location)` may name: an executable target stands for its executable."""
    found: dict[Label, tuple[Artifact, ...]] = {}
    for label, node in nodes:
        files = (node.executable,) if node.executable is not None else node.artifacts()
        found.setdefault(label, files)
        found.setdefault(node.label, files)
    return found
