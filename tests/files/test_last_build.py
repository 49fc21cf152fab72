"""What a build with nothing to do may be answered from."""

import os
from pathlib import Path

import pytest

from mlbuild.files.last_build import forget, recall, remember, witness

LONG_AGO = 10**18


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "train.py"
    path.write_text("one")
    os.utime(path, ns=(LONG_AGO, LONG_AGO))
    return path


def later() -> int:
    return 4 * 10**18


def keep(tmp_path: Path, *witnesses: tuple[str, str, int, int, int, int]) -> bool:
    return remember(str(tmp_path / "state"), "build //...", witnesses, later(), later(), ("answer",))


def ask(tmp_path: Path, question: str = "build //...") -> object:
    return recall(str(tmp_path / "state"), question)


def test_the_answer_holds_while_nothing_changes(tmp_path: Path, source: Path) -> None:
    assert keep(tmp_path, witness(str(source), "file"))
    assert ask(tmp_path) == ("answer",)


def test_another_question_has_no_answer(tmp_path: Path, source: Path) -> None:
    keep(tmp_path, witness(str(source), "file"))
    assert ask(tmp_path, "build //models:all") is None


@pytest.mark.parametrize("kind", ["file", "output"])
def test_an_edit_of_the_same_size_with_its_old_time_restored_is_seen(tmp_path: Path, source: Path, kind: str) -> None:
    keep(tmp_path, witness(str(source), kind))
    source.write_text("two")
    os.utime(source, ns=(LONG_AGO, LONG_AGO))
    assert ask(tmp_path) is None


def test_a_file_that_appears_is_seen(tmp_path: Path) -> None:
    keep(tmp_path, witness(str(tmp_path / "new"), "file"))
    assert ask(tmp_path) == ("answer",)
    (tmp_path / "new").write_text("")
    assert ask(tmp_path) is None


def test_a_new_name_in_a_listed_folder_is_seen(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    keep(tmp_path, witness(str(folder), "directory"))
    (folder / "month=13").write_text("")
    assert ask(tmp_path) is None


def test_a_removed_output_is_seen(tmp_path: Path, source: Path) -> None:
    keep(tmp_path, witness(str(source), "output"))
    source.unlink()
    assert ask(tmp_path) is None


def test_an_input_that_changed_after_the_build_began_makes_no_state(tmp_path: Path, source: Path) -> None:
    seen = witness(str(source), "file")
    changed = seen[4]
    assert not remember(str(tmp_path / "state"), "q", [seen], changed + 1_000_000, later(), ())
    assert ask(tmp_path, "q") is None


def test_every_single_bit_flip_of_the_state_means_no_answer(tmp_path: Path, source: Path) -> None:
    keep(tmp_path, witness(str(source), "file"))
    state = tmp_path / "state"
    whole = state.read_bytes()
    for position in range(len(whole)):
        for bit in range(8):
            damaged = bytearray(whole)
            damaged[position] ^= 1 << bit
            state.write_bytes(bytes(damaged))
            assert ask(tmp_path) is None, (position, bit)


def test_a_forgotten_state_has_no_answer(tmp_path: Path, source: Path) -> None:
    keep(tmp_path, witness(str(source), "file"))
    forget(str(tmp_path / "state"))
    assert ask(tmp_path) is None
