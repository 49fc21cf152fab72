"""The example's functions as they are, without mlbuild: `python -m pytest tests` from `examples/flights`."""

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).parents[1]))

from features import route
from models import train


def test_a_flight_is_on_time_below_fifteen_minutes() -> None:
    assert route.is_on_time(pa.table({"arr_delay": [None, -3, 14, 15]})).tolist() == [False, True, True, False]


def test_weeks_begin_on_monday() -> None:
    sunday_and_monday = pa.table({"year": [2013, 2013], "month": [9, 9], "day": [29, 30]})
    assert route.week_of(route.days(sunday_and_monday)).tolist() == [2282, 2283]


def test_few_flights_are_drawn_towards_the_carriers_own_rate() -> None:
    rates = route.on_time_rates(
        pa.table({"carrier": ["UA"] * 3, "origin": ["EWR", "EWR", "JFK"], "arr_delay": [0, 0, 99]})
    )
    assert np.round(rates.column("rate").to_numpy(), 4).tolist() == [0.6795, 0.6536]


def test_training_with_one_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    count = 300
    rows = pa.table(
        {name: rng.random(count) for name in train.INPUTS}
        | {"query": np.arange(count) // 3, "relevance": rng.integers(0, 5, count)}
    )
    params = {"rounds": 5, "patience": 5, "min_data_in_leaf": 5}
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        train.train(rows, rows, params=params, seed=3, label="relevance", query=["query"], out=tmp_path / name)
    first, second = ((tmp_path / name / "model.txt").read_bytes() for name in ("first", "second"))
    assert first == second
    assert train.predict(tmp_path / "first", rows).shape == (count,)
