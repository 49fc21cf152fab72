"""Calls a rule's implementation for one target."""

from __future__ import annotations

from collections.abc import Callable

from mlbuild.analysis.actions import Actions
from mlbuild.analysis.claims import Owner
from mlbuild.analysis.configuration import Configuration
from mlbuild.analysis.context import Resolved, RuleContext
from mlbuild.analysis.node import Node
from mlbuild.analysis.packages import Packages
from mlbuild.analysis.results import Returned, node_of
from mlbuild.diagnostics import Diagnostic, Location, UserError
from mlbuild.lang import Thread, call
from mlbuild.loading.own_frames import away_from_rules
from mlbuild.records import record, replace
from mlbuild.terms import Action, Artifact, Label, MapAction, SpawnAction, Target, outputs_of


@record
class Implemented:
    """What an implementation gave."""

    node: Node
    actions: tuple[Action, ...]


class RuleThread:
    """The context of a thread that runs an implementation: labels in the rule's own files."""

    def __init__(self, packages: Packages) -> None:
        self._packages = packages

    def label_in(self, path: str, text: str) -> Label:
        return self._packages.label_in(path, text)


def implement(
    resolved: Resolved, packages: Packages, configuration: Configuration, print: Callable[[str, Location], None]
) -> Implemented:
    """The node and the actions of a target. Raises UserError."""
    target = resolved.target
    rule = target.rule
    owner = Owner(target.label, target.location)
    thread = Thread(context=RuleThread(packages))
    thread.print = lambda text: print(text, thread.location())
    predeclared = {
        target.label.sibling(each.path[_prefix_length(each, target) :]): each
        for value in resolved.outputs.values()
        for each in (value if isinstance(value, (list, tuple)) else (value,))
        if isinstance(each, Artifact)
    }
    actions = Actions(thread, owner, predeclared.values(), resolved.toolchains)
    ctx = RuleContext(
        thread,
        resolved,
        actions,
        in_rule=lambda text: packages.label_in(rule.module, text),
        in_package=lambda text: Label.parse(text, repository=target.label.repository, package=target.label.package),
        variables=configuration.defines,
        workspace_name=packages.workspace().name,
    )
    try:
        value = call(thread, rule.implementation, (ctx,))
        node = node_of(Returned(target.label, rule, target.location), value, predeclared)
        made = _marked_tests(actions.finish(), node)
    except UserError as error:
        raise of_target(error, target, packages) from None
    return Implemented(node, made)


def of_target(error: UserError, target: Target, packages: Packages) -> UserError:
    """The error, placed, and with the target whose analysis it ended when it is in another file."""

    def explained(each: Diagnostic) -> Diagnostic:
        notes = each.notes
        if each.location != target.location:
            notes = (*notes, f"while analysing `{target.label.short}` ({target.location})")
        if target.frames and not each.frames:
            calls = " -> ".join(f"`{frame.function}` ({frame.location})" for frame in target.frames)
            notes = (*notes, f"made by {calls}")
        return replace(each, notes=notes)

    # What a rule that came with mlbuild refuses is shown in the user's own file: nobody wrote the rule who reads this.
    moved = (away_from_rules(each, target.location) for each in error.diagnostics)
    placed = packages.placed(UserError(*moved, exit_code=error.exit_code), target.location)
    return UserError(*map(explained, placed.diagnostics), exit_code=error.exit_code)


def _marked_tests(actions: tuple[Action, ...], node: Node) -> tuple[Action, ...]:
    """Actions that make test results are tests: when they fail, a test has failed, not the build."""
    results = set(node.test_results)
    if not results:
        return actions
    return tuple(
        _as_test(action) if any(output in results for output in outputs_of(action)) else action for action in actions
    )


def _as_test(action: Action) -> Action:
    if isinstance(action, SpawnAction):
        return replace(action, is_test=True)
    if isinstance(action, MapAction):
        expand = action.expand
        return replace(action, expand=lambda members: tuple(map(_as_test, expand(members))))
    return action


def _prefix_length(output: Artifact, target: Target) -> int:
    folder = target.label.package_path
    return len(output.path) - len(output.short_path) + (len(folder) + 1 if folder else 0)
