"""A workspace in memory: loads and analyses targets without a disk, for tests of rules and of mlbuild itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from mlbuild.analysis import Configuration, analyse
from mlbuild.diagnostics import UserError, render
from mlbuild.files.memory import MemorySourceTree
from mlbuild.lang import ProgramCache
from mlbuild.loading import Defaults, Keeper, Loader
from mlbuild.seams import SourceTree
from mlbuild.store import MemoryStore
from mlbuild.terms import Action, ActionGraph, Label, outputs_of
from mlbuild.terms.event import Event


class MemoryWorkspace:
    """Files by path; with `rules`, the folder of mlbuild's own rules, as the repository `mlbuild`.

    Without `rules` there are neither a prelude nor a shell: BUILD files load what they use.
    """

    def __init__(
        self,
        files: Mapping[str, str | bytes],
        *,
        rules: Path | None = None,
        defines: Mapping[str, str] | None = None,
        sources: SourceTree | None = None,
        keeper: Keeper | None = None,
    ) -> None:
        self.events: list[Event] = []
        self.configuration = Configuration(dict(defines or {}))
        everything: dict[str, bytes | str] = dict(files)
        if rules is not None:
            everything.update(rule_files(rules))
        defaults = Defaults() if rules is not None else Defaults(prelude=None, toolchains=())
        tree = MemorySourceTree(everything, MemoryStore()) if sources is None else sources
        self.loader = Loader(tree, ProgramCache(None), self, defaults, keeper)

    def emit(self, event: Event) -> None:
        self.events.append(event)

    def expand(self, *patterns: str, folder: str = "") -> tuple[str, ...]:
        """The labels that the patterns mean. Raises UserError."""
        return tuple(str(label) for label in self.loader.expand(patterns, folder))

    def analyse(self, *labels: str) -> ActionGraph:
        """The action graph of the labels' closure. Raises UserError."""
        return analyse(self.loader, [Label.parse(label) for label in labels], self.configuration, self)

    def error(self, *labels: str) -> str:
        """What a person reads when the labels are analysed, which must fail."""
        try:
            self.analyse(*labels)
        except UserError as error:
            return "\n".join(render(diagnostic) for diagnostic in error.diagnostics)
        raise AssertionError(f"{', '.join(labels)} can be analysed")


def rule_files(rules: Path) -> dict[str, bytes]:
    """The files of a folder of rules, by their paths in the repository `mlbuild`."""
    return {
        f"external/mlbuild/rules/{path.relative_to(rules).as_posix()}": path.read_bytes()
        for path in sorted(rules.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def action_making(graph: ActionGraph, path: str) -> Action:
    """The action that makes the output with this path."""
    return next(action for action in graph.actions if any(output.path == path for output in outputs_of(action)))


def files_of(graph: ActionGraph, labels: Iterable[str] | None = None) -> tuple[str, ...]:
    """The paths of the default files of the graph's targets, or of some of them."""
    wanted = None if labels is None else set(labels)
    return tuple(
        artifact.path
        for target in graph.targets
        if wanted is None or str(target.label) in wanted
        for artifact in target.files
    )
