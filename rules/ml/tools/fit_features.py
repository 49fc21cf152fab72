"""Runs a `fit` function once, on the rows of one part of a split only, and writes what it learned."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from rules.ml.tools import canonical, predicates, seeds, tables
from rules.ml.tools.failure import ToolError
from rules.ml.tools.named_inputs import named_files, read_inputs
from rules.ml.tools.user_code import Call, TableInput, as_table, run


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="fit_features")
    parser.add_argument("--label", required=True)
    parser.add_argument("--fn", required=True)
    parser.add_argument("--part", required=True, help="how people call the part")
    parser.add_argument("--table", action="append", default=[], help="NAME=PARTITION_FOLDER, of the split's rows")
    parser.add_argument("--join", action="append", default=[], help="NAME=PARTITION_FOLDER, given whole")
    parser.add_argument("--declared", action="append", default=[], help="NAME=COLUMN; others only decide the part")
    parser.add_argument("--file", action="append", default=[])
    parser.add_argument("--predicate", required=True)
    parser.add_argument("--assignments")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", required=True)
    options = parser.parse_args(arguments)

    predicate = predicates.load(options.predicate)
    assignments = tables.read_tree(options.assignments) if options.assignments else None
    declared: dict[str, list[str]] = {}
    for text in options.declared:
        name, _, column = text.partition("=")
        declared.setdefault(name, []).append(column)
    call = Call(options.label, "data", optional_tables=read_inputs(options.join))
    for name, given in read_inputs(options.table).items():
        mask = predicates.member_mask(given.table, predicate, assignments)
        if not mask.any():
            raise ToolError("empty-part", f"the part `{options.part}` has no row of `{name}` to fit on")
        rows = given.table.filter(pa.array(mask))
        call.tables[name] = TableInput(rows.select(declared[name]) if name in declared else rows)
    call.values.update(named_files(options.file))
    call.values["seed"] = seed = seeds.derive(options.seed, options.label, "fit")
    _write(run(options.fn, call, seed), options.fn, Path(options.out))


def _write(result: object, text: str, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    is_columns = isinstance(result, Mapping) and any(
        isinstance(each, (pa.Array, pa.ChunkedArray)) for each in result.values()
    )
    if isinstance(result, (dict, list, str, int, float)) and not is_columns:
        canonical.write(out / "fitted.json", result)
    else:
        tables.write_partition(as_table(result, text), out / tables.WHOLE)
