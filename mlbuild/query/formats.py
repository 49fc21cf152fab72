"""The output formats by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from mlbuild.query import dot, shown
from mlbuild.query.graph import TargetGraph
from mlbuild.records import record
from mlbuild.terms import Label


@record
class GraphStyle:
    """How `--output=graph` draws."""

    is_factored: bool = True
    limit: int = 512


PLAIN = GraphStyle()


def _build(answer: Sequence[Label], graph: TargetGraph) -> Iterable[str]:
    from mlbuild.query.build_text import build_lines

    return build_lines(answer, graph)


def _json(answer: Sequence[Label], graph: TargetGraph) -> Iterable[str]:
    from mlbuild.query.json_targets import query_result

    return query_result(answer, graph)


def _json_lines(answer: Sequence[Label], graph: TargetGraph) -> Iterable[str]:
    from mlbuild.query.json_targets import target_lines

    return target_lines(answer, graph)


Format = Callable[[Sequence[Label], TargetGraph], Iterable[str]]

FORMATS: Mapping[str, Format] = {
    "label": shown.labels,
    "label_kind": shown.label_kinds,
    "location": shown.locations,
    "package": shown.packages,
    "minrank": shown.minimal_ranks,
    "maxrank": shown.maximal_ranks,
    "build": _build,
    "jsonproto": _json,
    "streamed_jsonproto": _json_lines,
}
"""All but `graph`, which has a style."""


def lines_of(output: str, answer: Sequence[Label], graph: TargetGraph, style: GraphStyle = PLAIN) -> Iterable[str]:
    """The answer in the format of that name, which must be one of `FORMATS` or `graph`."""
    if output == "graph":
        return dot.graph_lines(answer, graph, style.is_factored, style.limit)
    return FORMATS[output](answer, graph)
