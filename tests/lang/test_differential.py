"""The same programs, by other implementations: the same result, or a failure of both. Each peer has an environment of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lang.differing import BUDGET, PACKAGES, RULES, compare, explained, ours, plain
from tests.lang.programs import Program

FIRST = int(os.environ.get("MLBUILD_DIFFERENTIAL_SEED", "0"))
COUNT = int(os.environ.get("MLBUILD_DIFFERENTIAL_COUNT", "20000"))
BATCHES = 8


@pytest.fixture(scope="session")
def pythons(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """For each peer, the Python that has it."""
    found = {}
    for name, package in PACKAGES.items():
        folder = tmp_path_factory.mktemp(name)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True, timeout=120)
        found[name] = folder / "bin" / "python"
        install = [found[name], "-m", "pip", "install", "--quiet", "--only-binary", ":all:", package]
        told = subprocess.run(install, capture_output=True, text=True, timeout=300, check=False)
        if told.returncode:
            pytest.skip(f"{package} cannot be had from the package index: {told.stderr[-300:]}")
    return found


@pytest.mark.slow
@pytest.mark.parametrize("batch", range(BATCHES))
def test_twenty_thousand_programs_agree(pythons: dict[str, Path], batch: int) -> None:
    """`MLBUILD_DIFFERENTIAL_COUNT` and `MLBUILD_DIFFERENTIAL_SEED` choose others."""
    size = COUNT // BATCHES
    first = FIRST + batch * size
    for start in range(first, first + size, 500):
        seeds = range(start, min(start + 500, first + size))
        counts, unexplained = compare(seeds, pythons)
        assert unexplained == []
        assert counts["compared with go"] > 0.98 * len(seeds)
        assert counts["compared with rust"] > 0.85 * len(seeds)
        assert counts["go died"] + counts["rust died"] <= 2


def test_programs_get_to_their_end_or_fail_each_in_its_way() -> None:
    """Programs that all fail at once would prove nothing."""
    answers = [ours(Program(seed)) for seed in range(200)]
    assert sum("result" in each for each in answers) >= 70
    assert sum(each.get("code") in BUDGET for each in answers) <= 2
    assert len({each.get("code") for each in answers}) >= 10


def test_programs_have_libraries_sets_closures_and_loops() -> None:
    programs = [Program(seed) for seed in range(300)]
    assert sum(each.library is not None for each in programs) >= 20
    assert sum(each.has_sets for each in programs) >= 5
    text = "\n".join(each.text() for each in programs)
    for piece in (
        "lambda",
        "for ",
        ".format(",
        "% ",
        "sorted(",
        "key = ",
        "**",
        "elif ",
        " | ",
        "LIST.append",
        "//",
        "*rest",
    ):
        assert piece in text


def test_a_difference_without_a_rule_is_unexplained() -> None:
    program = Program(0)
    assert explained(program, "go", {"result": "1"}, {"result": "2"}) is None
    assert explained(program, "go", {"error": "unhashable type: 'list'"}, {"result": "1"}) is RULES[0]
    assert explained(program, "go", {"result": "1"}, {"error": "unhashable type: 'list'"}) is None


def test_only_the_writing_of_floats_is_passed_over() -> None:
    assert plain("[1000000.0, 1]", "go") == plain("[1e+06, 1]", "go")
    assert plain("[1000000.0]", "go") != plain("[1e+07]", "go")
    assert plain("[1.0000001]", "go") != plain("[1.0]", "go")
