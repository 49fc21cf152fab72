"""The examples build and pass, and the whole year of flights once."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.end_to_end.conftest import Workspace

ROOT = Path(__file__).parents[2]


def test_mlbuilds_own_checkout_is_a_workspace(tmp_path: Path, cache: Path) -> None:
    folder = tmp_path / "checkout"
    for name in ("WORKSPACE.ml", ".mlbuildignore"):
        folder.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    shutil.copytree(ROOT / "examples", folder / "examples", ignore=shutil.ignore_patterns("mlbuild-out", "__pycache__"))
    shutil.copytree(ROOT / "rules", folder / "rules", ignore=shutil.ignore_patterns("__pycache__"))
    workspace = Workspace(folder, cache)
    done = workspace.test("//...")
    assert done.code == 0, done.errors + done.failures
    assert done.tests["//examples/hello:words_test"].status == "PASSED"
    greeting = workspace.output("examples/hello/greeting.txt")
    assert greeting.read_text() == "Hello from a sandbox that sees nothing else.\n"


def test_a_year_of_flights_is_ranked_better_than_by_last_week(tmp_path: Path, cache: Path) -> None:
    folder = tmp_path / "flights"
    shutil.copytree(ROOT / "examples/flights", folder, ignore=shutil.ignore_patterns("mlbuild-out", "__pycache__"))
    workspace = Workspace(folder, cache)
    built = workspace.build("//models:ranker")
    assert built.code == 0, built.errors + built.failures
    (report,) = built.targets["//models:ranker"].reports
    assert "valid ndcg@3" in report
    tested = workspace.test("//models:quality")
    assert tested.code == 0, tested.failures
    assert tested.tests["//models:quality"].status == "PASSED"
    again = workspace.test("//...")
    assert (again.code, [action for action in again.ran if "TrainModel" in action]) == (0, [])
