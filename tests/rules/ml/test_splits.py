"""Splits: which rows belong to which part."""

import datetime
import json
from pathlib import Path

import pytest

np = pytest.importorskip("numpy")
pa = pytest.importorskip("pyarrow")

from rules.ml.tools import assign_parts, check_split, predicates, split_rows, tables  # noqa: E402
from rules.ml.tools.failure import ToolError  # noqa: E402

TRAIN = {"kind": "hash", "columns": ["id"], "salt": "s", "from": 0.0, "to": 0.8}
TEST = {"kind": "hash", "columns": ["id"], "salt": "s", "from": 0.8, "to": 1.0}


def test_a_hash_split_never_reshuffles_when_rows_are_appended() -> None:
    before = pa.table({"id": list(range(1000))})
    after = pa.table({"id": list(range(1500))})
    old, new = (predicates.member_mask(each, TRAIN) for each in (before, after))
    assert (new[:1000] == old).all()
    assert 1150 < new.sum() < 1250
    assert (predicates.member_mask(after, TEST) == ~new).all()


def test_a_hash_split_decides_by_value_and_not_by_type_or_salt_of_another() -> None:
    assert predicates.hash_places(pa.table({"id": [1, 2]}), ["id"], "s").tolist() == [
        0.8859611142262,
        0.30649527170999646,
    ]
    narrow = pa.table({"id": pa.array([1, 2], pa.int8())})
    assert (
        predicates.hash_places(narrow, ["id"], "s") == predicates.hash_places(pa.table({"id": [1, 2]}), ["id"], "s")
    ).all()
    assert (predicates.hash_places(narrow, ["id"], "t") != predicates.hash_places(narrow, ["id"], "s")).all()


def test_a_range_takes_both_ends() -> None:
    table = pa.table({"month": [8, 9, 10, 11, None]})
    mask = predicates.member_mask(table, {"kind": "range", "columns": ["month"], "from": 9, "to": 10})
    assert mask.tolist() == [False, True, True, False, False]


def test_a_bound_written_as_a_month_holds_all_of_it() -> None:
    days = [datetime.date(2013, 8, 31), datetime.date(2013, 9, 30), datetime.date(2013, 10, 1)]
    predicate = {"kind": "range", "columns": ["day"], "from": None, "to": "2013-09"}
    assert predicates.member_mask(pa.table({"day": days}), predicate).tolist() == [True, True, False]


def test_a_number_as_the_bound_of_a_date_is_refused() -> None:
    table = pa.table({"day": [datetime.date(2013, 8, 31)]})
    with pytest.raises(ToolError, match="the split's bound 9 is a number, but the column holds"):
        predicates.member_mask(table, {"kind": "range", "columns": ["day"], "from": 9, "to": None})


def test_the_rows_must_have_the_splits_columns() -> None:
    with pytest.raises(ToolError, match="the rows have no column `id`"):
        predicates.member_mask(pa.table({"x": [1]}), TRAIN)


def test_strata_are_shared_out_in_the_same_proportions() -> None:
    table = pa.table({"id": list(range(100)), "kind": ["rare"] * 10 + ["usual"] * 90})
    parts = assign_parts.assign(table, ["id"], ["kind"], "s", {"train": 0.8, "test": 0.2})
    assert [parts[:10].count(each) for each in ("train", "test")] == [8, 2]
    assert [parts[10:].count(each) for each in ("train", "test")] == [72, 18]
    backwards = table.take(pa.array(range(99, -1, -1)))
    assert assign_parts.assign(backwards, ["id"], ["kind"], "s", {"train": 0.8, "test": 0.2}) == parts[::-1]


def test_a_part_keeps_the_partitions_that_have_its_rows(tmp_path: Path) -> None:
    for month in (1, 2):
        tables.write_partition(pa.table({"month": [month] * 2}), tmp_path / "tree" / f"month=0{month}")
    (tmp_path / "p.json").write_text('{"kind": "range", "columns": ["month"], "from": 2, "to": 2}')
    common = ["--part", ":s.late", "--tree", str(tmp_path / "tree"), "--predicate", str(tmp_path / "p.json")]
    split_rows.main([*common, "--out", str(tmp_path / "out")])
    assert tables.partition_names(tmp_path / "out") == ("month=02",)
    (tmp_path / "p.json").write_text('{"kind": "range", "columns": ["month"], "from": 3, "to": 3}')
    with pytest.raises(ToolError, match=r"the part `:s\.late` has no row of"):
        split_rows.main([*common, "--out", str(tmp_path / "none")])


def test_what_a_split_requires_is_checked(tmp_path: Path) -> None:
    parts = {"train": pa.table({"plane": ["a", "b"]}), "test": pa.table({"plane": ["b"]})}
    assert check_split.find_problems(parts, {"min_rows": 2, "disjoint": ["plane"]}) == [
        "part `test` has 1 rows, fewer than 2",
        "1 values of `plane` are in `train` and in `test`, such as 'b'",
    ]
    assert json.loads("[]") == check_split.find_problems(parts, {})
