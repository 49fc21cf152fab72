"""Random questions about random graphs, against an evaluator that is too slow to be wrong."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlbuild.query import Evaluation, Source, TargetGraph, ordered, parse
from mlbuild.query.ordering import Order, subgraph
from mlbuild.query.walks import components, longest_distances, shortest_distances, shortest_path, topological
from mlbuild.terms import Label
from tests.query.graphs import Asked

NAMES = ("t0", "t1", "t2", "t3", "t4", "t5")
Graph = dict[str, tuple[str, ...]]
Nodes = frozenset[str]


def edges_among(names: tuple[str, ...]) -> st.SearchStrategy[Graph]:
    successors = st.lists(st.sampled_from(names), unique=True, max_size=3).map(tuple)
    return st.fixed_dictionaries(dict.fromkeys(names, successors))


def reach(graph: Graph, start: Nodes, steps: int = 99) -> Nodes:
    return start if not steps else start | reach(graph, start | {b for a in start for b in graph[a]}, steps - 1)


def back(graph: Graph, ends: Nodes, inside: Nodes, steps: int = 99) -> Nodes:
    turned = {b: tuple(a for a in inside if b in graph[a]) for b in inside}
    return reach(turned, ends & inside, steps)


NAIVE: dict[str, Callable[..., Nodes]] = {
    "deps({0})": lambda g, a, b: reach(g, a),
    "deps({0}, 1)": lambda g, a, b: reach(g, a, 1),
    "deps({0}, 2)": lambda g, a, b: reach(g, a, 2),
    "rdeps({0}, {1})": lambda g, a, b: back(g, b, reach(g, a)),
    "rdeps({0}, {1}, 1)": lambda g, a, b: back(g, b, reach(g, a), 1),
    "allpaths({0}, {1})": lambda g, a, b: back(g, b, reach(g, a)),
    "same_pkg_direct_rdeps({0})": lambda g, a, b: frozenset(n for n in g if a & set(g[n])),
    "labels(deps, {0})": lambda g, a, b: frozenset(n for m in a for n in g[m]),
    "({0} + {1})": lambda g, a, b: a | b,
    "({0} - {1})": lambda g, a, b: a - b,
    "({0} ^ {1})": lambda g, a, b: a & b,
    "filter('[024]$', {0})": lambda g, a, b: frozenset(n for n in a if n[1] in "024"),
    "let v = {0} in ($v - {1})": lambda g, a, b: a - b,
    "siblings({0}) ^ kind(rule, //a:*)": lambda g, a, b: frozenset(g) if a else a,
}


@st.composite
def questions(draw: st.DrawFn, depth: int = 3) -> tuple[str, Callable[[Graph], Nodes]]:
    """An expression, and what it comes to."""
    if depth == 0 or draw(st.integers(0, 3)) == 0:
        names = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=2))
        return f"set({' '.join(f'//a:{name}' for name in names)})", lambda graph: frozenset(names)
    form = draw(st.sampled_from(sorted(NAIVE)))
    first, its_value = draw(questions(depth=depth - 1))
    second, other_value = draw(questions(depth=depth - 1))
    text = f"({form.format(first, second)})"
    return text, lambda graph: NAIVE[form](graph, its_value(graph), other_value(graph))


def space(graph: Graph) -> Asked:
    lines = (
        f'bare(name = "{name}", deps = [{", ".join(f":{each!r}" for each in deps)}])' for name, deps in graph.items()
    )
    return Asked({"a/BUILD.ml": "\n".join(lines).replace(":'", '":').replace("'", '"')})


@settings(max_examples=150, deadline=None)
@given(edges_among(NAMES), questions())
def test_an_answer_is_what_the_naive_evaluator_says(
    graph: Graph, question: tuple[str, Callable[[Graph], Nodes]]
) -> None:
    text, naive = question
    asked = space(graph)
    expected = sorted(f"//a:{name}" for name in naive(graph))
    assert sorted(asked.ask(text)) == expected
    for order in ("no", "deps", "full"):
        assert sorted(asked.ask(text, order=order)) == expected


@pytest.mark.parametrize("form", sorted(NAIVE))
@settings(max_examples=40, deadline=None)
@given(graph=edges_among(NAMES), first=st.sampled_from(NAMES), second=st.sampled_from(NAMES))
def test_each_form_is_what_the_naive_evaluator_says(form: str, graph: Graph, first: str, second: str) -> None:
    expected = NAIVE[form](graph, frozenset([first]), frozenset([second]))
    assert sorted(space(graph).ask(form.format(f"//a:{first}", f"//a:{second}"))) == sorted(
        f"//a:{name}" for name in expected
    )


@settings(max_examples=100, deadline=None)
@given(edges_among(NAMES), st.sampled_from(NAMES), st.sampled_from(NAMES))
def test_a_path_is_a_shortest_one(graph: Graph, start: str, end: str) -> None:
    path = shortest_path([start], [end], graph.__getitem__)
    distances = [steps for steps in range(len(graph)) if end in reach(graph, frozenset([start]), steps)]
    assert len(path) == (distances[0] + 1 if distances else 0)
    assert all(later in graph[earlier] for earlier, later in pairwise(path))
    if path:
        assert (path[0], path[-1]) == (start, end)


def acyclic(graph: Graph) -> Graph:
    return {name: tuple(each for each in deps if each > name) for name, deps in graph.items()}


@settings(max_examples=100, deadline=None)
@given(edges_among(NAMES))
def test_topological_order_and_ranks(graph: Graph) -> None:
    graph = acyclic(graph)
    order = topological(graph, graph.__getitem__)
    assert sorted(order) == sorted(graph)
    assert all(order.index(name) < order.index(each) for name, deps in graph.items() for each in deps)
    users = {name: [each for each in graph if name in graph[each]] for name in graph}
    longest = longest_distances(graph, graph.__getitem__)
    shortest = shortest_distances(graph, graph.__getitem__)
    for name in graph:
        assert longest[name] == max((longest[each] + 1 for each in users[name]), default=0)
        assert shortest[name] == min((shortest[each] + 1 for each in users[name]), default=0)


@settings(max_examples=100, deadline=None)
@given(edges_among(NAMES))
def test_what_reaches_each_other_is_together(graph: Graph) -> None:
    groups = components(graph, graph.__getitem__)
    group_of = {name: number for number, group in enumerate(groups) for name in group}
    for one, other in product(graph, graph):
        joined = other in reach(graph, frozenset([one])) and one in reach(graph, frozenset([other]))
        assert (group_of[one] == group_of[other]) is joined
    assert all(group_of[name] <= group_of[each] for name, deps in graph.items() for each in deps)


@settings(max_examples=100, deadline=None)
@given(edges_among(NAMES), st.frozensets(st.sampled_from(NAMES)))
def test_a_subgraph_keeps_who_reaches_whom(edges: Graph, kept: Nodes) -> None:
    graph = acyclic(edges)
    target_graph: TargetGraph = space(graph).graph()
    source = Source("deps(//a:all)")
    answer = Evaluation(target_graph, source).answer(parse(source))
    labels = [Label("", "a", name) for name in sorted(kept)]
    assert len(answer.labels) == len(graph)
    left = {a.name: tuple(b.name for b in found) for a, found in subgraph(labels, target_graph).items()}
    for name in kept:
        assert reach(left, frozenset([name])) == reach(graph, frozenset([name])) & kept
    order = [each.name for each in ordered(labels, False, Order.FULL, target_graph)]
    assert all(order.index(a) < order.index(b) for a in kept for b in reach(graph, frozenset([a])) & kept if a != b)
