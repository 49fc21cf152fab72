"""Contracts: what breaks them is named with column, rule, count and example rows."""

import json
from pathlib import Path

import pytest

pa = pytest.importorskip("pyarrow")

from rules.ml.tools import check_contract, tables  # noqa: E402
from rules.ml.tools.failure import ToolError  # noqa: E402


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    first = pa.table({"day": [1, 2, 3], "carrier": ["UA", "XX", "AA"], "delay": [5, None, -2]})
    second = pa.table({"day": [4, 5, 6], "carrier": ["UA", "XX", "XX"], "delay": [None, 1, 900]})
    tables.write_partition(first, tmp_path / "tree" / "month=01")
    tables.write_partition(second, tmp_path / "tree" / "month=02")
    tables.write_partition(pa.table({"carrier": ["UA", "AA"]}), tmp_path / "airlines" / "all")
    return tmp_path / "tree"


def run(tree: Path, columns: object, *extra: str) -> str:
    place = tree.parent
    check_contract.main(
        [
            "--label",
            "//:checked",
            "--data",
            "//:d",
            "--tree",
            str(tree),
            "--columns",
            json.dumps(columns),
            "--key",
            "day",
            "--domain",
            f"{place}/airlines:carrier",
            "--stamp",
            str(place / "stamp"),
            "--findings",
            str(place / "findings"),
            *extra,
        ]
    )
    assert (place / "stamp").read_bytes() == b""
    return (place / "findings").read_text()


def test_a_contract_that_holds_writes_a_constant_stamp(tree: Path) -> None:
    findings = run(tree, {"carrier": {"not_null": True}, "delay": {"max_null_rate": 0.5, "min": -10}})
    assert findings == "//:checked: 6 rows, 3 rules: all hold\n"


def test_an_unknown_carrier_is_shown_with_three_rows(tree: Path) -> None:
    with pytest.raises(ToolError) as caught:
        run(tree, {"carrier": {"in": {"domain": 0}}})
    assert caught.value.render() == (
        "error[contract-broken]: //:d breaks its contract //:checked: 1 rule of the contract does not hold\n"
        "  column `carrier`: in: 3 values outside the domain of 2: 'XX'\n"
        "      day  carrier\n"
        "      2    XX\n"
        "      5    XX\n"
        "      6    XX\n"
        "  hint: mend the data or its source, or, if the data are right, change the contract"
    )


def test_a_null_rate_and_a_range_are_told_with_their_numbers(tree: Path) -> None:
    with pytest.raises(ToolError) as caught:
        run(tree, {"delay": {"max_null_rate": 0.25, "max": 100}}, "--rows", '{"min": 10}')
    heads = [note.split("\n")[0] for note in caught.value.notes]
    assert heads == [
        "rows.min: 6 rows, fewer than 10",
        "column `delay`: max_null_rate: 0.3333 of the values are null (2 of 6), more than 0.25",
        "column `delay`: max: 1 value above 100",
    ]


def test_a_repeated_value_and_a_wrong_type_are_found(tree: Path) -> None:
    with pytest.raises(ToolError) as caught:
        run(tree, {"carrier": {"unique": True}, "day": {"type": "int8"}})
    heads = [note.split("\n")[0] for note in caught.value.notes]
    assert heads == [
        "column `carrier`: unique: 5 rows with a value that another row has",
        "column `day`: type: it is int64, not int8",
    ]


def test_quarantine_moves_the_rows_that_break_a_rule(tree: Path) -> None:
    place = tree.parent
    extra = ["--on_fail", "quarantine", "--clean", str(place / "clean"), "--quarantined", str(place / "bad")]
    findings = run(tree, {"carrier": {"in": ["UA", "AA"]}, "delay": {"max": 100}}, *extra)
    assert findings.startswith("//:checked: 6 rows, 2 rules: 2 violations (quarantine)\n")
    assert tables.read_tree(place / "clean", ["day"]).to_pydict() == {"day": [1, 3, 4]}
    assert tables.read_tree(place / "bad", ["day"]).to_pydict() == {"day": [2, 5, 6]}


def test_warn_goes_on_and_says_so(tree: Path) -> None:
    findings = run(tree, {"delay": {"not_null": True}}, "--on_fail", "warn")
    assert "1 violation (warn)\ncolumn `delay`: not_null: 2 nulls\n" in findings


def _with_time(tree: Path, column: object) -> Path:
    tables.write_partition(pa.table({"day": [1, 2, 3], "at": column}), tree.parent / "timed" / "all")
    return tree.parent / "timed"


def _fresh(as_of: str, days: float) -> dict[str, object]:
    return {"at": {"freshness": {"as_of": as_of, "max_age_days": days}}}


def test_data_are_fresh_as_of_a_day_that_is_written_down(tree: Path) -> None:
    seconds = pa.array([1_388_448_000, None, 1_388_361_600], pa.timestamp("s", "UTC"))  # until 31 December 2013
    timed = _with_time(tree, seconds)
    assert run(timed, _fresh("2014-01-10", 10)).endswith("1 rule: all hold\n")
    with pytest.raises(ToolError) as caught:
        run(timed, _fresh("2014-01-10", 9))
    assert (
        "column `at`: freshness: the latest value is 2013-12-31T00:00:00Z, 10.0 days before 2014-01-10, more than 9"
        in caught.value.render()
    )


def test_a_date_can_be_fresh_and_nothing_at_all_is_not(tree: Path) -> None:
    assert "all hold" in run(_with_time(tree, pa.array([16_000, 16_001, 16_002], pa.date32())), _fresh("2013-10-25", 1))
    with pytest.raises(ToolError) as caught:
        run(_with_time(tree, pa.array([None, None, None], pa.date32())), _fresh("2013-10-25", 1))
    assert "freshness: there is no value at all" in caught.value.render()


def test_freshness_of_what_is_no_time_is_refused(tree: Path) -> None:
    with pytest.raises(ToolError) as caught:
        run(tree, {"delay": {"freshness": {"as_of": "2013-10-25", "max_age_days": 1}}})
    assert "it is int64, not a time" in caught.value.render()


def test_a_column_that_moved_from_its_reference_has_drifted(tree: Path) -> None:
    with pytest.raises(ToolError) as caught:
        run(tree, {"carrier": {"drift": {"domain": 0, "max_psi": 0.2}}})
    # Half of the rows are `XX`, which the reference lacks: (1/2 - 1e-4) ln(1/2 / 1e-4), and what that takes from the others.
    assert "column `carrier`: drift: its population stability index is " in caught.value.render()
    assert ", more than 0.2" in caught.value.render()


@pytest.mark.parametrize("kind", [pa.int64(), pa.float64(), pa.timestamp("s", "UTC")])
def test_the_stability_index_is_nothing_for_the_same_numbers_and_large_for_others(kind: object) -> None:
    from rules.ml.tools.contract_rules import stability_index

    reference = pa.chunked_array([pa.array(range(1000), pa.int64()).cast(kind)])
    moved = pa.chunked_array([pa.array(range(900, 1900), pa.int64()).cast(kind)])
    assert stability_index(reference, reference) == 0.0
    assert stability_index(moved, reference) > 1.0


def test_the_stability_index_of_a_known_shift() -> None:
    from rules.ml.tools.contract_rules import stability_index

    reference = pa.chunked_array([["a"] * 50 + ["b"] * 50])
    shifted = pa.chunked_array([["a"] * 60 + ["b"] * 40])
    # (0.6 - 0.5) ln(0.6 / 0.5) + (0.4 - 0.5) ln(0.4 / 0.5) = 0.0405465...
    assert stability_index(shifted, reference) == pytest.approx(0.040546510810816, abs=1e-12)
