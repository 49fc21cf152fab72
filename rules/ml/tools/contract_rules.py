"""What a data contract says of a table, and which rows break it. Knows nothing of files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rules.ml.tools.column_types import column_type, type_label
from rules.ml.tools.failure import ToolError

RULES = ("type", "not_null", "max_null_rate", "min", "max", "in", "unique")


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
