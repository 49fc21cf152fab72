"""The ML rules in one small workspace, built for real: what the flights example does not use."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.rules.ml.real_build import Built, command

pytestmark = pytest.mark.slow

LOCK = Path(__file__).parents[3] / "examples" / "flights" / "envs" / "requirements.lock"

BUILD = """
py_env(name = "env", lock = "requirements.lock")
toolchain(name = "python", toolchain = ":env", toolchain_type = "@mlbuild//rules/python:toolchain_type")
py_library(name = "scaling", srcs = ["scaling.py"])

dataset(
    name = "houses",
    src = ["houses.jsonl"],
    format = "jsonl",
    key = ["id"],
    partition_by = ["town"],
    schema = {"id": "int32", "town": "string", "size": "float64", "price": "float64"},
)
data_contract(
    name = "clean",
    data = ":houses",
    columns = {"price": {"min": 0}},
    on_fail = "quarantine",
)
split(
    name = "by_hash",
    data = ":clean",
    strategy = "hash",
    fractions = {"train": 0.7, "test": 0.3},
    requires = {"min_rows": 10, "disjoint": ["id"]},
)
split(
    name = "by_town",
    data = ":clean",
    strategy = "stratified",
    on = ["town"],
    fractions = {"train": 0.5, "test": 0.5},
)
split(name = "folds", data = ":clean", strategy = "kfold", folds = 3)
features(
    name = "scaled",
    data = [":clean", "unit.txt"],
    deps = [":scaling"],
    scope = "global",
    fn = "functions.py:scale",
    fit = "functions.py:fit_scale",
    fit_on = ":by_hash.train",
    fit_columns = {"houses": ["size"]},
)
model(
    name = "line",
    features = ":scaled",
    deps = [":scaling"],
    fn = "functions.py:train",
    predict = "functions.py:predict",
    label = "price",
    train = ":by_hash.train",
    params = {"degree": 1},
)
baseline(
    name = "mean",
    features = ":scaled",
    deps = [":scaling"],
    fn = "functions.py:train",
    predict = "functions.py:predict",
    label = "price",
    train = ":by_hash.train",
    params = {"degree": 0},
)
evaluation(
    name = "quality",
    model = ":line",
    baseline = ":mean",
    data = ":by_hash.test",
    metrics = ["rmse", "r2"],
    slices = ["town"],
    bootstrap = 50,
    champion = "champion.json",
    gates = [
        {"metric": "rmse", "max": 1.0},
        {"metric": "rmse", "versus": "baseline", "min_gain": 10, "confidence": 0.9},
        {"metric": "r2", "slice": {"town": "A"}, "min": 0.99},
        {"metric": "rmse", "versus": "champion"},
    ],
)
"""

FUNCTIONS = """
import json
from pathlib import Path

import numpy as np
import pyarrow as pa

from scaling import scaled


def fit_scale(houses: pa.Table) -> dict:
    assert houses.column_names == ["size"]
    return {"largest": max(houses.column("size").to_pylist())}


def scale(houses: pa.Table, unit: Path, *, fitted: dict, partition: str) -> dict:
    assert (unit.read_text(), partition) == ("m2", "all")
    return {
        "id": houses.column("id"),
        "town": houses.column("town"),
        "size": scaled(houses.column("size").to_numpy(), fitted["largest"]),
        "price": houses.column("price"),
    }


def train(train: pa.Table, *, params: dict, label: str, out: Path) -> dict:
    line = np.polyfit(train.column("size").to_numpy(), train.column(label).to_numpy(), params["degree"])
    (out / "line.json").write_text(json.dumps([round(each, 6) for each in line]))
    return {"rows": train.num_rows}


def predict(model: Path, rows: pa.Table) -> np.ndarray:
    return np.polyval(json.loads((model / "line.json").read_text()), rows.column("size").to_numpy())
"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> tuple[Path, Built]:
    folder = tmp_path_factory.mktemp("houses")
    rows = [
        {"id": number, "town": "AB"[number % 2], "size": 50.0 + number, "price": 3.0 * (50 + number) + 7}
        for number in range(80)
    ]
    rows[5]["price"] = -1.0
    (folder / "houses.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "WORKSPACE.ml").write_text('workspace(name = "houses")\nregister_toolchains("//:python")\n')
    (folder / "BUILD.ml").write_text(BUILD)
    (folder / "functions.py").write_text(FUNCTIONS)
    (folder / "scaling.py").write_text("def scaled(values, largest):\n    return values / largest\n")
    (folder / "unit.txt").write_text("m2")
    champion = {"metrics": {"rmse": {"is_higher_better": False, "model": {"value": 0.5, "intervals": {}}}}, "slice": {}}
    (folder / "champion.json").write_text(json.dumps({"slices": [champion]}))
    shutil.copy(LOCK, folder / "requirements.lock")
    parts = [":by_hash.train", ":by_town.test", ":folds.fold0", ":folds.rest0"]
    return folder, command(folder, cache, "test", "//...", *(f"/{part}".replace("/:", "//:") for part in parts))


def parquet(folder: Path, tree: str, column: str) -> list[str]:
    return sorted(path.parent.name for path in (folder / "mlbuild-out" / tree).glob(f"*/{column}.parquet"))


def test_all_of_it_builds_and_its_gates_hold(built: tuple[Path, Built]) -> None:
    assert built[1].code == 0, built[1].log
    assert "//:quality: 4 of 4 gates passed" in built[1].log
    assert "PASSED  rmse better than the champion by at least 0:" in built[1].log


def test_bad_rows_are_set_aside_and_told(built: tuple[Path, Built]) -> None:
    assert "//:clean: 80 rows, 1 rule: 1 violation (quarantine)" in built[1].reports
    assert "column `price`: min: 1 value below 0" in built[1].reports


def test_parts_of_every_strategy_can_be_built(built: tuple[Path, Built]) -> None:
    for tree in ("by_hash.train", "by_town.test", "folds.fold0", "folds.rest0"):
        assert parquet(built[0], tree, "price") == ["town=A", "town=B"], tree


def test_a_library_that_changes_computes_again(built: tuple[Path, Built], cache: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(built[0], tmp_path / "copy", ignore=shutil.ignore_patterns("mlbuild-out"))
    (folder / "scaling.py").write_text("def scaled(values, largest):\n    return values / largest * 2\n")
    again = command(folder, cache, "build", "//:line")
    assert [each.split()[0] for each in again.ran] == ["FitFeatures", "MakeFeatures", "SplitRows", "TrainModel"]
