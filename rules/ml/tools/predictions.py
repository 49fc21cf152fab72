"""Predictions: a table tree with one column, a score for each row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from rules.ml.tools import tables
from rules.ml.tools.failure import ToolError

COLUMN = "prediction"


def write(scores: np.ndarray, tree: str) -> None:
    tables.write_partition(pa.table({COLUMN: pa.array(scores)}), Path(tree) / tables.WHOLE)


def read(tree: str) -> np.ndarray:
    """The scores, in the order of the rows."""
    scores: np.ndarray = tables.read_tree(tree, [COLUMN]).column(0).to_numpy(zero_copy_only=False)
    return scores


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
