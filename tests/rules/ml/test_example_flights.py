"""The functions of `examples/flights` on a small slice of its data, called as plain Python."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

np = pytest.importorskip("numpy")
pa = pytest.importorskip("pyarrow")

from rules.ml.tools import make_dataset, tables  # noqa: E402

DATA = Path(__file__).parent / "small_flights"
EXAMPLE = Path(__file__).parents[3] / "examples" / "flights"


@pytest.fixture(scope="module")
def route() -> ModuleType:
    spec = importlib.util.spec_from_file_location("route", EXAMPLE / "features" / "route.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("data")
    integers = ("year", "month", "day", "arr_delay", "dep_delay", "seats", "visib")
    columns = {
        "flights": ["year", "month", "day", "arr_delay", "dep_delay", "carrier", "tailnum", "origin", "dest"],
        "planes": ["tailnum", "seats", "year"],
        "weather": ["origin", "year", "month", "day", "visib", "wind_speed"],
    }
    for name, chosen in columns.items():
        schema = {
            each: "float64" if each in ("visib", "wind_speed") else "int16" if each in integers else "string"
            for each in chosen
        }
        partition = ["--partition_by", "month"] if "month" in chosen else []
        make_dataset.main(
            [
                "--label",
                name,
                "--source",
                str(DATA / f"{name}.csv"),
                "--format",
                "csv",
                "--schema",
                json.dumps(schema),
                "--null",
                "NA",
                *partition,
                "--out",
                str(out / name),
            ]
        )
    return out


def rows_of(route: ModuleType, data: Path, month: int, *, change: tuple[int, int] | None = None) -> "pa.Table":
    read = {
        name: [tables.read_partition(data / name / f"month={each:02d}") for each in (month - 1, month)]
        for name in ("flights", "weather")
    }
    history, flights = read["flights"]
    fitted = route.on_time_rates(history)
    if change is not None:
        delays = flights.column("arr_delay").to_pylist()
        row = delays.index(change[0])
        delays[row] = change[1]
        at = flights.column_names.index("arr_delay")
        flights = flights.set_column(at, "arr_delay", pa.array(delays, pa.int16()))
    return route.route_carrier_week(
        flights,
        tables.read_tree(data / "planes"),
        read["weather"][1],
        history=history,
        weather_history=read["weather"][0],
        fitted=fitted,
    )


def test_every_row_is_a_carrier_of_a_route_in_a_week(route: ModuleType, data: Path) -> None:
    rows = rows_of(route, data, 10)
    keys = list(zip(*(rows.column(name).to_pylist() for name in ("origin", "dest", "week", "carrier")), strict=True))
    assert len(keys) == len(set(keys)) > 20
    assert sorted(set(rows.column("relevance").to_pylist())) == [2, 3, 4]
    assert min(rows.column("carriers").to_pylist()) == 2


def test_weeks_belong_to_the_month_in_which_they_end(route: ModuleType, data: Path) -> None:
    october, november = (set(rows_of(route, data, month).column("week").to_pylist()) for month in (10, 11))
    assert (min(october), max(october)) == (2283, 2286)
    assert (min(november), max(november)) == (2287, 2290)


def test_a_delay_that_stays_on_time_changes_nothing(route: ModuleType, data: Path) -> None:
    assert rows_of(route, data, 10, change=(-5, -1)).equals(rows_of(route, data, 10))
    assert not rows_of(route, data, 10, change=(-5, 100)).equals(rows_of(route, data, 10))


def test_cancelled_flights_are_not_on_time(route: ModuleType) -> None:
    flights = pa.table({"arr_delay": [None, -3, 14, 15]})
    assert route.is_on_time(flights).tolist() == [False, True, True, False]
