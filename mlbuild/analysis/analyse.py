"""Walks the closure of labels and gathers its actions. Iterative: chains of targets may be long."""

from __future__ import annotations

from collections.abc import Iterable

from mlbuild.analysis.claims import Claims, Owner
from mlbuild.analysis.configuration import Configuration
from mlbuild.analysis.context import Resolved
from mlbuild.analysis.implementation import implement, of_target
from mlbuild.analysis.node import Node, artifacts_of
from mlbuild.analysis.packages import Packages
from mlbuild.analysis.steps import Stepper, Steps
from mlbuild.diagnostics import Diagnostic, Location, UserError, fail
from mlbuild.seams import EventSink
from mlbuild.terms import Action, ActionGraph, Artifact, ConfiguredTarget, Label, Target, outputs_of
from mlbuild.terms.event import TargetConfigured, Warned


def analyse(
    packages: Packages, labels: Iterable[Label], configuration: Configuration, sink: EventSink | None = None
) -> ActionGraph:
    """The action graph of the labels' closure. Raises UserError with the errors of all labels."""
    analysis = Analysis(packages, configuration, sink)
    targets: list[ConfiguredTarget] = []
    errors: dict[Diagnostic, None] = {}
    for label in dict.fromkeys(labels):
        try:
            targets.append(analysis.configure(label))
        except UserError as error:
            errors.update(dict.fromkeys(error.diagnostics))
    if errors:
        raise UserError(*errors)
    return analysis.graph(targets)


class Analysis:
    """Phase 2 for one configuration. Remembers each node, and each error, for as long as it lives: one build."""

    def __init__(self, packages: Packages, configuration: Configuration, sink: EventSink | None = None) -> None:
        self._packages = packages
        self._configuration = configuration
        self._sink = sink
        self._stepper = Stepper(packages, configuration, self._implement)
        self._nodes: dict[Label, Node] = {}
        self._failed: dict[Label, UserError] = {}
        self._claims = Claims()
        self._actions: list[Action] = []
        self._producers: dict[Artifact, int] = {}

    def configure(self, label: Label) -> ConfiguredTarget:
        """The target after analysis, with all that it depends on. Raises UserError."""
        node = self._node(label)
        entry = self._packages.entry(label)
        return ConfiguredTarget(
            label=label,
            kind=entry.rule.name if isinstance(entry, Target) else node.kind,
            location=entry.location if isinstance(entry, Target) else node.location,
            files=node.artifacts(),
            groups={name: artifacts_of(files) for name, files in node.groups.items()},
            test_results=node.test_results,
            run=node.run,
        )

    def graph(self, targets: Iterable[ConfiguredTarget]) -> ActionGraph:
        """The targets with all actions of what was configured so far, in the order of analysis."""
        return ActionGraph(tuple(targets), tuple(self._actions), dict(self._producers))

    def _node(self, wanted: Label) -> Node:
        known = self._nodes.get(wanted)
        if known is not None:
            return known
        stack: list[tuple[Label, Steps]] = []
        active: dict[Label, None] = {}
        current: Label | None = wanted
        sent: Node | None = None
        try:
            while True:
                if current is not None:
                    if current in self._failed:
                        raise self._failed[current]
                    if current in active:
                        raise self._cycle(active, current)
                    steps = self._stepper.steps(current)
                    active[current] = None
                    stack.append((current, steps))
                    sent = None
                label, steps = stack[-1]
                try:
                    current = next(steps) if sent is None else steps.send(sent)
                except StopIteration as stop:
                    node = stop.value
                    assert isinstance(node, Node)
                    self._nodes[label] = sent = node
                    stack.pop()
                    del active[label]
                    current = None
                    if not stack:
                        return node
                    continue
                known = self._nodes.get(current)
                if known is not None:
                    sent, current = known, None
        except UserError as error:
            placed = self._asked_by(stack, error)
            # All that wait for this label fail with it, for the same reason.
            for label, steps in stack:
                self._failed[label] = placed
                steps.close()
            if placed is error:
                raise
            raise placed from None

    def _implement(self, resolved: Resolved) -> Node:
        implemented = implement(resolved, self._packages, self._configuration, self._print)
        target = resolved.target
        outputs = [output for action in implemented.actions for output in outputs_of(action)]
        try:
            self._claims.claim(outputs, Owner(target.label, target.location))
        except UserError as error:
            raise self._packages.placed(error, target.location) from None
        for action in implemented.actions:
            for output in outputs_of(action):
                self._producers[output] = len(self._actions)
            self._actions.append(action)
        if self._sink is not None:
            self._sink.emit(TargetConfigured(target.label, target.rule.name))
        return implemented.node

    def _asked_by(self, stack: list[tuple[Label, Steps]], error: UserError) -> UserError:
        """The error, placed where the nearest target stands that waits, unless it has a place."""
        if all(each.location is not None for each in error.diagnostics):
            return error
        for label, _ in reversed(stack):
            entry = self._packages.entry(label)
            if isinstance(entry, Target):
                return of_target(error, entry, self._packages)
        return error

    def _cycle(self, active: dict[Label, None], again: Label) -> UserError:
        labels = list(active)
        chain = [*labels[labels.index(again) :], again]
        entry = self._packages.entry(again)
        error = fail(
            "dependency-cycle",
            "targets depend on each other in a circle",
            notes=tuple(f"{'-> ' if index else ''}`{label.short}`" for index, label in enumerate(chain)),
            hint="one of these dependencies must go, or the targets become one",
        )
        return self._packages.placed(error, entry.location if isinstance(entry, Target) else None)

    def _print(self, text: str, location: Location) -> None:
        if self._sink is not None:
            self._sink.emit(Warned(Diagnostic("print", text, location), level="info"))
