"""The order in which an answer is shown, and the graph that it is shown as."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from operator import attrgetter

from mlbuild.query.graph import TargetGraph
from mlbuild.query.walks import topological
from mlbuild.terms import Label

_NAMES = attrgetter("repository", "package", "name")


class Order(Enum):
    """`--order_output`."""

    NO = "no"
    AUTO = "auto"
    DEPS = "deps"
    FULL = "full"


def by_name(labels: Iterable[Label]) -> list[Label]:
    """Sorted by repository, package and name."""
    return sorted(labels, key=_NAMES)


def ordered(labels: Iterable[Label], is_path: bool, order: Order, graph: TargetGraph) -> tuple[Label, ...]:
    """The labels in the order asked for: as found, by name (paths as they go), or each before what it depends on."""
    labels = tuple(labels)
    if order is Order.NO or (order is Order.AUTO and is_path):
        return labels
    alphabetical = by_name(labels)
    if order is Order.AUTO:
        return tuple(alphabetical)
    wanted = frozenset(labels)

    def successors(label: Label) -> list[Label]:
        return by_name(_edges(label, wanted, graph))

    return tuple(each for each in topological(alphabetical, successors) if each in wanted)


def subgraph(labels: Iterable[Label], graph: TargetGraph) -> Mapping[Label, tuple[Label, ...]]:
    """The graph of the labels alone, by name: an edge stands for a path through what was left out, too."""
    wanted = frozenset(labels)
    return {label: tuple(by_name(_reached(label, wanted, graph))) for label in by_name(wanted)}


def _reached(start: Label, wanted: frozenset[Label], graph: TargetGraph) -> set[Label]:
    """The labels that paths from the start come to first."""
    found: set[Label] = set()
    passed: set[Label] = set()
    waiting = list(_edges(start, wanted, graph))
    while waiting:
        label = waiting.pop()
        if label in wanted:
            if label != start:
                found.add(label)
        elif label not in passed:
            passed.add(label)
            waiting += _edges(label, wanted, graph)
    return found


def _edges(label: Label, wanted: frozenset[Label], graph: TargetGraph) -> tuple[Label, ...]:
    """What the question has followed; of the answer's own labels, whatever is written, as far as it was met at all."""
    followed = graph.known(label)
    if followed or label not in wanted:
        return followed
    return tuple(each for each in graph.written(label) if each in wanted)
