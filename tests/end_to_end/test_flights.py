"""What runs again after a change, on a small slice of the flights example: data, code, parameters, gates."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from types import ModuleType

import pytest

from tests.end_to_end.conftest import Workspace

ROUTE_WEEK = "//features:route_week"
RANKER = "//models:ranker"


def later(path: Path) -> None:
    """Moves a file's times, as an editor that saves without changes does."""
    now = time.time_ns() + 1_000_000_000
    os.utime(path, ns=(now, now))


def test_a_second_build_runs_nothing(built_flights: Workspace) -> None:
    again = built_flights.build("//...")
    assert (again.code, again.ran) == (0, [])
    assert again.finished.ran == 0


def test_removed_outputs_are_put_back_without_running_anything(built_flights: Workspace) -> None:
    before = (built_flights.output("models/ranker.metrics.json")).read_bytes()
    shutil.rmtree(built_flights.folder / "mlbuild-out")
    again = built_flights.build("//...")
    assert (again.code, again.ran) == (0, [])
    assert built_flights.output("models/ranker.metrics.json").read_bytes() == before


def test_an_edited_output_is_put_right(built_flights: Workspace) -> None:
    place = built_flights.output("models/ranker.metrics.json")
    before = place.read_bytes()
    place.chmod(0o644)
    place.write_text("{}")
    assert built_flights.build("//...").ran == []
    assert place.read_bytes() == before


def test_a_copy_elsewhere_with_the_same_cache_runs_nothing(built_flights: Workspace, tmp_path: Path) -> None:
    copy = built_flights.copy_to(tmp_path / "another user" / "and place")
    done = copy.build("//...")
    assert (done.code, done.ran) == (0, [])
    assert copy.output("models/ranker.metrics.json").exists()


def test_what_does_not_decide_an_output_runs_nothing(built_flights: Workspace) -> None:
    built_flights.edit("models/BUILD.ml", "model(", "# a comment\n\n\nmodel(")
    later(built_flights.folder / "features/route.py")
    built_flights.edit("features/BUILD.ml", '        "seats",\n', '"seats"')
    done = built_flights.build("//...")
    assert (done.code, done.ran) == (0, [])


def test_a_comment_in_a_function_runs_what_reads_it_and_nothing_after_an_equal_output(built_flights: Workspace) -> None:
    path = built_flights.folder / "features/route.py"
    path.write_text(path.read_text() + "\n# a remark\n")
    done = built_flights.build("//...")
    assert done.code == 0, done.failures
    assert set(done.ran) == {f"FitFeatures {ROUTE_WEEK}", f"MakeFeatures {ROUTE_WEEK}"}
    assert len(done.ran) == 5  # the fit, and four months


def test_a_cell_that_no_feature_declares_runs_no_feature(
    built_flights: Workspace, small_flights_module: ModuleType
) -> None:
    small_flights_module.edit_cell(built_flights.folder, "air_time", "109", "110", month=9)
    done = built_flights.build(RANKER)
    assert done.code == 0, done.failures
    assert done.ran == ["MakeDataset //data:flights"]


def test_a_changed_delay_runs_its_partition_and_its_window_and_trains_nothing_if_the_features_are_equal(
    built_flights: Workspace, small_flights_module: ModuleType
) -> None:
    small_flights_module.edit_cell(built_flights.folder, "arr_delay", "-5", "-1", month=11)
    done = built_flights.build(RANKER)
    assert done.code == 0, done.failures
    assert done.ran == [
        "CheckContract //data:checked",
        "MakeDataset //data:flights",
        f"MakeFeatures {ROUTE_WEEK}",  # November
        f"MakeFeatures {ROUTE_WEEK}",  # December, whose window reaches back to it
    ]


def test_an_appended_month_runs_its_partitions_only(
    tmp_path: Path, cache: Path, small_flights_module: ModuleType
) -> None:
    folder = small_flights_module.small_flights(tmp_path / "flights", months=(9, 10, 11))
    workspace = Workspace(folder, cache)
    first = workspace.build(RANKER)
    assert first.code == 0, first.failures
    small_flights_module.append_month(folder, 12)
    done = workspace.build(RANKER)
    assert done.code == 0, done.failures
    assert [action for action in done.ran if action.endswith(ROUTE_WEEK)] == [f"MakeFeatures {ROUTE_WEEK}"]
    assert "TrainModel //models:ranker" not in done.ran  # it trains on September


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("models/BUILD.ml", "seed = 7", "seed = 8"),
        ("models/BUILD.ml", '"num_leaves": 15', '"num_leaves": 14'),
    ],
)
def test_a_parameter_or_the_seed_trains_again_and_computes_no_feature(
    built_flights: Workspace, path: str, old: str, new: str
) -> None:
    built_flights.edit(path, old, new)
    done = built_flights.build("//...")
    assert done.code == 0, done.failures
    assert done.ran_targets == {RANKER, "//models:quality"}


def test_a_moved_gate_trains_and_measures_nothing(built_flights: Workspace) -> None:
    assert built_flights.test("//models:quality").code == 0
    built_flights.edit("models/BUILD.ml", '"min": 0.5', '"min": 0.51')
    done = built_flights.test("//models:quality")
    assert done.code == 0, done.errors
    assert done.ran == ["CheckGates //models:quality"]


def test_a_gate_that_fails_shows_the_slices_and_ends_with_code_3(built_flights: Workspace) -> None:
    built_flights.edit("models/BUILD.ml", '"min": 0.5', '"min": 0.9999')
    done = built_flights.test("//models:quality")
    assert done.code == 3
    verdict = done.tests["//models:quality"]
    assert verdict.status == "FAILED"
    assert "ndcg@3" in verdict.log and "0.9999" in verdict.log
    assert "EWR" in verdict.log and "origin" in verdict.log
    assert RANKER not in done.ran_targets


def test_an_unknown_carrier_breaks_the_contract_with_column_rule_count_and_examples(
    built_flights: Workspace, small_flights_module: ModuleType
) -> None:
    small_flights_module.edit_cell(built_flights.folder, "carrier", "UA", "ZZ", month=10)
    done = built_flights.build(RANKER)
    assert done.code == 1
    assert "carrier" in done.failures and "ZZ" in done.failures
    assert "1 value outside the domain of 16: 'ZZ'" in done.failures, done.failures
    assert not any(action.endswith((ROUTE_WEEK, RANKER)) for action in done.ran)


def test_too_many_nulls_break_the_contract(built_flights: Workspace) -> None:
    path = built_flights.folder / "data/flights.csv"
    header, *lines = path.read_text().splitlines()
    at = header.split(",").index("arr_delay")
    emptied = [
        ",".join("" if index == at and number % 3 == 0 else cell for index, cell in enumerate(line.split(",")))
        for number, line in enumerate(lines)
    ]
    path.write_text("\n".join([header, *emptied]) + "\n")
    done = built_flights.build(RANKER)
    assert done.code == 1
    assert "arr_delay" in done.failures and "max_null_rate" in done.failures
    assert "0.05" in done.failures


def test_a_contract_bounds_age_and_drift(built_flights: Workspace) -> None:
    contract = """
data_contract(
    name = "current",
    data = ":flights",
    freshness = {"time_hour": {"as_of": "2014-01-31", "max_age_days": 31.5}},
    drift = {"arr_delay": {"reference": ":flights.arr_delay", "max_psi": 0.01}},
)
"""
    build = built_flights.folder / "data/BUILD.ml"
    build.write_text(build.read_text() + contract)
    assert built_flights.build("//data:current").code == 0
    built_flights.edit("data/BUILD.ml", '"2014-01-31"', '"2014-03-01"')
    done = built_flights.build("//data:current")
    assert done.code == 1
    assert "column `time_hour`: freshness: the latest value is 2013-12-" in done.failures
    built_flights.edit("data/BUILD.ml", '"reference": ":flights.arr_delay", ', "")
    done = built_flights.build("//data:current")
    assert "takes reference" in done.errors or "write `LABEL.COLUMN`" in done.errors, done.errors


def test_a_function_that_opens_an_undeclared_file_is_told_how_to_declare_it(built_flights: Workspace) -> None:
    built_flights.write("features/holidays.csv", "day\n2013-12-25\n")
    built_flights.edit(
        "features/route.py",
        "def route_carrier_week(",
        "HOLIDAYS = open('features/holidays.csv').read()\n\n\ndef route_carrier_week(",
    )
    done = built_flights.build(ROUTE_WEEK)
    assert done.code == 1
    assert "features/holidays.csv" in done.failures
    assert "declare" in done.failures and "holidays.csv" in done.failures


def test_a_function_that_asks_for_an_undeclared_column_is_told_which(built_flights: Workspace) -> None:
    built_flights.edit(
        "features/route.py", "    last_day = days(flights).max()\n",
        "    last_day = days(flights).max()\n    flights.column('air_time')\n",
    )  # fmt: skip
    done = built_flights.build(ROUTE_WEEK)
    assert done.code == 1
    assert "asks for the column `air_time`, which is in none of its declared tables" in done.failures


def test_one_locked_version_changes_exactly_what_uses_the_environment(
    tmp_path: Path, flights_cache: Path, small_flights_module: ModuleType
) -> None:
    workspace = Workspace(small_flights_module.small_flights(tmp_path / "flights"), flights_cache)
    workspace.write("notes/BUILD.ml", 'genrule(name = "note", outs = ["note.txt"], cmd = "echo note > $@")\n')
    assert workspace.build("//...").ran == ["Genrule //notes:note"]
    lock = workspace.folder / "envs/requirements.lock"
    lock.write_text(
        lock.read_text()
        + "iniconfig==2.1.0 \\\n    --hash=sha256:9deba5723312380e77435581c6bf4935c94cbfab9b1ed33ef8d238ea168eb760\n"
    )
    done = workspace.build("//...")
    assert done.code == 0, done.failures
    assert "//notes:note" not in done.ran_targets
    everything = {"//data:flights", "//data:planes", "//data:checked", ROUTE_WEEK, RANKER, "//models:quality"}
    assert everything <= done.ran_targets


def test_a_function_that_opens_the_network_is_told_how_to_fetch(built_flights: Workspace) -> None:
    built_flights.edit(
        "features/route.py",
        "def route_carrier_week(",
        "import urllib.request\n\nurllib.request.urlopen('http://example.com/')\n\n\ndef route_carrier_week(",
    )
    done = built_flights.build(ROUTE_WEEK)
    assert done.code == 1
    assert "network" in done.failures and "http_file" in done.failures


def test_two_builds_from_nothing_in_different_folders_are_equal_in_every_action(
    flights: Workspace, tmp_path: Path
) -> None:
    first, second = tmp_path / "one" / "cache", tmp_path / "two" / "deeper" / "cache"
    other = flights.copy_to(tmp_path / "elsewhere" / "flights")
    one = flights.build("//...", cache=first)
    two = other.build("//...", cache=second)
    assert (one.code, two.code) == (0, 0), one.errors + one.failures
    assert one.finished.ran == two.finished.ran > 20
    assert entries(first) == entries(second)


def entries(cache: Path) -> dict[str, bytes]:
    """Every recorded result by key, as what it names: outputs by digest, without how long it took."""
    from mlbuild.reapi import decode_result

    found = {}
    for path in sorted((cache / "ac").rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            result = decode_result(content[content.index(b"\n", 60) + 1 :])
            found[path.name] = repr((result.exit_code, result.outputs)).encode()
    return found
