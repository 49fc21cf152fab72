"""The answer as a graph for Graphviz: `mlbuild query --output=graph ... | dot -Tsvg > graph.svg`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mlbuild.query.graph import TargetGraph
from mlbuild.query.ordering import by_name, subgraph
from mlbuild.query.walks import turned
from mlbuild.terms import Label


def graph_lines(answer: Sequence[Label], graph: TargetGraph, is_factored: bool, limit: int) -> Iterator[str]:
    """A digraph. Factored: labels with the same neighbours are one node. A node's text is cut at `limit` (-1: never)."""
    edges = subgraph(answer, graph)
    nodes = _groups(edges) if is_factored else [(label,) for label in edges]
    node_of = {label: group for group in nodes for label in group}
    yield "digraph mygraph {"
    yield "  node [shape=box];"
    for group in nodes:
        yield f"  {_quoted(group, limit)}"
        for each in dict.fromkeys(node_of[label] for label in edges[group[0]]):
            yield f"  {_quoted(group, limit)} -> {_quoted(each, limit)}"
    yield "}"


def _groups(edges: Mapping[Label, tuple[Label, ...]]) -> list[tuple[Label, ...]]:
    """The labels that the same labels depend on, and that depend on the same labels, together."""
    users = turned(edges, edges.__getitem__)
    groups: dict[tuple[tuple[Label, ...], tuple[Label, ...]], list[Label]] = {}
    for label, used in edges.items():
        groups.setdefault((tuple(by_name(users[label])), used), []).append(label)
    return [tuple(group) for group in groups.values()]


def _quoted(group: Sequence[Label], limit: int) -> str:
    names = [str(label).replace("\\", "\\\\").replace('"', '\\"') for label in group]
    shown, used = names, 0
    for count, name in enumerate(names):
        used += len(name) + 2
        if count and 0 <= limit < used - 2:
            shown = [*names[:count], f"...and {len(names) - count} more items"]
            break
    return '"' + "\\n".join(shown) + '"'
