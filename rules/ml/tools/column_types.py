"""The names of column types in a schema, as Arrow types."""

from __future__ import annotations

import pyarrow as pa

from rules.ml.tools.failure import ToolError

NAMES: dict[str, pa.DataType] = {
    "bool": pa.bool_(),
    **{f"{sign}int{bits}": getattr(pa, f"{sign}int{bits}")() for sign in ("", "u") for bits in (8, 16, 32, 64)},
    "float32": pa.float32(),
    "float64": pa.float64(),
    "string": pa.string(),
    "binary": pa.binary(),
    "date": pa.date32(),
    **{f"timestamp[{unit}]": pa.timestamp(unit) for unit in ("s", "ms", "us", "ns")},
    **{f"timestamp[{unit}, UTC]": pa.timestamp(unit, "UTC") for unit in ("s", "ms", "us", "ns")},
}


def column_type(name: str, column: str) -> pa.DataType:
    """The type called `name`, which `column` is to have."""
    try:
        return NAMES[name]
    except KeyError:
        raise ToolError(
            "unknown-type", f"column `{column}` has the unknown type `{name}`", hint=f"types are {', '.join(NAMES)}"
        ) from None


def type_label(kind: pa.DataType) -> str:
    """The schema's name for an Arrow type; Arrow's own where the schema has none."""
    return next((name for name, each in NAMES.items() if each == kind), str(kind))
