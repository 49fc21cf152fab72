"""The action graph of labels: their closure and nothing else, in a stable order."""

import pytest

from mlbuild.analysis import Analysis, Configuration
from mlbuild.diagnostics import UserError
from mlbuild.terms import Label, outputs_of
from mlbuild.terms.event import TargetConfigured
from mlbuild.testing.workspace import MemoryWorkspace

RULES = """
def _impl(ctx):
    out = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.write(out, ctx.label.name)
    return [DefaultInfo(files = depset([out]))]

r = rule(implementation = _impl, attrs = {"deps": attr.label_list()})
"""


def workspace(build: str) -> MemoryWorkspace:
    return MemoryWorkspace({"rules.bzl": RULES, "BUILD.ml": 'load(":rules.bzl", "r")\n' + build})


DIAMOND = 'r(name = "d")\nr(name = "a", deps = [":b", ":c"])\nr(name = "c", deps = [":d"])\nr(name = "b", deps = [":d"])\nr(name = "other")'


def test_dependencies_come_first_and_nothing_else_comes() -> None:
    space = workspace(DIAMOND)
    graph = space.analyse("//:a")
    assert [str(action.owner) for action in graph.actions] == ["//:d", "//:b", "//:c", "//:a"]
    assert {output.path: index for output, index in graph.producers.items()} == {
        "mlbuild-out/d": 0,
        "mlbuild-out/b": 1,
        "mlbuild-out/c": 2,
        "mlbuild-out/a": 3,
    }
    assert [str(event.label) for event in space.events if isinstance(event, TargetConfigured)] == [
        "//:d", "//:b", "//:c", "//:a",
    ]  # fmt: skip


def test_targets_are_in_the_order_asked_for_and_once() -> None:
    graph = workspace(DIAMOND).analyse("//:other", "//:d", "//:other")
    assert [str(target.label) for target in graph.targets] == ["//:other", "//:d"]


def test_two_analyses_give_equal_actions() -> None:
    assert workspace(DIAMOND).analyse("//:a").actions == workspace(DIAMOND).analyse("//:a").actions


def test_a_chain_of_targets_may_be_long() -> None:
    lines = ['r(name = "t0")'] + [f'r(name = "t{i}", deps = [":t{i - 1}"])' for i in range(1, 5000)]
    assert len(workspace("\n".join(reversed(lines))).analyse("//:t4999").actions) == 5000


def test_a_circle_through_a_long_chain_is_found() -> None:
    lines = [f'r(name = "t{i}", deps = [":t{(i + 1) % 3000}"])' for i in range(3000)]
    assert "error[dependency-cycle]" in workspace("\n".join(lines)).error("//:t0")


def test_what_works_can_be_kept_when_other_labels_fail() -> None:
    space = workspace('r(name = "good")\nr(name = "bad", deps = [":nope"])\nr(name = "worse", deps = [":bad"])')
    analysis = Analysis(space.loader, Configuration())
    kept = []
    errors = []
    for name in ("bad", "good", "worse"):
        try:
            kept.append(analysis.configure(Label("", "", name)))
        except UserError as error:
            errors.append(error.diagnostics)
    graph = analysis.graph(kept)
    assert [str(target.label) for target in graph.targets] == ["//:good"]
    assert [output.path for action in graph.actions for output in outputs_of(action)] == ["mlbuild-out/good"]
    assert errors[0] == errors[1]


@pytest.mark.parametrize("count", [1, 3])
def test_one_error_is_told_once_for_all_that_wait(count: int) -> None:
    space = workspace(
        'r(name = "bad", deps = [":nope"])\n' + "\n".join(f'r(name = "w{i}", deps = [":bad"])' for i in range(count))
    )
    assert space.error(*(f"//:w{i}" for i in range(count))).count("error[") == 1
