"""What is known about files: trusted only when a later change would show."""

import os
import time
from pathlib import Path

import pytest

from mlbuild.files import states as module
from mlbuild.files.last_build import recall, remember
from mlbuild.files.states import FileStates, Stamp
from mlbuild.terms import Digest

SECOND = 1_000_000_000
OLD = Stamp(size=3, mtime_ns=5 * SECOND + 1, ctime_ns=5 * SECOND + 1, inode=7, mode=0o100644)
LATER = 6 * SECOND
ONE = Digest.of(b"one")


def test_a_file_that_looks_the_same_has_the_same_digest(tmp_path: Path) -> None:
    states = FileStates(tmp_path / "files")
    states.learn("/w/a", OLD, LATER, ONE)
    states.save()
    assert FileStates(tmp_path / "files").digest("/w/a", OLD) == ONE


@pytest.mark.parametrize(
    "change", [{"size": 4}, {"mtime_ns": 1}, {"ctime_ns": 1}, {"inode": 8}, {"mode": 0o100755}], ids=str
)
def test_a_file_that_looks_otherwise_is_read_again(change: dict[str, int]) -> None:
    states = FileStates(None)
    states.learn("/w/a", OLD, LATER, ONE)
    assert states.digest("/w/a", OLD._replace(**change)) is None


@pytest.mark.parametrize(
    ("ctime_ns", "taken_ns", "is_trusted"),
    [
        (5 * SECOND + 1, 5 * SECOND + 1, False),
        (5 * SECOND + 1, 5 * SECOND + 20_000_001, False),
        (5 * SECOND + 1, 5 * SECOND + 20_000_002, True),
        # Whole milliseconds: a file system that keeps nothing finer, and maybe far less.
        (5 * SECOND, 7 * SECOND, False),
        (5 * SECOND, 7 * SECOND + 1, True),
        # A clock that was set back.
        (9 * SECOND + 1, 5 * SECOND, False),
    ],
)
def test_a_file_changed_just_before_it_was_read_is_not_trusted(ctime_ns: int, taken_ns: int, is_trusted: bool) -> None:
    states = FileStates(None)
    stamp = OLD._replace(mtime_ns=ctime_ns, ctime_ns=ctime_ns)
    states.learn("/w/a", stamp, taken_ns, ONE)
    assert states.digest("/w/a", stamp) == (ONE if is_trusted else None)
    assert states.last_digest("/w/a", 3) == ONE


def test_an_mtime_in_the_future_does_not_matter() -> None:
    states = FileStates(None)
    stamp = OLD._replace(mtime_ns=10**18)
    states.learn("/w/a", stamp, LATER, ONE)
    assert states.digest("/w/a", stamp) == ONE


def test_no_flipped_bit_of_the_memo_is_served(tmp_path: Path) -> None:
    path = tmp_path / "files"
    states = FileStates(path)
    states.learn("/w/a", OLD, LATER, ONE)
    states.save()
    content = path.read_bytes()
    for bit in range(len(content) * 8):
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(bytes(damaged))
        assert FileStates(path).digest("/w/a", OLD) is None


@pytest.mark.parametrize("content", [b"", b"mlbuild-file-states-2\n", b"x" * 100])
def test_a_memo_that_is_none_is_an_empty_one(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "files").write_bytes(content)
    assert FileStates(tmp_path / "files").digest("/w/a", OLD) is None


def test_a_folder_that_cannot_be_written_costs_the_memo_only(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    states = FileStates(tmp_path / "file" / "files")
    states.learn("/w/a", OLD, LATER, ONE)
    states.save()
    assert states.digest("/w/a", OLD) == ONE


def test_files_of_long_ago_are_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "files"
    states = FileStates(path)
    for number in range(10_003):
        states.learn(f"/w/{number}", OLD, LATER, ONE)
    states.save()
    states = FileStates(path)
    states.learn("/w/0", OLD, LATER, ONE)
    states.save()
    assert FileStates(path).digest("/w/0", OLD) == ONE
    assert FileStates(path).digest("/w/1", OLD) is None


def test_witnesses_answer_for_the_build(tmp_path: Path) -> None:
    source = tmp_path / "a"
    source.write_text("one")
    states = FileStates(None)
    states.saw(str(source), os.stat(source), "file")
    states.saw(str(tmp_path), os.stat(tmp_path), "directory")
    states.saw_nothing(str(tmp_path / "BUILD.ml"))
    far = 4 * 10**18
    assert remember(str(tmp_path / ".." / "state"), "build", states.witnesses(), far, far, ("done",))
    assert recall(str(tmp_path / ".." / "state"), "build") == ("done",)
    (tmp_path / "BUILD.ml").write_text("")
    assert recall(str(tmp_path / ".." / "state"), "build") is None


@pytest.mark.parametrize(("before_ns", "is_trusted"), [(121 * SECOND, True), (119 * SECOND, False)])
def test_after_a_start_of_the_machine_what_changed_last_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before_ns: int, is_trusted: bool
) -> None:
    stamp = OLD._replace(ctime_ns=time.time_ns() - before_ns)
    states = FileStates(tmp_path / "files")
    states.learn("/w/a", stamp, LATER + time.time_ns(), ONE)
    states.save()
    assert FileStates(tmp_path / "files").digest("/w/a", stamp) == ONE
    monkeypatch.setattr(module, "boot", lambda: "another run")
    assert FileStates(tmp_path / "files").digest("/w/a", stamp) == (ONE if is_trusted else None)
    assert FileStates(tmp_path / "files").last_digest("/w/a", 3) == Digest(ONE.hash, 3)
