"""Runs a feature function on one partition (or on all), with what it declares, and writes its table."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from rules.ml.tools import canonical, seeds, tables
from rules.ml.tools.failure import ToolError
from rules.ml.tools.named_inputs import named_files, read_inputs
from rules.ml.tools.user_code import Call, TableInput, as_table, run


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="make_features")
    parser.add_argument("--label", required=True)
    parser.add_argument("--fn", required=True)
    parser.add_argument("--partition", required=True)
    parser.add_argument(
        "--table", action="append", default=[], help="NAME=PARTITION_FOLDER; repeated: one after the other"
    )
    parser.add_argument("--history", action="append", default=[], help="NAME=PARTITION_FOLDER, oldest first")
    parser.add_argument("--history_of", action="append", default=[], help="tables that have a history, even if empty")
    parser.add_argument("--file", action="append", default=[], help="NAME=FILE")
    parser.add_argument("--fitted", help="the folder that `fit_features` wrote")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", required=True)
    options = parser.parse_args(arguments)

    call = Call(options.label, "data", tables=read_inputs(options.table))
    history = read_inputs(options.history)
    for index, name in enumerate(options.history_of):
        rows = history.get(name) or TableInput(call.tables[name].table.slice(0, 0))
        call.optional_tables[f"{name}_history"] = rows
        if index == 0:
            call.optional_tables["history"] = rows
    call.values.update(named_files(options.file))
    seed = seeds.derive(options.seed, options.label, f"features {options.partition}")
    call.values |= {"partition": options.partition, "seed": seed}
    if options.fitted:
        add_fitted(call, Path(options.fitted))
    table = as_table(run(options.fn, call, seed), options.fn)
    if not table.num_columns:
        raise ToolError("no-columns", f"`{options.fn}` returned a table without columns")
    tables.write_partition(table, options.out)


def add_fitted(call: Call, folder: Path) -> None:
    """Offers what was fitted as `fitted`: a table, or a JSON value."""
    if (folder / "fitted.json").is_file():
        call.values["fitted"] = canonical.read(folder / "fitted.json")
    else:
        call.tables["fitted"] = TableInput(tables.read_partition(folder / tables.WHOLE), folder / tables.WHOLE)
