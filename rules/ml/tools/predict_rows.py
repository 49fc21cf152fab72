"""Runs a predict function on rows; writes one score for each of them, in their order."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from rules.ml.tools import canonical, predictions, seeds, tables
from rules.ml.tools.named_inputs import named_files
from rules.ml.tools.user_code import Call, TableInput, run


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="predict_rows")
    parser.add_argument("--label", required=True, help="the target of the model")
    parser.add_argument("--fn", required=True)
    parser.add_argument("--rows", required=True)
    parser.add_argument("--model")
    parser.add_argument("--params", required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--file", action="append", default=[])
    parser.add_argument("--out", required=True)
    options = parser.parse_args(arguments)

    rows = tables.read_tree(options.rows)
    call = Call(options.label, "features", tables={"rows": TableInput(rows, Path(options.rows) / tables.WHOLE)})
    seed = seeds.derive(options.seed, options.label, "predict")
    call.values |= named_files(options.file) | {"params": canonical.read(options.params), "seed": seed}
    if options.model:
        call.values["model"] = Path(options.model)
    scores = predictions.as_scores(run(options.fn, call, seed), rows.num_rows, options.fn)
    predictions.write(scores, options.out)
