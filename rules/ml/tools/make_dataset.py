"""Partitions a source into a table tree: reads it, gives each column its declared type, checks the key, writes."""

from __future__ import annotations

import argparse
import io
import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from rules.ml.tools import tables
from rules.ml.tools.column_types import column_type
from rules.ml.tools.failure import ToolError, and_list, did_you_mean
from rules.ml.tools.sources import read_source


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="make_dataset")
    parser.add_argument("--label", required=True)
    parser.add_argument("--source", action="append", required=True)
    parser.add_argument("--member", default="")
    parser.add_argument("--format", required=True, choices=["csv", "jsonl", "parquet", "arrow"])
    parser.add_argument("--schema", required=True, help="JSON: {column: type}")
    parser.add_argument("--null", action="append", default=[])
    parser.add_argument("--key", action="append", default=[])
    parser.add_argument("--partition_by", action="append", default=[])
    parser.add_argument("--sort_by", action="append", default=[])
    parser.add_argument("--out", required=True)
    options = parser.parse_args(arguments)

    schema: dict[str, str] = json.loads(options.schema)
    parts = [
        (source, read_table(read_source(source, options.member), options.format, schema, options.null, source))
        for source in options.source
    ]
    table = tables.concatenate(parts, options.label)
    check_key(table, options.key, options.label)
    write_partitions(table, options.partition_by, options.sort_by, options.out)


def read_table(data: bytes, form: str, schema: dict[str, str], nulls: Sequence[str], source: str) -> pa.Table:
    """The columns of `schema`, in its order, with its types. Columns that the schema leaves out are left out."""
    try:
        raw = _READERS[form](data, nulls)
    except pa.ArrowInvalid as error:
        raise ToolError("unreadable-source", f"`{source}` cannot be read as {form}: {error}") from None
    for name in schema:
        if name not in raw.column_names:
            meant = did_you_mean(name, raw.column_names)
            raise ToolError(
                "no-such-column",
                f"`{source}` has no column `{name}`, which `schema` declares",
                hint=f"did you mean `{meant}`?" if meant else f"it has {and_list(raw.column_names)}",
            )
    return pa.table({name: cast(raw.column(name), name, schema[name], source) for name in schema})


def cast(column: pa.ChunkedArray, name: str, type_name: str, source: str) -> pa.ChunkedArray:
    """The column with its declared type. Raises ToolError with the row and the value that has no such reading."""
    kind = column_type(type_name, name)
    if column.type == kind:
        return column
    try:
        return column.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        row, value = _first_bad(column, kind)
        raise ToolError(
            "bad-cell",
            f"column `{name}` of `{source}`, row {row}: {value!r} is no {type_name}",
            notes=["rows are counted from 1, without the header"],
            hint=f"mend the row, give `{name}` another type in `schema`, or name the value in `null_values`",
        ) from None


def check_key(table: pa.Table, key: Sequence[str], label: str) -> None:
    """Raises ToolError unless each row has a key of its own, without nulls."""
    if not key:
        return
    for name in key:
        if nulls := table.column(name).null_count:
            raise ToolError("null-in-key", f"key column `{name}` of {label} is null in {nulls:,} rows")
    counts = table.select(list(key)).group_by(list(key), use_threads=False).aggregate([([], "count_all")])
    twice = counts.filter(pc.greater(counts.column("count_all"), 1))
    if twice.num_rows:
        examples = [
            ", ".join(f"{name} = {row[name]}" for name in key) + f": {row['count_all']} rows"
            for row in twice.slice(0, 3).to_pylist()
        ]
        raise ToolError(
            "key-not-unique",
            f"{twice.num_rows:,} values of the key ({', '.join(key)}) of {label} belong to more than one row",
            notes=examples,
        )


def write_partitions(table: pa.Table, partition_by: Sequence[str], sort_by: Sequence[str], out: str) -> None:
    """Writes the tree: within a partition by `sort_by`, rows that are equal there in the source's order."""
    Path(out).mkdir(parents=True, exist_ok=True)
    if sort_by:
        table = table.take(pc.sort_indices(table, [(name, "ascending") for name in sort_by]))
    if not partition_by:
        tables.write_partition(table, Path(out) / tables.WHOLE)
        return
    for name in partition_by:
        if nulls := table.column(name).null_count:
            raise ToolError("null-partition", f"partition column `{name}` is null in {nulls:,} rows")
        if pa.types.is_floating(table.schema.field(name).type):
            raise ToolError(
                "float-partition", f"partition column `{name}` is a float: partition by int, string or date"
            )
    groups = table.select(list(partition_by)).group_by(list(partition_by), use_threads=False).aggregate([])
    for values in groups.to_pylist():
        mask = None
        for name in partition_by:
            equal = pc.equal(table.column(name), pa.scalar(values[name], table.schema.field(name).type))
            mask = equal if mask is None else pc.and_(mask, equal)
        folder = tables.partition_name(partition_by, [values[name] for name in partition_by])
        tables.write_partition(table.filter(mask), Path(out) / folder)


def _read_csv(data: bytes, nulls: Sequence[str]) -> pa.Table:
    header = pa.csv.open_csv(io.BytesIO(data), parse_options=pa.csv.ParseOptions(newlines_in_values=True)).schema.names
    # Every cell as text first: a bad one can then be named by its row and value.
    convert = pa.csv.ConvertOptions(
        column_types=dict.fromkeys(header, pa.string()), null_values=list(nulls), strings_can_be_null=True
    )
    parse = pa.csv.ParseOptions(newlines_in_values=True)
    return pa.csv.read_csv(io.BytesIO(data), parse_options=parse, convert_options=convert)


def _read_jsonl(data: bytes, nulls: Sequence[str]) -> pa.Table:
    from pyarrow.json import read_json

    return read_json(io.BytesIO(data))


def _read_parquet(data: bytes, nulls: Sequence[str]) -> pa.Table:
    return pq.read_table(io.BytesIO(data))


def _read_arrow(data: bytes, nulls: Sequence[str]) -> pa.Table:
    try:
        return pa.ipc.open_file(io.BytesIO(data)).read_all()
    except pa.ArrowInvalid:
        return pa.ipc.open_stream(io.BytesIO(data)).read_all()


_READERS = {"csv": _read_csv, "jsonl": _read_jsonl, "parquet": _read_parquet, "arrow": _read_arrow}


def _first_bad(column: pa.ChunkedArray, kind: pa.DataType) -> tuple[int, object]:
    """The row (from 1) and the value that cannot be cast: by halves, since casting is quick and rows are many."""
    low, high = 0, len(column)
    while high - low > 1:
        middle = (low + high) // 2
        try:
            column.slice(low, middle - low).cast(kind)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            high = middle
        else:
            low = middle
    return low + 1, column[low].as_py()
