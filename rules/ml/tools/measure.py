"""Metrics of predictions, with bootstrap intervals, for all rows and for each slice; beside a baseline's, paired."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rules.ml.tools import canonical, predictions, seeds, tables
from rules.ml.tools.failure import ToolError
from rules.ml.tools.metrics import Metric, Rows, metric
from rules.ml.tools.predicates import row_texts

CONFIDENCES = (0.8, 0.9, 0.95, 0.99)
CHUNK = 1 << 23
"""How many drawn units are held at once."""


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="measure")
    parser.add_argument("--label", required=True, help="the evaluation")
    parser.add_argument("--rows", required=True)
    parser.add_argument("--model", required=True, help="the model's predictions")
    parser.add_argument("--baseline", help="the baseline's predictions")
    parser.add_argument("--label_column", required=True)
    parser.add_argument("--query_column", action="append", default=[])
    parser.add_argument("--metric", action="append", required=True)
    parser.add_argument("--slice", action="append", default=[])
    parser.add_argument("--bootstrap", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", required=True)
    options = parser.parse_args(arguments)

    table = tables.read_tree(options.rows, dict.fromkeys([options.label_column, *options.query_column, *options.slice]))
    scores = {"model": predictions.read(options.model)}
    if options.baseline:
        scores["baseline"] = predictions.read(options.baseline)
    wanted = [metric(each) for each in options.metric]
    for each in wanted:
        if each.needs_query and not options.query_column:
            raise ToolError(
                "no-query", f"`{each.name}` ranks the rows of a query", hint="give the model a `query` column"
            )
    slices = []
    for column, value, mask in each_slice(table, options.slice):
        # The same draws whatever other slices there are.
        name = "all" if not column else f"{column}={value}"
        rng = np.random.Generator(np.random.PCG64(seeds.derive(options.seed, options.label, f"bootstrap {name}")))
        found = measure(
            table.filter(pa.array(mask)),
            {name: each[mask] for name, each in scores.items()},
            wanted,
            options.label_column,
            options.query_column,
            options.bootstrap,
            rng,
        )
        slices.append({"slice": {column: value} if column else {}} | found)
    canonical.write(
        options.out,
        {
            "bootstrap": options.bootstrap,
            "confidences": list(CONFIDENCES),
            "evaluation": options.label,
            "unit": "query" if options.query_column else "row",
            "slices": slices,
        },
    )


def each_slice(table: pa.Table, columns: Sequence[str]) -> Iterator[tuple[str, str, np.ndarray]]:
    """All rows first, then for each column each of its values, in order."""
    yield "", "", np.ones(table.num_rows, dtype=bool)
    for column in columns:
        values = table.column(column).unique().to_pylist()
        for value in sorted(
            (each for each in values if each is not None), key=lambda each: tables.natural_order(str(each))
        ):
            mask = pc.equal(table.column(column), pa.scalar(value, table.schema.field(column).type)).fill_null(False)
            yield column, str(value), mask.to_numpy(zero_copy_only=False)
        if None in values:
            yield column, "null", table.column(column).is_null().to_numpy(zero_copy_only=False)


def measure(
    table: pa.Table,
    scores: dict[str, np.ndarray],
    metrics: Sequence[Metric],
    label: str,
    query: Sequence[str],
    bootstrap: int,
    rng: np.random.Generator,
) -> dict[str, object]:
    """The metrics of one slice; `gain` is by how much the model is better than the baseline, in the good direction."""
    labels = table.column(label).to_numpy(zero_copy_only=False).astype(np.float64)
    if np.isnan(labels).any():
        raise ToolError("null-label", f"the label `{label}` is null in {int(np.isnan(labels).sum()):,} rows")
    units, count = _units(table, query)
    rows = {name: Rows(labels, each, units, count) for name, each in scores.items()}
    values = {
        each.name: {name: [each.values(given, np.ones((1, count)))] for name, given in rows.items()} for each in metrics
    }
    for weights in _draws(count, bootstrap, rng):
        for each in metrics:
            for name, given in rows.items():
                values[each.name][name].append(each.values(given, weights))
    found: dict[str, object] = {}
    for each in metrics:
        drawn = {name: np.concatenate(parts) for name, parts in values[each.name].items()}
        if "baseline" in drawn:
            drawn["gain"] = (drawn["model"] - drawn["baseline"]) * (1 if each.is_higher_better else -1)
        found[each.name] = {name: _with_intervals(line) for name, line in drawn.items()}
        found[each.name] |= {"is_higher_better": each.is_higher_better}  # type: ignore[operator]
    return {"rows": table.num_rows, "units": count, "metrics": found}


def _with_intervals(values: np.ndarray) -> dict[str, object]:
    """The first value is measured, the others are drawn. A value that is not defined is null."""
    drawn = values[1:][np.isfinite(values[1:])]
    intervals = {}
    if len(drawn):
        for confidence in CONFIDENCES:
            tail = (1 - confidence) / 2
            intervals[str(confidence)] = [float(each) for each in np.quantile(drawn, [tail, 1 - tail])]
    return {"value": float(values[0]) if math.isfinite(values[0]) else None, "intervals": intervals}


def _draws(count: int, times: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """How often each unit was drawn, a line for each resample (Efron's bootstrap, over whole units)."""
    step = max(1, CHUNK // max(count, 1))
    for start in range(0, times, step):
        lines = min(step, times - start)
        drawn = rng.integers(0, count, size=(lines, count))
        drawn += np.arange(lines)[:, None] * count
        yield np.bincount(drawn.ravel(), minlength=lines * count).reshape(lines, count).astype(np.float64)


def _units(table: pa.Table, query: Sequence[str]) -> tuple[np.ndarray, int]:
    if not query:
        return np.arange(table.num_rows), table.num_rows
    numbers: dict[str, int] = {}
    units = [numbers.setdefault(text, len(numbers)) for text in row_texts(table, query)]
    return np.array(units, dtype=np.int64), len(numbers)
