"""Which rows of a table belong to a part of a split. A predicate is a small JSON value; see `member_mask`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rules.ml.tools import canonical, tables
from rules.ml.tools.failure import ToolError, and_list

SEPARATOR = "\x1f"


def load(path: str | Path) -> dict[str, object]:
    """The predicate in a file."""
    value = canonical.read(path)
    assert isinstance(value, dict)
    return value


def member_mask(table: pa.Table, predicate: Mapping[str, object], assignments: pa.Table | None = None) -> np.ndarray:
    """True for the rows of the part.

    `{"kind": "range", "columns": [c], "from": a, "to": b}`: from a to b, both within; null leaves an end open.
    `{"kind": "hash", "columns": [...], "salt": s, "from": x, "to": y}`: the columns' hash, as a number in [0, 1),
    lies in [x, y); with `"negate": true`, outside.
    `{"kind": "assigned", "columns": [...], "part": p}`: `assignments` has the row's key with this part.
    """
    columns = [str(each) for each in _list(predicate["columns"])]
    absent = [name for name in columns if name not in table.column_names]
    if absent:
        raise ToolError(
            "split-column-missing",
            f"the split decides by {and_list(columns)}, but the rows have no column {and_list(absent)}",
            notes=[f"they have {and_list(table.column_names)}"],
            hint="keep the split's columns in the rows that are split",
        )
    if predicate["kind"] == "range":
        return _in_range(table.column(columns[0]), predicate.get("from"), predicate.get("to"))
    if predicate["kind"] == "hash":
        low, high = predicate["from"], predicate["to"]
        assert isinstance(low, (int, float)) and isinstance(high, (int, float))
        places = hash_places(table, columns, str(predicate["salt"]))
        inside = (places >= low) & (places < high)
        return ~inside if predicate.get("negate") else inside
    assert predicate["kind"] == "assigned" and assignments is not None
    chosen = assignments.filter(pc.equal(assignments.column("part"), str(predicate["part"])))
    keys = set(row_texts(chosen, columns))
    return np.fromiter((text in keys for text in row_texts(table, columns)), dtype=bool, count=table.num_rows)


def hash_places(table: pa.Table, columns: Sequence[str], salt: str) -> np.ndarray:
    """A place in [0, 1) for each row, decided by the values of `columns` and the salt and nothing else."""
    known: dict[str, float] = {}
    places = np.empty(table.num_rows)
    for row, text in enumerate(row_texts(table, columns)):
        place = known.get(text)
        if place is None:
            digest = hashlib.sha256(f"{salt}{SEPARATOR}{text}".encode()).digest()
            place = known[text] = (int.from_bytes(digest[:8], "big") >> 11) / (1 << 53)
        places[row] = place
    return places


def row_texts(table: pa.Table, columns: Sequence[str]) -> list[str]:
    """One text for each row's values of `columns`: equal values, equal texts, whatever their Arrow types."""
    spelled = [[_spell(value) for value in table.column(name).to_pylist()] for name in columns]
    return [SEPARATOR.join(values) for values in zip(*spelled, strict=True)]


def select(tree: str, predicate: Mapping[str, object], assignments: pa.Table | None) -> list[tuple[str, pa.Table]]:
    """The rows of the part, partition by partition, without the partitions that have none."""
    chosen = []
    for partition in tables.partition_names(tree):
        table = tables.read_partition(Path(tree) / partition)
        mask = member_mask(table, predicate, assignments)
        if mask.any():
            chosen.append((partition, table if mask.all() else table.filter(pa.array(mask))))
    return chosen


def _in_range(column: pa.ChunkedArray, low: object, high: object) -> np.ndarray:
    unique = column.unique()
    values = unique.to_pylist()
    inside = [
        value is not None
        and (low is None or _comparable(value, low) >= _comparable(low, low))  # type: ignore[operator]
        and (high is None or _comparable(value, high) <= _comparable(high, high))  # type: ignore[operator]
        for value in values
    ]
    members = unique.filter(pa.array(inside))
    return pc.is_in(column, value_set=members).to_numpy(zero_copy_only=False).astype(bool)


def _comparable(value: object, bound: object) -> object:
    """A number against a number; against text, as text cut to its length: "2013-09" holds all of September."""
    if isinstance(bound, str):
        text = value.isoformat() if hasattr(value, "isoformat") else str(value)
        return text[: len(bound)]
    if not isinstance(value, (int, float)):
        raise ToolError(
            "bad-bound",
            f"the split's bound {bound!r} is a number, but the column holds {value!r}",
            hint='write the bound as text, for example "2013-09"',
        )
    return value


def _spell(value: object) -> str:
    if value is None:
        return "\x00"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _list(value: object) -> list[object]:
    assert isinstance(value, list)
    return value
