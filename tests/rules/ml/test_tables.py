"""Table trees: one file for each column, canonical bytes."""

from pathlib import Path

import pytest

pa = pytest.importorskip("pyarrow")

from rules.ml.tools import tables  # noqa: E402
from rules.ml.tools.failure import ToolError  # noqa: E402


def digest_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.parquet"))}


def test_a_column_is_a_file_of_its_own(tmp_path: Path) -> None:
    tables.write_partition(pa.table({"a": [1, 2], "b": ["x", None]}), tmp_path / "all")
    assert sorted(digest_of(tmp_path)) == ["all/a.parquet", "all/b.parquet"]
    assert tables.read_partition(tmp_path / "all", ["b", "a"]).to_pydict() == {"b": ["x", None], "a": [1, 2]}


def test_bytes_depend_on_values_and_not_on_how_they_are_held(tmp_path: Path) -> None:
    whole = pa.table({"a": ["x", "y", "x", None], "n": [1, 2, 3, 4]})
    chunked = pa.concat_tables([whole.slice(0, 1), whole.slice(1, 3)])
    coded = whole.set_column(0, "a", whole.column("a").dictionary_encode())
    marked = whole.replace_schema_metadata({"pandas": "{}"})
    folders = []
    for index, table in enumerate((whole, chunked, coded, marked)):
        tables.write_partition(table, tmp_path / str(index))
        folders.append(digest_of(tmp_path / str(index)))
    assert folders[1:] == folders[:1] * 3


def test_partitions_stand_in_natural_order(tmp_path: Path) -> None:
    for name in ("month=10", "month=02", "month=9"):
        (tmp_path / name).mkdir()
    assert tables.partition_names(tmp_path) == ("month=02", "month=9", "month=10")


def test_a_partitions_name_does_not_depend_on_other_partitions() -> None:
    assert tables.partition_name(["month"], [1]) == "month=01"
    assert tables.partition_name(["year", "city"], [2013, "São/Paulo"]) == "year=2013,city=S%C3%A3o%2FPaulo"
    assert tables.partition_name([], []) == "all"


def test_partitions_that_differ_in_a_type_are_named(tmp_path: Path) -> None:
    with pytest.raises(ToolError) as caught:
        tables.concatenate([("a", pa.table({"x": [1]})), ("b", pa.table({"x": ["1"]}))], "features")
    assert caught.value.message == "column `x` of `features` is int64 in partition `a` and string in `b`"


def test_a_column_of_nulls_goes_with_any_type() -> None:
    table = tables.concatenate([("a", pa.table({"x": [1]})), ("b", pa.table({"x": pa.nulls(1)}))], "features")
    assert table.to_pydict() == {"x": [1, None]}
