"""Whatever is in a file and whatever is called with whatever: it ends in a value or in an error in our own words, soon."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlbuild.lang import MODULE, check
from tests.lang.fuzzing import LEAK, fuzz, report, shrink
from tests.lang.noise import Calls, File, case

ROOT = Path(__file__).parents[2]
FIRST = int(os.environ.get("MLBUILD_FUZZ_SEED", "0"))
COUNT = int(os.environ.get("MLBUILD_FUZZ_COUNT", "500000"))
BATCHES = 8


def confined(first: int, last: int, note: Path) -> str:
    """Runs the cases in a process of 256 MiB; what is wrong with them, if anything is."""
    note.write_bytes(bytes(8))
    told = subprocess.run(
        [sys.executable, "-m", "tests.lang.fuzzing", str(first), str(last)],
        cwd=ROOT,
        env={**os.environ, "MLBUILD_FUZZ_NOTE": str(note), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120 + (last - first) / 50,
        check=False,
    )
    if told.returncode < 0:
        return f"case {int.from_bytes(note.read_bytes(), 'little')} ended the process: signal {-told.returncode}"
    if told.returncode:
        return told.stdout + told.stderr[-2000:]
    return "" if told.stdout == f"{last - first}\n" else told.stdout


def test_four_thousand_cases_end_well(tmp_path: Path) -> None:
    assert confined(0, 4_000, tmp_path / "note") == ""


@pytest.mark.slow
@pytest.mark.parametrize("batch", range(BATCHES))
def test_half_a_million_cases_end_well_in_256_mib(batch: int, tmp_path: Path) -> None:
    """`MLBUILD_FUZZ_COUNT` and `MLBUILD_FUZZ_SEED` choose others."""
    size = COUNT // BATCHES
    first = FIRST + 4_000 + batch * size
    assert confined(first, first + size, tmp_path / "note") == ""


def test_a_case_is_the_same_each_time() -> None:
    assert [case(number) for number in range(50) if isinstance(case(number), File)] == [
        case(number) for number in range(50) if isinstance(case(number), File)
    ]


def test_the_cases_are_not_dull() -> None:
    """Of all kinds: bytes that are no text, files that cannot be parsed and files that can, calls."""
    made = [case(number) for number in range(1_000)]
    files = [each for each in made if isinstance(each, File)]
    assert len(made) - len(files) > 150
    assert any(b"\xff" in each.source for each in files)
    assert len({each.dialect for each in files}) == 2
    assert len({each.source for each in files}) > 600


def test_a_failure_is_told_with_the_least_input_and_how_to_run_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.lang.fuzzing.case", lambda number: File(b"x = 1\ny = boom(2)\n", MODULE))
    monkeypatch.setattr("tests.lang.fuzzing.trouble", lambda made: "Boom: of old" if b"boom" in made.source else None)
    told = report(7, "Boom: of old")
    assert told.splitlines()[0] == "case 7: Boom: of old"
    assert told.splitlines()[1].endswith("b'boom'")
    assert told.splitlines()[2] == "  python -m tests.lang.fuzzing 7"


def test_shrinking_keeps_what_fails() -> None:
    assert shrink(b"aaaaXaaaaYaa", lambda data: b"X" in data and b"Y" in data) == b"XY"


def test_what_is_python_s_own_is_found_in_messages() -> None:
    assert LEAK.search("<built-in method append of list object at 0x7f00>")
    assert LEAK.search("f() takes 1 positional argument but 2 were given")
    assert not LEAK.search("f() accepts no more than 1 positional argument but got 2")


def test_a_case_that_takes_too_long_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.lang.fuzzing.SLOWEST", -1.0)
    monkeypatch.setattr("tests.lang.fuzzing.case", lambda number: Calls(()))
    count, found = fuzz(0, 1, 10)
    assert count == 1
    assert found[0].startswith("case 0: takes more than -1.0 s")


def test_a_thousand_files_are_checked_without_an_exception_and_told_in_their_order() -> None:
    for number in range(1_000):
        made = case(number)
        if isinstance(made, File):
            _, found = check(made.source, "a.bzl", made.dialect, frozenset())
            places = [each.location for each in found if each.location is not None]
            assert len(places) == len(found) and places == sorted(places), number
