"""What a data contract says of a table, and which rows break it. Knows nothing of files."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rules.ml.tools.column_types import column_type, type_label
from rules.ml.tools.failure import ToolError

RULES = ("type", "not_null", "max_null_rate", "min", "max", "in", "unique", "freshness", "drift")


@dataclass(frozen=True)
class Violation:
    """One rule of one column that does not hold. `rows` are the rows that break it, if rows can be named."""

    column: str
    rule: str
    message: str
    count: int
    rows: np.ndarray | None = None


def check_rows(count: int, limits: Mapping[str, int]) -> Iterator[Violation]:
    """The table's number of rows against `{"min": ..., "max": ...}`."""
    if "min" in limits and count < limits["min"]:
        yield Violation("", "rows.min", f"{count:,} rows, fewer than {limits['min']:,}", limits["min"] - count)
    if "max" in limits and count > limits["max"]:
        yield Violation("", "rows.max", f"{count:,} rows, more than {limits['max']:,}", count - limits["max"])


def check_column(name: str, column: pa.ChunkedArray, rules: Mapping[str, object]) -> Iterator[Violation]:
    """Every rule of one column that does not hold, in the order of `RULES`. `in` is the domain as a sequence."""
    if "type" in rules:
        wanted = column_type(str(rules["type"]), name)
        if column.type != wanted:
            yield Violation(name, "type", f"it is {type_label(column.type)}, not {rules['type']}", len(column))
            return
    nulls = column.null_count
    if rules.get("not_null") and nulls:
        yield Violation(name, "not_null", counted(nulls, "null"), nulls, _rows(column.is_null()))
    if "max_null_rate" in rules and len(column):
        rate, limit = nulls / len(column), _number(rules["max_null_rate"])
        if rate > limit:
            message = f"{rate:.4g} of the values are null ({nulls:,} of {len(column):,}), more than {limit:g}"
            yield Violation(name, "max_null_rate", message, nulls, _rows(column.is_null()))
    for rule, compare, word in (("min", pc.less, "below"), ("max", pc.greater, "above")):
        if rule in rules:
            bad = _rows(compare(column, _limit(rules[rule], column.type, name, rule)))
            if len(bad):
                yield Violation(name, rule, f"{counted(len(bad), 'value')} {word} {rules[rule]}", len(bad), bad)
    if "in" in rules:
        yield from _check_domain(name, column, rules["in"])
    if rules.get("unique"):
        bad = _repeated(column)
        if len(bad):
            yield Violation(
                name, "unique", f"{counted(len(bad), 'row')} with a value that another row has", len(bad), bad
            )
    if "freshness" in rules:
        yield from _check_freshness(name, column, rules["freshness"])
    if "drift" in rules:
        yield from _check_drift(name, column, rules["drift"])


def _check_freshness(name: str, column: pa.ChunkedArray, rule: object) -> Iterator[Violation]:
    """How old the latest value is on the day that the contract names: no clock is asked."""
    assert isinstance(rule, Mapping)
    if not pa.types.is_temporal(column.type):
        raise ToolError("bad-limit", f"`freshness` of column `{name}`: it is {type_label(column.type)}, not a time")
    try:
        as_of = datetime.datetime.fromisoformat(str(rule["as_of"]).replace("Z", "+00:00"))
    except ValueError:
        raise ToolError("bad-limit", f"`as_of` of column `{name}` is {rule['as_of']!r}, which is no date") from None
    as_of = as_of if as_of.tzinfo else as_of.replace(tzinfo=datetime.UTC)
    limit = _number(rule["max_age_days"])
    zone = column.type.tz if pa.types.is_timestamp(column.type) else None
    latest_value = pc.max(column.cast(pa.timestamp("s", zone), safe=False))
    seconds = latest_value.cast(pa.int64()).as_py()
    if seconds is None:
        yield Violation(name, "freshness", "there is no value at all", 0)
        return
    age = (as_of.timestamp() - seconds) / 86_400
    if age > limit:
        latest = datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        message = f"the latest value is {latest}, {age:.1f} days before {rule['as_of']}, more than {limit:g}"
        yield Violation(name, "freshness", message, 0)


def _check_drift(name: str, column: pa.ChunkedArray, rule: object) -> Iterator[Violation]:
    assert isinstance(rule, Mapping)
    reference = rule["reference"]
    assert isinstance(reference, pa.ChunkedArray)
    index, limit = stability_index(column, reference), _number(rule["max_psi"])
    if index > limit:
        yield Violation(name, "drift", f"its population stability index is {index:.4f}, more than {limit:g}", 0)


BINS = 10
LEAST_SHARE = 1e-4
"""An empty bin counts as this share: the index of a value never seen before is big, not infinite."""


def stability_index(column: pa.ChunkedArray, reference: pa.ChunkedArray) -> float:
    """The population stability index: the sum over bins of (p - q) ln(p / q), nulls being a bin of their own.

    Numbers and times are binned by the deciles of the reference, everything else by value. Source: N. Siddiqi, Credit Risk
    Scorecards (2006), ch. 6.
    """
    if pa.types.is_string(column.type) or pa.types.is_boolean(column.type) or pa.types.is_large_string(column.type):
        names = sorted(
            set(column.drop_null().unique().to_pylist()) | set(reference.drop_null().unique().to_pylist()), key=str
        )
        place = {value: index for index, value in enumerate(names)}
        ours, theirs = ([place[value] for value in each.drop_null().to_pylist()] for each in (column, reference))
        bins = len(names)
    elif not (
        pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_temporal(column.type)
    ):
        raise ToolError("bad-limit", f"`drift` is not defined for {type_label(column.type)}")
    else:
        numbers = [
            np.asarray(each.drop_null().cast(_number_type(each.type)), dtype=np.float64) for each in (column, reference)
        ]
        edges = (
            np.unique(np.quantile(numbers[1], np.linspace(0, 1, BINS + 1)[1:-1])) if len(numbers[1]) else np.array([])
        )
        ours, theirs = (np.searchsorted(edges, each, side="right").tolist() for each in numbers)
        bins = len(edges) + 1
    p, q = (_shares(found, bins, each.null_count) for found, each in ((ours, column), (theirs, reference)))
    return float(np.sum((p - q) * np.log(p / q)))


def _shares(found: Sequence[int], bins: int, nulls: int) -> np.ndarray:
    counts = np.append(np.bincount(np.asarray(found, dtype=np.int64), minlength=bins), nulls)
    return np.maximum(counts / max(1, counts.sum()), LEAST_SHARE)


def _number_type(kind: pa.DataType) -> pa.DataType:
    return pa.int64() if pa.types.is_temporal(kind) else kind


def _check_domain(name: str, column: pa.ChunkedArray, domain: object) -> Iterator[Violation]:
    assert isinstance(domain, Sequence)
    allowed = pa.array(domain).cast(column.type) if len(domain) else pa.array([], column.type)
    bad = _rows(pc.and_(pc.invert(pc.is_in(column, value_set=allowed)), column.is_valid()))
    if len(bad):
        unknown = pc.unique(column.take(pa.array(bad))).to_pylist()
        shown = ", ".join(repr(each) for each in sorted(unknown, key=str)[:5]) + (", ..." if len(unknown) > 5 else "")
        yield Violation(
            name, "in", f"{counted(len(bad), 'value')} outside the domain of {len(domain):,}: {shown}", len(bad), bad
        )


def counted(count: int, noun: str) -> str:
    """`1 value`, `1,204 values`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _repeated(column: pa.ChunkedArray) -> np.ndarray:
    counts = pc.value_counts(column)
    often = counts.field("values").filter(pc.greater(counts.field("counts"), 1)).drop_null()
    return _rows(pc.is_in(column, value_set=often))


def _rows(mask: pa.ChunkedArray) -> np.ndarray:
    """Where the mask is true; null is not."""
    return np.flatnonzero(mask.fill_null(False).to_numpy(zero_copy_only=False))


def _number(value: object) -> float:
    assert isinstance(value, (int, float))
    return float(value)


def _limit(value: object, kind: pa.DataType, column: str, rule: str) -> pa.Scalar:
    try:
        return pa.scalar(value).cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):
        raise ToolError(
            "bad-limit", f"`{rule}` of column `{column}` is {value!r}, which is no {type_label(kind)}"
        ) from None
