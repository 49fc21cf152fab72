"""What `mlbuild why` says of a small slice of the flights example after the usual edits: the cause, the chain, its end."""

from __future__ import annotations

import os
from types import ModuleType

from mlbuild.config import build_request
from mlbuild.session import Session
from tests.end_to_end.conftest import Seen, Workspace

ROUTE_WEEK = "//features:route_week"
RANKER = "//models:ranker"


def why(workspace: Workspace, *words: str) -> list[str]:
    """The story without the lines that name builds, or count what is not concerned: the tools of the environment are too."""
    argv = ("why", f"--disk_cache={workspace.cache}", *words)
    request = build_request(argv, {**os.environ, "HOME": str(workspace.cache.parent / "home")}, workspace.folder)
    with Session.open(request, Seen()) as session:
        lines = session.why()
    return [line for line in lines if line and "build " not in line and not line.endswith(" not concerned")]


def test_a_cell_is_followed_to_its_column_and_partition_and_to_where_equal_bytes_end_it(
    built_flights: Workspace, small_flights_module: ModuleType
) -> None:
    small_flights_module.edit_cell(built_flights.folder, "arr_delay", "-5", "-1", month=11)
    assert built_flights.build(RANKER).code == 0
    assert why(built_flights, RANKER) == [
        "what changed",
        "  `data/flights.csv` changed",
        "    line 602, column `arr_delay`: `-5` -> `-1`",
        "what that led to",
        "  MakeDataset //data:flights ran",
        "    because `data/flights.csv` changed",
        "    made column `arr_delay`, partition `month=11` of `data/flights` anew",
        "  CheckContract //data:checked ran",
        "    because column `arr_delay`, partition `month=11` of `data/flights` changed",
        "    made the same bytes as before: the change ends here",
        "  MakeFeatures //features:route_week ran 2 times: month=11, month=12",
        "    because column `arr_delay`, partition `month=11` of `data/flights` changed",
        "    made the same bytes as before: the change ends here",
        "what did not run, because what it reads is as before",
        "  CheckSplit //data:by_time",
        "  FitFeatures //features:route_week",
        "  MakeFeatures //features:route_week (2 times)",
        "  SplitRows //models:ranker (2 times)",
    ]


def test_a_parameter_is_named_with_its_values_and_its_line(built_flights: Workspace) -> None:
    built_flights.edit("models/BUILD.ml", '"num_leaves": 15', '"num_leaves": 14')
    assert built_flights.build(RANKER).code == 0
    assert why(built_flights, RANKER) == [
        "what changed",
        "  //models:ranker says something else (models/BUILD.ml:2)",
        '    `params["num_leaves"]`: `15` -> `14`',
        "what that led to",
        "  TrainModel //models:ranker ran",
        "    because `models/ranker.params.json` changed",
        "    made `models/ranker/model.txt` anew",
        "what did not run, because what it reads is as before",
        "  ReportModel //models:ranker",
    ]


def test_the_seed_is_named_with_its_values(built_flights: Workspace) -> None:
    built_flights.edit("models/BUILD.ml", "seed = 7", "seed = 8")
    assert built_flights.build(RANKER).code == 0
    assert why(built_flights, RANKER) == [
        "what changed",
        "  //models:ranker says something else (models/BUILD.ml:2)",
        "    `seed`: `7` -> `8`",
        "what that led to",
        "  TrainModel //models:ranker ran",
        "    because argument `--seed`: `7` -> `8`",
        "    made `models/ranker/model.txt`, `models/ranker.metrics.json` anew",
        "  ReportModel //models:ranker ran",
        "    because `models/ranker.metrics.json` changed",
        "    made `models/ranker.report.txt` anew",
    ]


def test_a_comment_in_a_function_is_a_line_of_a_file_and_ends_where_the_features_are_equal(
    built_flights: Workspace,
) -> None:
    path = built_flights.folder / "features/route.py"
    path.write_text(path.read_text() + "# a remark\n")
    assert built_flights.build(RANKER).code == 0
    assert why(built_flights, RANKER) == [
        "what changed",
        "  `features/route.py` changed",
        "    1 line added after line 157: `# a remark`",
        "what that led to",
        "  FitFeatures //features:route_week ran",
        "    because `features/route.py` changed",
        "    made the same bytes as before: the change ends here",
        "  MakeFeatures //features:route_week ran 4 times: month=09, month=10, month=11, month=12",
        "    because `features/route.py` changed",
        "    made the same bytes as before: the change ends here",
        "what did not run, because what it reads is as before",
        "  SplitRows //models:ranker (2 times)",
    ]


def test_a_column_that_a_build_file_no_longer_declares_is_named(built_flights: Workspace) -> None:
    built_flights.edit("features/BUILD.ml", '            "wind_speed",\n', "")
    built_flights.build(ROUTE_WEEK)  # the function asks for the column: it fails
    lines = why(built_flights, ROUTE_WEEK)
    assert lines[:4] == [
        "what changed",
        "  //features:route_week says something else (features/BUILD.ml:2)",
        '    `columns["weather"]`: without `wind_speed`',
        "what that led to",
    ]
    assert lines[4].startswith("  MakeFeatures //features:route_week failed")


def test_the_number_of_threads_of_an_environment_is_named_with_the_variables_that_it_sets(
    built_flights: Workspace,
) -> None:
    built_flights.edit("envs/BUILD.ml", 'name = "train",', 'name = "train",\n    threads = 2,')
    assert built_flights.build("//data:airlines").code == 0
    assert why(built_flights, "//data:airlines") == [
        "what changed",
        "  //envs:train says something else (envs/BUILD.ml:2)",
        "    `threads`: not set -> `2`",
        "what that led to",
        "  MakeDataset //data:airlines ran",
        "    because environment variable `BLIS_NUM_THREADS`: `1` -> `2`, environment variable `MKL_NUM_THREADS`: `1` -> `2`, environment variable `NUMBA_NUM_THREADS`: `1` -> `2`, environment variable `NUMEXPR_MAX_THREADS`: `1` -> `2` and 6 more",
        "    made the same bytes as before: the change ends here",
    ]


def test_a_column_of_a_table_is_followed_to_the_partitions_that_it_lies_in(built_flights: Workspace) -> None:
    path = built_flights.folder / "data/weather.csv"
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    at = header.split(",").index("visib")
    changed = [
        ",".join(["9.5" if number == at and cell == "10" else cell for number, cell in enumerate(line.split(","))])
        for line in lines
    ]
    path.write_text("\n".join([header, *changed]) + "\n", encoding="utf-8")
    assert built_flights.build(ROUTE_WEEK).code == 0
    months = [f"column `visib`, partition `month={month}` of `data/weather`" for month in ("09", "10", "11", "12")]
    assert why(built_flights, ROUTE_WEEK) == [
        "what changed",
        "  `data/weather.csv` changed",
        "    line 2, column `visib`: `10` -> `9.5`",
        "    line 3, column `visib`: `10` -> `9.5`",
        "    line 5, column `visib`: `10` -> `9.5`",
        "    line 7, column `visib`: `10` -> `9.5`",
        "    line 8, column `visib`: `10` -> `9.5`",
        "    … and 605 more",
        "what that led to",
        "  MakeDataset //data:weather ran",
        "    because `data/weather.csv` changed",
        f"    made {', '.join(months)} anew",
        "  MakeFeatures //features:route_week ran 4 times: month=09, month=10, month=11, month=12",
        f"    because {', '.join(f'{month} changed' for month in months)}",
        "    made the same bytes as before: the change ends here",
    ]
