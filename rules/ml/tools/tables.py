"""Table trees: `<partition>/<column>.parquet`, one file for each column of each partition, canonical bytes.

A column is a file, so that an action which declares three columns of one partition has three files as its input.
Rows have the same order in every column of a partition. An unpartitioned table has one partition, `all`.
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from rules.ml.tools.failure import ToolError, and_list

WHOLE = "all"
SAFE = " +@"
"""What may stand in a file's name beside letters, digits and `_.-~`."""


def partition_names(tree: str | Path) -> tuple[str, ...]:
    """The partitions of a tree in their natural order: numbers by value, not by spelling."""
    return tuple(sorted((each.name for each in Path(tree).iterdir() if each.is_dir()), key=natural_order))


def natural_order(name: str) -> tuple[tuple[int, int, str], ...]:
    """A sort key under which `month=2` stands before `month=10`."""
    parts = re.split(r"([0-9]+)", name)
    return tuple((1, int(part), "") if part.isdigit() else (0, 0, part) for part in parts)


def partition_name(columns: Sequence[str], values: Sequence[object]) -> str:
    """The folder's name: `month=01`, or `year=2013,month=01` for two columns."""
    return ",".join(f"{_quote(name)}={_spell(value)}" for name, value in zip(columns, values, strict=True)) or WHOLE


def column_file(column: str) -> str:
    return f"{_quote(column)}.parquet"


def column_names(partition: str | Path) -> tuple[str, ...]:
    """The columns that a partition's folder holds, sorted by name."""
    files = Path(partition).glob("*.parquet")
    return tuple(sorted(urllib.parse.unquote(each.name.removesuffix(".parquet")) for each in files))


def read_partition(folder: str | Path, columns: Iterable[str] | None = None) -> pa.Table:
    """The columns asked for, in that order; without, all that the folder holds, sorted by name."""
    names = tuple(columns) if columns is not None else column_names(folder)
    read = {name: _read_column(Path(folder), name) for name in names}
    lengths = {len(column) for column in read.values()}
    if len(lengths) > 1:
        raise ToolError("ragged-table", f"the columns of `{folder}` have different numbers of rows: {sorted(lengths)}")
    return pa.table(read)


def read_tree(tree: str | Path, columns: Iterable[str] | None = None) -> pa.Table:
    """All partitions of a tree, one after the other in natural order."""
    names = tuple(columns) if columns is not None else None
    return concatenate([(each, read_partition(Path(tree) / each, names)) for each in partition_names(tree)], str(tree))


def concatenate(parts: Sequence[tuple[str, pa.Table]], what: str) -> pa.Table:
    """One table of all parts, which must agree in their columns and types (a column of nulls agrees with any)."""
    if not parts:
        raise ToolError("empty-table", f"`{what}` has no partition")
    first_name, first = parts[0]
    for name, part in parts[1:]:
        if set(part.column_names) != set(first.column_names):
            missing = sorted(set(first.column_names) ^ set(part.column_names))
            raise ToolError(
                "columns-differ", f"partitions `{first_name}` and `{name}` of `{what}` differ in {and_list(missing)}"
            )
        for column in first.column_names:
            types = (first.schema.field(column).type, part.schema.field(column).type)
            if types[0] != types[1] and pa.null() not in types:
                raise ToolError(
                    "types-differ",
                    f"column `{column}` of `{what}` is {types[0]} in partition `{first_name}` "
                    f"and {types[1]} in `{name}`",
                    hint="cast it in the function that makes it, for example to `pa.float64()`",
                )
    tables = [part.select(first.column_names) for _, part in parts]
    return pa.concat_tables(tables, promote_options="default").combine_chunks()


def write_partition(table: pa.Table, folder: str | Path) -> None:
    """Writes each column as a file of canonical bytes."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name in table.column_names:
        _write_column(name, table.column(name), Path(folder) / column_file(name))


def _write_column(name: str, column: pa.ChunkedArray, path: Path) -> None:
    # The bytes depend on the values and the writer's version alone: one chunk, plain types, no metadata
    # (pandas leaves some), no statistics, fixed sizes.
    pq.write_table(
        pa.table({name: _plain(column)}),
        path,
        version="2.6",
        compression="zstd",
        compression_level=3,
        use_dictionary=True,
        dictionary_pagesize_limit=1 << 20,
        data_page_size=1 << 20,
        data_page_version="1.0",
        row_group_size=1 << 20,
        write_statistics=False,
        write_page_index=False,
        store_schema=True,
    )


def _plain(column: pa.ChunkedArray) -> pa.Array:
    """One chunk without dictionaries or views: how the values are held must not reach the bytes."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if column.type == pa.string_view():
        column = column.cast(pa.string())
    elif column.type == pa.binary_view():
        column = column.cast(pa.binary())
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def _read_column(folder: Path, name: str) -> pa.ChunkedArray:
    path = folder / column_file(name)
    try:
        return pq.ParquetFile(path).read().column(0)
    except FileNotFoundError:
        raise ToolError(
            "no-such-column",
            f"`{folder.parent.name}` has no column `{name}` in partition `{folder.name}`",
            notes=[f"it has {and_list(column_names(folder))}"],
        ) from None


def _quote(text: str) -> str:
    return urllib.parse.quote(text, safe=SAFE)


def _spell(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value:02d}"
    return _quote(str(value))
