"""The slice of the faults that every run of CI goes through: at most eight minutes on two processors, together."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlbuild.cli.selftest import command
from mlbuild.files.remove import remove_tree
from mlbuild.selftest import campaigns, driver
from mlbuild.selftest.figures import told

pytestmark = pytest.mark.slow

SEED = int(os.environ.get("MLBUILD_SELFTEST_SEED", "1"))
MEMORY = Path("/dev/shm")
TRIALS = {
    "random-builds": 60,
    "kills": 300,
    "kills-at-calls": 100,
    "signals": 60,
    "refusals": 500,
    "full-disk": 50,
    "bit-flips": 1_000_000,
    "bit-flips-in-big": 40,
    "flips-in-builds": 27,
    "edits-meanwhile": 30,
    "together": 20,
    "collection-races": 150,
    "power-loss": 100,
    "bad-input": 162,
    "guided-input": 10,
}
"""Of `bit-flips` there are as many as a small build has state: all are run."""
LEAST = {"bit-flips": 64 * 1024 * 8, "edits-meanwhile": 1_000, "bad-input": 500_000}
"""What the trials have to add up to: bits, edits, cases."""


@pytest.fixture
def place() -> Iterator[Path]:
    """In memory where there is room: what is tried here does not depend on the disk, and others use it too."""
    has_room = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > 2 << 30
    folder = Path(tempfile.mkdtemp(prefix="mlbuild-slice-", dir=MEMORY if has_room else None))
    yield folder
    remove_tree(folder)


def test_the_slice_has_every_campaign() -> None:
    assert list(TRIALS) == [each.name for each in campaigns()]


@pytest.mark.parametrize("name", TRIALS)
def test_no_trial_shows_a_violation(name: str, place: Path) -> None:
    (campaign,) = (each for each in campaigns() if each.name == name)
    (figure,) = driver.run([(campaign, TRIALS[name], float("inf"))], SEED, len(os.sched_getaffinity(0)), command, place)
    if figure.skipped:
        pytest.skip(figure.skipped)
    lines = "\n".join(told(figure))
    print(lines)
    assert figure.violations == (), lines
    assert figure.done == figure.planned > 0
    if name in LEAST:
        assert int(figure.measured.split()[0]) >= LEAST[name], lines
