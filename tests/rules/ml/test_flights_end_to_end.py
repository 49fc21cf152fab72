"""The flights example on a small slice of its data, built for real: what runs again after which change.

Needs the packages of the example's lock from the index (once: they stay in the user's uv cache).
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mlbuild.terms.event import ActionFinished
from tests.rules.ml.real_build import command
from tests.rules.ml.small_flights.workspace import append_month, edit_cell, small_flights

pytestmark = pytest.mark.slow

MONTHS = ("09", "10", "11", "12")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def flights(tmp_path: Path, cache: Path) -> Path:
    """A workspace whose targets are all in the cache."""
    workspace = small_flights(tmp_path / "flights")
    first = command(workspace, cache, "test", "//models:quality", "//models:ranker")
    assert first.code == 0, first.log
    return workspace


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def features(*months: str) -> list[str]:
    return [f"MakeFeatures features/route_week/month={month}" for month in months]


def test_the_ranker_is_built_and_its_metrics_are_shown(flights: Path, cache: Path) -> None:
    built = command(flights, cache, "build", "//models:ranker")
    assert (built.code, built.ran) == (0, [])
    assert (flights / "mlbuild-out" / "models" / "ranker" / "model.txt").is_file()
    assert re.search(r"//models:ranker\n(  .*\n)*  valid ndcg@3 +0\.\d+\n", built.reports)


def test_what_does_not_matter_runs_nothing(flights: Path, cache: Path, tmp_path: Path) -> None:
    replace(flights / "models" / "BUILD.ml", "# Rank the carriers", "# Order the carriers")
    replace(flights / "data" / "BUILD.ml", 'on = ["month"],', 'on = [\n        "month",\n    ],')
    (flights / "features" / "route.py").touch()
    shutil.rmtree(flights / "mlbuild-out")
    assert command(flights, cache, "build", "//models:ranker").ran == []
    copied = shutil.copytree(flights, tmp_path / "elsewhere", ignore=shutil.ignore_patterns("mlbuild-out"))
    assert command(copied, cache, "build", "//models:ranker").ran == []


def test_a_comment_in_a_function_runs_what_reads_it_and_nothing_behind_equal_tables(flights: Path, cache: Path) -> None:
    path = flights / "features" / "route.py"
    path.write_text(path.read_text() + "\n# A word more.\n")
    built = command(flights, cache, "build", "//models:ranker")
    assert built.ran == sorted(["FitFeatures features/route_week.fit/fitted", *features(*MONTHS)])


def test_a_cell_that_nobody_declares_runs_no_feature(flights: Path, cache: Path) -> None:
    edit_cell(flights, "distance", "2475", "2474", month=10)
    assert command(flights, cache, "build", "//models:ranker").ran == ["MakeDataset data/flights"]


def test_a_delay_that_stays_on_time_runs_one_partition_and_its_window(flights: Path, cache: Path) -> None:
    edit_cell(flights, "arr_delay", "-5", "-1", month=10)
    built = command(flights, cache, "build", "//models:ranker")
    assert built.ran == ["CheckContract data/checked.stamp/ok", "MakeDataset data/flights", *features("10", "11")]


def test_an_appended_month_runs_its_partition_and_trains_nothing(tmp_path: Path, cache: Path) -> None:
    workspace = small_flights(tmp_path / "flights", months=(9, 10, 11))
    assert command(workspace, cache, "test", "//models:quality").code == 0
    append_month(workspace, 12)
    # No other test has this December in the cache.
    edit_cell(workspace, "dep_delay", "-3", "-2", month=12)
    built = command(workspace, cache, "test", "//models:quality")
    assert built.code == 0
    assert [each for each in built.ran if each.startswith(("MakeFeatures", "FitFeatures", "TrainModel"))] == features(
        "12"
    )
    assert "PredictRows models/quality.model" in built.ran


@pytest.mark.parametrize(("old", "new"), [("seed = 7", "seed = 8"), ('"learning_rate": 0.05', '"learning_rate": 0.2')])
def test_a_parameter_or_a_seed_trains_again(old: str, new: str, flights: Path, cache: Path) -> None:
    replace(flights / "models" / "BUILD.ml", old, new)
    built = command(flights, cache, "build", "//models:ranker")
    assert built.ran == ["ReportModel models/ranker.report.txt", "TrainModel models/ranker"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('open("features/holidays.csv")', "opened `features/holidays.csv`, which is not among its inputs"),
        ('flights.column("air_time")', "asks for the column `air_time`, which is in none of its declared tables"),
        (
            '__import__("socket").create_connection(("example.org", 80))',
            "tried to reach the network (example.org:80); actions have none",
        ),
    ],
)
def test_an_undeclared_read_says_what_to_declare(line: str, said: str, flights: Path, cache: Path) -> None:
    replace(
        flights / "features" / "route.py",
        "    last_day = days(flights).max()\n",
        f"    last_day = days(flights).max()\n    {line}\n",
    )
    built = command(flights, cache, "build", "//models:ranker")
    assert built.code == 1
    assert f"//features:route_week {said}" in built.log
    assert "hint: declare" in built.log


def _unknown_carrier(workspace: Path) -> None:
    edit_cell(workspace, "carrier", "DL", "ZZ", month=11)


def _missing_delays(workspace: Path) -> None:
    for _ in range(80):
        edit_cell(workspace, "arr_delay", "-5", "NA", month=11) if _has(workspace, "-5") else None
    path = workspace / "data" / "BUILD.ml"
    replace(path, '"max_null_rate": 0.05,\n            "min": -120', '"max_null_rate": 0.001,\n            "min": -120')


def _has(workspace: Path, delay: str) -> bool:
    return (
        re.search(rf"^2013,11,(?:[^,]*,){{6}}{delay},", (workspace / "data" / "flights.csv").read_text(), re.M)
        is not None
    )


@pytest.mark.parametrize(
    ("breaks", "said"),
    [
        (_unknown_carrier, r"column `carrier`: in: 1 value outside the domain of 16: 'ZZ'\n +year +month +day"),
        (_missing_delays, r"column `arr_delay`: max_null_rate: 0\.\d+ of the values are null \(\d+ of 1,200\), more than 0\.001"),
    ],
)  # fmt: skip
def test_a_broken_contract_stops_the_build(
    breaks: Callable[[Path], None], said: str, flights: Path, cache: Path
) -> None:
    breaks(flights)
    built = command(flights, cache, "build", "//models:ranker")
    assert built.code == 1
    assert re.search(said, built.log)
    assert not [each for each in built.ran if each.startswith(("MakeFeatures", "TrainModel"))]


def test_a_gate_that_fails_is_a_failed_test_and_trains_nothing(flights: Path, cache: Path) -> None:
    replace(flights / "models" / "BUILD.ml", '"min_gain": -0.5', '"min_gain": 0.9')
    built = command(flights, cache, "test", "//models:quality")
    assert (built.code, built.ran) == (3, [])
    assert "FAILED  ndcg@3 better than the baseline by at least 0.9" in built.log
    assert "origin = JFK" in built.log


def test_two_builds_from_nothing_give_the_same_digests(tmp_path: Path, cache: Path) -> None:
    digests = []
    for name in ("first", "second"):
        workspace = small_flights(tmp_path / name / "flights")
        own = tmp_path / f"cache-{name}"
        built = command(workspace, own, "test", "//models:quality", "//models:ranker")
        assert built.code == 0, built.log
        digests.append(
            sorted((each.primary_output, str(each.key)) for each in built.events if isinstance(each, ActionFinished))
        )
        out = workspace / "mlbuild-out"
        digests[-1] += [
            (str(p.relative_to(out)), p.read_bytes())
            for p in sorted(out.rglob("*"))
            if p.is_file() and "logs" not in p.parts and "testlogs" not in p.parts
        ]
    assert digests[0] == digests[1]
