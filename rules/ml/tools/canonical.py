"""JSON with one spelling for each value: sorted keys, floats by `repr`, no NaN; a newline at the end."""

from __future__ import annotations

import json
import math
from pathlib import Path

from rules.ml.tools.failure import ToolError


def dumps(value: object) -> str:
    """The canonical text. Numpy's scalars and arrays become numbers and lists."""
    return json.dumps(plain(value, ""), sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def write(path: str | Path, value: object) -> None:
    Path(path).write_text(dumps(value), encoding="utf-8")


def read(path: str | Path) -> object:
    return json.loads(Path(path).read_text(encoding="utf-8"))


def plain(value: object, where: str) -> object:
    """`value` in JSON's own types. Raises ToolError naming the place of what has no JSON form."""
    if value is None or isinstance(value, (bool, str, int)):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ToolError("no-json", f"`{where or 'the result'}` is {value}, which JSON cannot hold")
        return float(value)
    if isinstance(value, dict):
        return {_key(key, where): plain(each, f"{where}.{key}" if where else str(key)) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each, f"{where}[{index}]") for index, each in enumerate(value)]
    for method in ("item", "tolist"):
        convert = getattr(value, method, None)
        if callable(convert) and (method == "tolist" or getattr(value, "shape", None) == ()):
            return plain(convert(), where)
    raise ToolError("no-json", f"`{where or 'the result'}` is of type `{type(value).__name__}`, which has no JSON form")


def _key(key: object, where: str) -> str:
    if not isinstance(key, str):
        raise ToolError("no-json", f"the key {key!r} of `{where or 'the result'}` is not a string")
    return key
