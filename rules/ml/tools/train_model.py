"""Runs a training function on the selected rows; it writes the model's folder and returns its metrics."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from rules.ml.tools import canonical, seeds, tables
from rules.ml.tools.failure import ToolError
from rules.ml.tools.named_inputs import named_files
from rules.ml.tools.user_code import Call, TableInput, run


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="train_model")
    parser.add_argument("--label", required=True, help="the target")
    parser.add_argument("--fn", required=True)
    parser.add_argument("--train", required=True)
    parser.add_argument("--valid")
    parser.add_argument("--params", required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--label_column", default="")
    parser.add_argument("--query_column", action="append", default=[])
    parser.add_argument("--file", action="append", default=[])
    parser.add_argument("--out", required=True)
    parser.add_argument("--metrics", required=True)
    options = parser.parse_args(arguments)

    call = Call(options.label, "features", tables={"train": _rows(options.train)})
    if options.valid:
        call.tables["valid"] = _rows(options.valid)
    for name in [options.label_column, *options.query_column]:
        if name and name not in call.tables["train"].table.column_names:
            raise ToolError(
                "no-such-column",
                f"{options.label} names the column `{name}`, which its features do not have",
                notes=[f"they have {', '.join(call.tables['train'].table.column_names)}"],
            )
    seed = seeds.derive(options.seed, options.label, "train")
    out = Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    call.values |= named_files(options.file) | {
        "params": canonical.read(options.params),
        "seed": seed,
        "out": out,
        "label": options.label_column,
        "query": options.query_column,
    }
    metrics = run(options.fn, call, seed)
    if not isinstance(metrics, dict):
        raise ToolError(
            "no-metrics",
            f"`{options.fn}` returned `{type(metrics).__name__}`, not a dict of metrics",
            hint="return a dict, empty if there is nothing to say",
        )
    if not any(out.rglob("*")):
        raise ToolError(
            "empty-model", f"`{options.fn}` wrote nothing into `out`", hint="write the model's files below `out`"
        )
    canonical.write(options.metrics, metrics)


def _rows(tree: str) -> TableInput:
    return TableInput(tables.read_tree(tree), Path(tree) / tables.WHOLE)
