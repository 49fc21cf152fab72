"""The folder of builds: what is kept is what was given, bounded, and nothing that is damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlbuild.journal import again, folder
from mlbuild.journal.entry import Entry, Header
from mlbuild.journal.folder import Journal

BODY = ([("//:t", "Make", "ran", "ab", 0.5, ("make",), (), (), (), 60, ("a.txt",), ("mlbuild-out/t",))],
        {"a.txt": ("file", "00", 3)}, {"//:t": ("genrule", "BUILD.ml", 4, {"cmd": "make"})}, {})  # fmt: skip


def header(name: str) -> Header:
    return Header(name * 8, "build", ("//...",), 1.0, 2.0, 0, 1, 0, 0, 0, "1.0", (("mode", "fast"),))


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(str(tmp_path / "journal"))


def test_a_build_comes_back_as_it_was(journal: Journal) -> None:
    assert journal.keep(header("a"), BODY, 1)
    (build,) = journal.builds()
    assert build.header == header("a")
    assert build.entries == {
        "mlbuild-out/t": Entry(
            "//:t", "Make", "ran", "ab", 0.5, ("make",), (), (), (), 60, ("a.txt",), ("mlbuild-out/t",)
        )
    }
    assert build.values == {"a.txt": ("file", "00", 3)}
    assert build.targets["//:t"].attributes == {"cmd": "make"}


def test_the_newest_build_comes_first(journal: Journal) -> None:
    for number, name in enumerate("abc"):
        journal.keep(header(name), BODY, number)
    assert [each.id[0] for _, each in journal.headers()] == ["c", "b", "a"]


def test_the_oldest_goes_when_there_are_too_many(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "MOST_BUILDS", 2)
    for number, name in enumerate("abc"):
        journal.keep(header(name), BODY, number)
    assert [each.id[0] for _, each in journal.headers()] == ["c", "b"]


def test_the_newest_stays_however_big_it_is(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "MOST_BYTES", 10)
    for number, name in enumerate("ab"):
        journal.keep(header(name), BODY, number)
    assert [each.id[0] for _, each in journal.headers()] == ["b"]


def test_whatever_bit_is_flipped_the_record_is_set_aside_and_the_others_are_told(
    journal: Journal, tmp_path: Path
) -> None:
    journal.keep(header("a"), BODY, 1)
    journal.keep(header("b"), BODY, 2)
    place = tmp_path / "journal" / f"{2:020d}.bbbbbbbb"
    whole = place.read_bytes()
    for position in range(len(whole)):
        place.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        assert [each.header.id[0] for each in journal.builds()] == ["a"]
        assert not place.exists()
        assert (tmp_path / "journal/damaged").exists()


def test_a_record_that_ends_early_is_set_aside(journal: Journal, tmp_path: Path) -> None:
    journal.keep(header("a"), BODY, 1)
    place = tmp_path / "journal" / f"{1:020d}.aaaaaaaa"
    whole = place.read_bytes()
    for length in range(len(whole)):
        place.write_bytes(whole[:length])
        assert list(journal.headers()) == []


def test_what_a_killed_build_was_writing_goes_with_the_next(journal: Journal, tmp_path: Path) -> None:
    journal.keep(header("a"), BODY, 1)
    half = tmp_path / "journal" / f"{2:020d}.bbbbbbbb.new"
    half.write_bytes(b"half")
    assert [each.id[0] for _, each in journal.headers()] == ["a"]
    journal.keep(header("c"), BODY, 3)
    assert not half.exists()


def test_a_folder_that_cannot_be_written_to_keeps_nothing_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text("a file")
    journal = Journal(str(tmp_path / "journal"))
    assert not journal.keep(header("a"), BODY, 1)
    assert list(journal.builds()) == []


def test_builds_with_nothing_to_do_are_lines(tmp_path: Path) -> None:
    again.note(str(tmp_path), 5.25, 0.5, "build", ("//a", "//b\nc"))
    with (tmp_path / again.NAME).open("a") as file:
        file.write("no such line\n")
    again.note(str(tmp_path), 6.0, 0.25, "test", ())
    assert again.noted(str(tmp_path)) == [(5.25, 0.5, "build //a //b c"), (6.0, 0.25, "test")]


def test_lines_of_builds_with_nothing_to_do_begin_anew_when_they_are_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(again, "MOST_BYTES", 20)
    for number in range(3):
        again.note(str(tmp_path), float(number), 0.0, "build", ("//...",))
    assert [began for began, _, _ in again.noted(str(tmp_path))] == [2.0]
