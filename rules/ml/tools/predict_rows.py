"""Runs a predict function on rows; writes one score for each of them, in their order."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from rules.ml.tools import canonical, seeds, tables
from rules.ml.tools.failure import ToolError
from rules.ml.tools.make_features import named_files
from rules.ml.tools.user_code import Call, TableInput, run

COLUMN = "prediction"


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
    scores = as_scores(run(options.fn, call, seed), rows.num_rows, options.fn)
    tables.write_partition(pa.table({COLUMN: pa.array(scores)}), Path(options.out) / tables.WHOLE)


def as_scores(result: object, count: int, text: str) -> np.ndarray:
    """The result as float64, one a row. Raises ToolError for another shape, or for NaN."""
    if isinstance(result, (pa.Array, pa.ChunkedArray)):
        result = result.to_numpy(zero_copy_only=False) if isinstance(result, pa.Array) else result.to_numpy()
    try:
        scores = np.asarray(result, dtype=np.float64)
    except (TypeError, ValueError):
        raise ToolError("no-scores", f"`{text}` returned `{type(result).__name__}`, not one number a row") from None
    if scores.shape != (count,):
        shape = " by ".join(str(each) for each in scores.shape) or "a single number"
        raise ToolError("no-scores", f"`{text}` returned {shape} for {count:,} rows: one number a row is wanted")
    if np.isnan(scores).any():
        row = int(np.flatnonzero(np.isnan(scores))[0])
        raise ToolError(
            "nan-score", f"`{text}` returned NaN for {int(np.isnan(scores).sum()):,} rows, first row {row + 1}"
        )
    return scores
