"""What is measured, in plain numpy. Every metric is a sum over units (queries or rows) and a last step.

`Metric.sums` gives one line of sums for each unit; `Metric.finish` makes values of the lines' totals. A bootstrap then
needs no more than other totals of the same lines. AUC is no such sum: it is computed again for each resample.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rules.ml.tools.failure import ToolError, did_you_mean


@dataclass(frozen=True)
class Rows:
    """Labels, scores and the unit (0, 1, ...) of each row."""

    labels: np.ndarray
    scores: np.ndarray
    units: np.ndarray
    count: int
    """How many units there are."""


@dataclass(frozen=True)
class Metric:
    """`values(rows, weights)`: one value for each line of `weights`, which says how often each unit was drawn."""

    name: str
    is_higher_better: bool
    needs_query: bool
    values: Callable[[Rows, np.ndarray], np.ndarray]


def metric(name: str) -> Metric:
    """The metric called `name`, such as `ndcg@3` or `rmse`."""
    base, at, cut = name.partition("@")
    if at and base in _RANKING and re.fullmatch(r"[1-9][0-9]*", cut):
        return Metric(name, True, True, _mean_of_queries(_RANKING[base], int(cut)))
    if not at and name == "mrr":
        return Metric(name, True, True, _mean_of_queries(_reciprocal_rank, 0))
    if not at and name in _SUMS:
        higher, sums, finish = _SUMS[name]
        return Metric(name, higher, False, _of_sums(sums, finish))
    if not at and name == "auc":
        return Metric(name, True, False, _auc)
    known = [*(f"{each}@3" for each in _RANKING), "mrr", "auc", *_SUMS]
    meant = did_you_mean(name, known)
    raise ToolError(
        "unknown-metric",
        f"there is no metric `{name}`",
        hint=f"did you mean `{meant}`?" if meant else f"metrics are {', '.join(known)}, with any number after `@`",
    )


# Ranking. Rows with equal scores share their places: each counts with the mean over the orders that they could be in
# (McSherry and Najork 2008, "Computing information retrieval performance measures efficiently in the presence of
# tied scores"). Queries without a relevant row say nothing about a ranking and are left out.


def _ndcg(labels: np.ndarray, scores: np.ndarray, cut: int) -> float:
    """Gain 2^label - 1, discount 1 / log2(1 + place): Burges et al. 2005, after Järvelin and Kekäläinen 2002."""
    gains = np.exp2(labels) - 1
    discounts = 1 / np.log2(np.arange(len(labels)) + 2)
    discounts[cut:] = 0
    ideal = float(np.sum(np.sort(gains)[::-1] * discounts))
    return _tied_sum(gains, scores, discounts) / ideal if ideal > 0 else np.nan


def _precision(labels: np.ndarray, scores: np.ndarray, cut: int) -> float:
    relevant = (labels > 0).astype(np.float64)
    return _tied_sum(relevant, scores, _first(len(labels), cut)) / cut if relevant.any() else np.nan


def _recall(labels: np.ndarray, scores: np.ndarray, cut: int) -> float:
    relevant = (labels > 0).astype(np.float64)
    total = float(relevant.sum())
    return _tied_sum(relevant, scores, _first(len(labels), cut)) / total if total else np.nan


def _reciprocal_rank(labels: np.ndarray, scores: np.ndarray, cut: int) -> float:
    """1 / the place of the best relevant row; among equal scores, the last of their places."""
    relevant = labels > 0
    return 1 / float(np.sum(scores >= scores[relevant].max())) if relevant.any() else np.nan


def _tied_sum(gains: np.ndarray, scores: np.ndarray, discounts: np.ndarray) -> float:
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    sizes = np.diff(np.append(starts, len(ordered)))
    return float(np.sum(np.add.reduceat(gains[order], starts) / sizes * np.add.reduceat(discounts, starts)))


def _first(length: int, cut: int) -> np.ndarray:
    return (np.arange(length) < cut).astype(np.float64)


_RANKING: dict[str, Callable[[np.ndarray, np.ndarray, int], float]] = {
    "ndcg": _ndcg,
    "precision": _precision,
    "recall": _recall,
}


def _mean_of_queries(
    of_query: Callable[[np.ndarray, np.ndarray, int], float], cut: int
) -> Callable[[Rows, np.ndarray], np.ndarray]:
    def sums(rows: Rows) -> np.ndarray:
        order = np.argsort(rows.units, kind="stable")
        ends = np.cumsum(np.bincount(rows.units, minlength=rows.count))[:-1]
        values = np.array([of_query(rows.labels[q], rows.scores[q], cut) for q in np.split(order, ends)])
        is_defined = ~np.isnan(values)
        return np.stack([np.where(is_defined, values, 0.0), is_defined.astype(np.float64)], axis=1)

    return _totalled(sums, lambda total: total[:, 0] / total[:, 1])


# Rows. Each gives its own sums; those of a unit are added up.


def _squared(labels: np.ndarray, scores: np.ndarray) -> list[np.ndarray]:
    return [(scores - labels) ** 2]


def _absolute(labels: np.ndarray, scores: np.ndarray) -> list[np.ndarray]:
    return [np.abs(scores - labels)]


def _surprise(labels: np.ndarray, scores: np.ndarray) -> list[np.ndarray]:
    """Minus the log of the probability given to what happened, at most that of 1e-15."""
    likely = np.clip(scores, 1e-15, 1 - 1e-15)
    return [-(labels * np.log(likely) + (1 - labels) * np.log1p(-likely))]


def _hits(labels: np.ndarray, scores: np.ndarray) -> list[np.ndarray]:
    return [((scores >= 0.5) == (labels > 0)).astype(np.float64)]


def _variance(labels: np.ndarray, scores: np.ndarray) -> list[np.ndarray]:
    return [(scores - labels) ** 2, labels, labels**2]


def _mean(total: np.ndarray) -> np.ndarray:
    return total[:, 0] / total[:, -1]


def _root(total: np.ndarray) -> np.ndarray:
    return np.sqrt(_mean(total))


def _explained(total: np.ndarray) -> np.ndarray:
    """R²: one minus the squared error over that of the labels' own mean."""
    errors, first, second, count = total.T
    return 1 - errors / (second - first**2 / count)


_RowSums = Callable[[np.ndarray, np.ndarray], list[np.ndarray]]
_SUMS: dict[str, tuple[bool, _RowSums, Callable[[np.ndarray], np.ndarray]]] = {
    "rmse": (False, _squared, _root),
    "mae": (False, _absolute, _mean),
    "r2": (True, _variance, _explained),
    "accuracy": (True, _hits, _mean),
    "logloss": (False, _surprise, _mean),
    "brier": (False, _squared, _mean),
}


def _of_sums(of_rows: _RowSums, finish: Callable[[np.ndarray], np.ndarray]) -> Callable[[Rows, np.ndarray], np.ndarray]:
    def sums(rows: Rows) -> np.ndarray:
        columns = [*of_rows(rows.labels, rows.scores), np.ones(len(rows.labels))]
        return np.stack([np.bincount(rows.units, weights=each, minlength=rows.count) for each in columns], axis=1)

    return _totalled(sums, finish)


def _totalled(
    sums: Callable[[Rows], np.ndarray], finish: Callable[[np.ndarray], np.ndarray]
) -> Callable[[Rows, np.ndarray], np.ndarray]:
    def values(rows: Rows, weights: np.ndarray) -> np.ndarray:
        lines = sums(rows)
        # Not a matrix product: a BLAS would add in an order of its own.
        totals = np.stack([np.sum(weights * column, axis=1) for column in lines.T], axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            return finish(totals)

    return values


def _auc(rows: Rows, weights: np.ndarray) -> np.ndarray:
    """The chance that a positive row scores above a negative one, equal scores counting half (Mann and Whitney)."""
    order = np.argsort(rows.scores, kind="stable")
    ordered = rows.scores[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    is_positive = rows.labels[order] > 0
    found = np.empty(len(weights))
    for line, each in enumerate(weights):
        drawn = each[rows.units[order]]
        positive = np.add.reduceat(np.where(is_positive, drawn, 0.0), starts)
        negative = np.add.reduceat(np.where(is_positive, 0.0, drawn), starts)
        below = np.cumsum(negative) - negative
        pairs = positive.sum() * negative.sum()
        found[line] = float(np.sum(positive * (below + negative / 2)) / pairs) if pairs else np.nan
    return found
