"""What a staged tree should hold: any change of its bytes is noticed, whatever the times say."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from mlbuild.files import tree_list
from mlbuild.terms import Digest

TIME = 315_532_800 * 10**9


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    (root / "folder").mkdir(parents=True)
    (root / "folder" / "a").write_bytes(b"one")
    (root / "link").symlink_to("folder/a")
    for path in (root / "folder" / "a", root / "link", root / "folder", root):
        os.utime(path, ns=(TIME, TIME), follow_symlinks=False)
    return root


def entries(root: Path) -> list[tree_list.Entry]:
    def mode(path: str) -> int:
        return (root / path).lstat().st_mode

    return [
        ("", mode(""), 0, ""),
        ("folder", mode("folder"), 0, ""),
        ("link", mode("link"), 0, "folder/a"),
        ("folder/a", mode("folder/a"), 3, Digest.of(b"one").hash),
    ]


def look_over(root: Path, known: tree_list.TreeList | None = None) -> tree_list.TreeList | None:
    descriptor = os.open(root, os.O_PATH | os.O_DIRECTORY)
    try:
        return tree_list.looked_over(known or tree_list.taken(entries(root), descriptor), descriptor, TIME)
    finally:
        os.close(descriptor)


def edited(root: Path) -> None:
    (root / "folder" / "a").write_bytes(b"two")


def another_link(root: Path) -> None:
    (root / "link").unlink()
    (root / "link").symlink_to("folder/b")


def one_more(root: Path) -> None:
    (root / "folder" / "b").write_bytes(b"more")


@pytest.mark.parametrize("harm", [edited, another_link, one_more])
def test_a_change_whose_times_were_set_back_is_noticed(tree: Path, harm: Callable[[Path], None]) -> None:
    before = look_over(tree)
    assert before is not None and look_over(tree, before) == before
    harm(tree)
    for path in (tree / "folder" / "a", tree / "link", tree / "folder", tree):
        os.utime(path, ns=(TIME, TIME), follow_symlinks=False)
    assert look_over(tree, before) is None


def test_what_only_looks_otherwise_is_read_and_its_stamp_learnt(tree: Path) -> None:
    before = look_over(tree)
    os.link(tree / "folder" / "a", tree.parent / "elsewhere")
    after = look_over(tree, before)
    assert before is not None and after is not None
    assert (after.entries, after.stamps != before.stamps) == (before.entries, True)


def test_after_a_start_of_the_machine_everything_is_read(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = look_over(tree)
    assert before is not None
    place = tree / "folder" / "a"
    place.write_bytes(b"two")
    os.utime(place, ns=(TIME, TIME))
    # As if a flaw had changed nothing but the bytes: all stamps are those that are known.
    monkeypatch.setattr(tree_list, "SAMPLE", 0)
    found = [os.stat(tree / path, follow_symlinks=False) for path, *_ in before.entries]
    same = tree_list.TreeList(before.entries, tuple((each.st_ino, each.st_ctime_ns) for each in found), before.boot)
    assert look_over(tree, same) is not None
    monkeypatch.setattr(tree_list, "boot", lambda: "another")
    assert look_over(tree, same) is None


def test_small_trees_are_read_at_each_use(tree: Path) -> None:
    before = look_over(tree)
    assert before is not None
    place = tree / "folder" / "a"
    place.write_bytes(b"two")
    os.utime(place, ns=(TIME, TIME))
    found = [os.stat(tree / path, follow_symlinks=False) for path, *_ in before.entries]
    same = tree_list.TreeList(before.entries, tuple((each.st_ino, each.st_ctime_ns) for each in found), before.boot)
    assert look_over(tree, same) is None
    assert stat.S_ISREG(place.stat().st_mode)
