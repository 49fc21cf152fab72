"""What glob patterns match."""

import pytest

from mlbuild.loading.glob import BadPattern, excluder, matching
from mlbuild.seams import EntryKind

TREE: dict[str, tuple[tuple[str, EntryKind], ...]] = {
    "": (
        (".hidden", "file"),
        (".git", "directory"),
        ("a.csv", "file"),
        ("b.csv", "file"),
        ("data", "directory"),
        ("x.py", "file"),
    ),
    ".git": (("config", "file"),),
    "data": (("c.csv", "file"), ("deep", "directory"), ("notes.txt", "file")),
    "data/deep": (("d.csv", "file"), ("deeper", "directory")),
    "data/deep/deeper": (("e.csv", "file"),),
}


def glob(pattern: str, with_directories: bool = False) -> tuple[str, ...]:
    return matching(pattern, lambda folder: TREE.get(folder, ()), with_directories)


def test_a_star_stays_in_its_folder() -> None:
    assert glob("*.csv") == ("a.csv", "b.csv")
    assert glob("data/*") == ("data/c.csv", "data/notes.txt")


def test_two_stars_are_any_number_of_folders() -> None:
    assert glob("**/*.csv") == ("a.csv", "b.csv", "data/c.csv", "data/deep/d.csv", "data/deep/deeper/e.csv")
    assert glob("data/**/deeper/*") == ("data/deep/deeper/e.csv",)
    assert glob("data/deep/**") == ("data/deep/d.csv", "data/deep/deeper/e.csv")


def test_hidden_names_are_matched_only_when_said() -> None:
    assert ".hidden" not in glob("*")
    assert glob(".h*") == (".hidden",)
    assert glob(".git/*") == (".git/config",)


def test_a_pattern_without_stars_is_a_path() -> None:
    assert glob("data/c.csv") == ("data/c.csv",)
    assert glob("data/missing.csv") == ()


def test_folders_are_matched_when_asked_for() -> None:
    assert glob("*", with_directories=True) == ("a.csv", "b.csv", "data", "x.py")


@pytest.mark.parametrize("pattern", ["", "/abs", "../up", "a//b", "a/**b"])
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(BadPattern):
        glob(pattern)


def test_excluded_paths_are_matched_whole() -> None:
    is_excluded = excluder(["**/*.txt", "data/deep/**"])
    assert [is_excluded(path) for path in ("notes.txt", "data/notes.txt", "data/deep/d.csv", "data/c.csv")] == [
        True, True, True, False,
    ]  # fmt: skip
