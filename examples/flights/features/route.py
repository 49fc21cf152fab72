"""How each carrier did on each route, week by week. Plain functions on tables: they know of no build."""

import numpy as np
import pyarrow as pa

ON_TIME_MINUTES = 15
"""A flight is on time if it arrives less than so many minutes late, as the US Department of Transportation counts."""

WEEKS_BACK = 3
"""With the month before, these are whole weeks for every week that ends in the month."""


def on_time_rates(flights: pa.Table) -> pa.Table:
    """How often a carrier is on time from an origin, drawn towards the carrier's own rate where flights are few."""
    carriers, carrier = np.unique(_text(flights, "carrier"), return_inverse=True)
    origins, origin = np.unique(_text(flights, "origin"), return_inverse=True)
    hits = is_on_time(flights).astype(np.float64)
    cell = carrier * len(origins) + origin
    size = len(carriers) * len(origins)
    counts, sums = np.bincount(cell, minlength=size), np.bincount(cell, hits, minlength=size)
    own = np.bincount(carrier, hits) / np.bincount(carrier)
    prior = np.repeat(own, len(origins))
    return pa.table(
        {
            "carrier": np.repeat(carriers, len(origins)),
            "origin": np.tile(origins, len(carriers)),
            "rate": (sums + 50 * prior) / (counts + 50),
        }
    )


def route_carrier_week(
    flights: pa.Table,
    planes: pa.Table,
    weather: pa.Table,
    *,
    history: pa.Table,
    weather_history: pa.Table,
    fitted: pa.Table,
) -> pa.Table:
    """One row for each route, carrier and week that ends in the month; what was known before the week, and how it went.

    A query is a route in a week; its rows are ranked by `relevance`, the share of flights on time in five steps.
    """
    month = flights.column("month")[0].as_py()
    last_day = days(flights).max()
    both = pa.concat_tables([history, flights])
    keys, group = np.unique(
        np.stack([_text(both, name) for name in ("origin", "dest", "carrier")], axis=1), axis=0, return_inverse=True
    )
    group = group.reshape(-1)
    week = week_of(days(both))
    first, last = int(week.min()), int(week_of(last_day + 1)) - 1
    hits = is_on_time(both).astype(np.float64)
    seats, built = _planes_of(both, planes)
    delay = _filled(both, "dep_delay", 0.0)

    def by_week(values: np.ndarray) -> np.ndarray:
        """Sums for each group (line) and week (column)."""
        cell = group * (last - first + 2) + (week - first)
        return np.bincount(cell, values, minlength=len(keys) * (last - first + 2)).reshape(len(keys), -1)

    is_flown = (~np.isnan(_filled(both, "dep_delay", np.nan))).astype(np.float64)
    counts, on_time = by_week(np.ones(len(week))), by_week(hits)
    flown, late = by_week(is_flown), by_week(delay)
    known, seat_sum, built_sum = by_week(~np.isnan(seats)), by_week(np.nan_to_num(seats)), by_week(np.nan_to_num(built))
    rough = rough_hours(pa.concat_tables([weather_history, weather]))

    rates = {(row["carrier"], row["origin"]): row["rate"] for row in fitted.to_pylist()}
    parts = []
    start_of_month = week_of(days(flights).min())
    for each in range(max(int(start_of_month), first), last + 1):
        column = each - first
        rows = np.flatnonzero(counts[:, column] > 0)
        before = slice(max(0, column - WEEKS_BACK), column)

        def mean(sums: np.ndarray, sizes: np.ndarray, weeks: slice, rows: np.ndarray = rows) -> pa.Array:
            total = sizes[rows][:, weeks].sum(axis=1)
            with np.errstate(invalid="ignore", divide="ignore"):
                return pa.array(sums[rows][:, weeks].sum(axis=1) / total, mask=total == 0)

        week_before = slice(max(0, column - 1), column)
        share = on_time[rows, column] / counts[rows, column]
        origins, dests, carriers = keys[rows].T
        routes = np.char.add(origins, dests)
        _, route, sizes = np.unique(routes, return_inverse=True, return_counts=True)
        parts.append(
            pa.table(
                {
                    "origin": origins,
                    "dest": dests,
                    "carrier": carriers,
                    "week": np.full(len(rows), each, np.int32),
                    "month": np.full(len(rows), month, np.int8),
                    "carriers": sizes[route].astype(np.int16),
                    "flights": counts[rows, column].astype(np.int32),
                    "flights_before": counts[rows][:, before].sum(axis=1).astype(np.int32),
                    "on_time_last_week": mean(on_time, counts, week_before),
                    "on_time_before": mean(on_time, counts, before),
                    "departure_delay_before": mean(late, flown, before),
                    "seats_before": mean(seat_sum, known, before),
                    "built_before": mean(built_sum, known, before),
                    "rough_hours_last_week": np.array([rough.get((each_, each - 1), 0) for each_ in origins], np.int32),
                    "usual_rate": pa.array(
                        [rates.get(pair) for pair in zip(carriers, origins, strict=True)], pa.float64()
                    ),
                    "on_time": share,
                    "relevance": np.round(share * 4).astype(np.int8),
                }
            ).filter(pa.array(sizes[route] > 1))
        )
    return pa.concat_tables(parts)


def is_on_time(flights: pa.Table) -> np.ndarray:
    """A flight that was cancelled or sent elsewhere has no arrival delay, and is not on time."""
    return _filled(flights, "arr_delay", np.inf) < ON_TIME_MINUTES


def days(rows: pa.Table) -> np.ndarray:
    """Days since 1970-01-01."""
    year, month, day = (rows.column(name).to_numpy().astype(np.int64) for name in ("year", "month", "day"))
    months = (year - 1970).astype("datetime64[Y]").astype("datetime64[M]") + (month - 1).astype("timedelta64[M]")
    return months.astype("datetime64[D]").astype(np.int64) + day - 1


def week_of(day: np.ndarray) -> np.ndarray:
    """Weeks since the one that began on Monday, 29 December 1969."""
    return (day + 3) // 7


def rough_hours(weather: pa.Table) -> dict[tuple[str, int], int]:
    """For each origin and week, the hours with sight below 3 miles or wind above 25 miles an hour."""
    is_rough = (_filled(weather, "visib", 10.0) < 3) | (_filled(weather, "wind_speed", 0.0) > 25)
    found: dict[tuple[str, int], int] = {}
    for pair in zip(
        _text(weather, "origin")[is_rough].tolist(), week_of(days(weather))[is_rough].tolist(), strict=True
    ):
        found[pair] = found.get(pair, 0) + 1
    return found


def _planes_of(flights: pa.Table, planes: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    """Seats and year of building of each flight's plane; NaN where the plane is not known."""
    known, at = np.unique(_text(planes, "tailnum"), return_index=True)
    tails = _text(flights, "tailnum")
    place = np.minimum(np.searchsorted(known, tails), len(known) - 1)
    is_known = known[place] == tails
    return tuple(np.where(is_known, _filled(planes, name, np.nan)[at][place], np.nan) for name in ("seats", "year"))  # type: ignore[return-value]


def _text(rows: pa.Table, name: str) -> np.ndarray:
    return np.array([each or "" for each in rows.column(name).to_pylist()], dtype=str)


def _filled(rows: pa.Table, name: str, value: float) -> np.ndarray:
    return rows.column(name).cast(pa.float64()).fill_null(value).to_numpy()
