"""Canonical JSON: one spelling for each value."""

from pathlib import Path

import pytest

from rules.ml.tools import canonical
from rules.ml.tools.failure import ToolError


def test_keys_are_sorted_and_floats_are_exact() -> None:
    assert canonical.dumps({"b": 0.1, "a": [1, None, "é"]}) == '{\n "a": [\n  1,\n  null,\n  "é"\n ],\n "b": 0.1\n}\n'


def test_what_json_cannot_hold_is_named_with_its_place() -> None:
    with pytest.raises(ToolError, match=r"`scores\[1\]` is nan, which JSON cannot hold"):
        canonical.dumps({"scores": [1.0, float("nan")]})
    with pytest.raises(ToolError, match="`model` is of type `PosixPath`, which has no JSON form"):
        canonical.dumps({"model": Path("x")})


def test_numpy_values_become_plain_ones() -> None:
    np = pytest.importorskip("numpy")
    assert canonical.dumps({"a": np.float64(0.5), "b": np.arange(2)}) == '{\n "a": 0.5,\n "b": [\n  0,\n  1\n ]\n}\n'
