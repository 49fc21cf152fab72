"""Answers as lines of text: one function for each `--output` that lists labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlbuild.query.graph import TargetGraph
from mlbuild.query.kinds import kind_of, location_of
from mlbuild.query.ordering import subgraph
from mlbuild.query.walks import longest_distances, shortest_distances
from mlbuild.terms import Label


def labels(answer: Sequence[Label], graph: TargetGraph) -> Iterator[str]:
    """`//a:b`, one a line."""
    return map(str, answer)


def label_kinds(answer: Sequence[Label], graph: TargetGraph) -> Iterator[str]:
    """`genrule rule //a:b`."""
    return (f"{kind_of(graph.entry(label))} {label}" for label in answer)


def locations(answer: Sequence[Label], graph: TargetGraph) -> Iterator[str]:
    """`a/BUILD.ml:3:1: genrule rule //a:b`, for editors that jump to it."""
    for label in answer:
        entry = graph.entry(label)
        yield f"{location_of(entry)}: {kind_of(entry)} {label}"


def packages(answer: Sequence[Label], graph: TargetGraph) -> Iterator[str]:
    """The packages, by name, each once."""
    found = {(label.repository, label.package) for label in answer}
    return (f"@{repository}//{package}" if repository else package for repository, package in sorted(found))


def minimal_ranks(answer: Sequence[Label], graph: TargetGraph) -> Iterator[str]:
    """`2 //a:b`: the length of the shortest path from a label that nothing else in the answer depends on."""
    edges = subgraph(answer, graph)
    return _ranked(shortest_distances(edges, edges.__getitem__))


def maximal_ranks(answer: Sequence[Label], graph: TargetGraph) -> Iterator[str]:
    """As `minimal_ranks`, of the longest path."""
    edges = subgraph(answer, graph)
    return _ranked(longest_distances(edges, edges.__getitem__))


def _ranked(ranks: dict[Label, int]) -> Iterator[str]:
    return (f"{rank} {label}" for rank, label in sorted((rank, label) for label, rank in ranks.items()))
