"""The rows of one part of a split, as a table tree; with `--flat`, as one partition."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from rules.ml.tools import predicates, tables
from rules.ml.tools.failure import ToolError


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="split_rows")
    parser.add_argument("--part", required=True, help="how people call the part: `//data:by_time.train`")
    parser.add_argument("--tree", required=True)
    parser.add_argument("--predicate", required=True)
    parser.add_argument("--assignments", help="a table tree")
    parser.add_argument("--flat", action="store_true")
    parser.add_argument("--out", required=True)
    options = parser.parse_args(arguments)

    assignments = tables.read_tree(options.assignments) if options.assignments else None
    chosen = predicates.select(options.tree, predicates.load(options.predicate), assignments)
    if not chosen:
        raise ToolError(
            "empty-part",
            f"the part `{options.part}` has no row of `{options.tree}`",
            hint="look at the split's bounds or fractions, and at the values of its column",
        )
    if options.flat:
        tables.write_partition(tables.concatenate(chosen, options.tree), Path(options.out) / tables.WHOLE)
        return
    for partition, table in chosen:
        tables.write_partition(table, Path(options.out) / partition)
