"""Which row goes into which part when every stratum is to be shared out in the same proportions."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from rules.ml.tools import predicates, tables


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="assign_parts")
    parser.add_argument("--tree", required=True)
    parser.add_argument("--key", action="append", required=True)
    parser.add_argument("--on", action="append", required=True, help="the columns whose values are the strata")
    parser.add_argument("--salt", default="")
    parser.add_argument("--fractions", required=True, help="JSON: [[part, fraction], ...]")
    parser.add_argument("--out", required=True)
    options = parser.parse_args(arguments)

    table = tables.read_tree(options.tree, dict.fromkeys([*options.key, *options.on]))
    parts = assign(table, options.key, options.on, options.salt, dict(json.loads(options.fractions)))
    # The order of the rows must not reach the bytes: by place of the key's hash, then by the key.
    assigned = table.select(options.key).append_column("part", pa.array(parts, pa.string()))
    texts = predicates.row_texts(table, options.key)
    order = sorted(range(table.num_rows), key=lambda row: (texts[row], parts[row]))
    tables.write_partition(assigned.take(pa.array(order, pa.int64())), Path(options.out) / tables.WHOLE)


def assign(
    table: pa.Table, key: Sequence[str], on: Sequence[str], salt: str, fractions: Mapping[str, float]
) -> list[str | None]:
    """The part of each row (nothing beyond the fractions' sum): in each stratum, rows in the order of their hash."""
    places = predicates.hash_places(table, key, salt)
    texts = predicates.row_texts(table, key)
    strata: dict[str, list[int]] = {}
    for row, stratum in enumerate(predicates.row_texts(table, on)):
        strata.setdefault(stratum, []).append(row)
    bounds = np.cumsum(list(fractions.values()))
    parts: list[str | None] = [None] * table.num_rows
    for rows in strata.values():
        ordered = sorted(rows, key=lambda row: (places[row], texts[row]))
        start = 0
        for name, bound in zip(fractions, bounds, strict=True):
            end = round(float(bound) * len(ordered))
            for row in ordered[start:end]:
                parts[row] = name
            start = end
    return parts
