from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from mlbuild.fetch.collected import Collected, Plan
from mlbuild.fetch.tree import HostFile, Link, Made
from mlbuild.terms import Digest

Age = Callable[[Path], None]


class Planner:
    """Counts how often it is asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked = 0

    def __call__(self) -> Plan:
        self.asked += 1
        names = sorted(path.name for path in self.folder.iterdir())
        return Plan({name: HostFile(str(self.folder / name)) for name in names}, (str(self.folder),))


def setting(tmp_path: Path, store: Any, old: Age) -> tuple[Planner, Callable[[], Collected]]:
    folder = tmp_path / "host"
    folder.mkdir()
    (folder / "a").write_text("one")
    old(folder)
    later = 1 << 62  # a moment when every file is old, whatever its change time
    return Planner(folder), lambda: Collected(str(tmp_path / "memory"), store, lambda: later)


def test_nothing_is_planned_again_while_the_files_look_the_same(tmp_path: Path, store: Any, old: Age) -> None:
    plan, collected = setting(tmp_path, store, old)
    first = collected().tree("x", plan)
    assert collected().tree("x", plan) == first
    assert plan.asked == 1
    assert store.listing(first) == {"a": b"one"}


def test_a_changed_file_is_collected_again(tmp_path: Path, store: Any, old: Age) -> None:
    plan, collected = setting(tmp_path, store, old)
    collected().tree("x", plan)
    (plan.folder / "a").write_text("two")
    assert store.listing(collected().tree("x", plan)) == {"a": b"two"}


def test_a_new_file_in_a_watched_folder_is_collected(tmp_path: Path, store: Any, old: Age) -> None:
    plan, collected = setting(tmp_path, store, old)
    collected().tree("x", plan)
    (plan.folder / "b").write_text("new")
    assert store.listing(collected().tree("x", plan)) == {"a": b"one", "b": b"new"}


def test_a_blob_that_the_store_lost_is_collected_again(tmp_path: Path, store: Any, old: Age) -> None:
    plan, collected = setting(tmp_path, store, old)
    first = collected().tree("x", plan)
    store.lose(Digest.of(b"one"))
    assert collected().tree("x", plan) == first
    assert store.listing(first) == {"a": b"one"}


def test_a_damaged_memory_costs_time_only(tmp_path: Path, store: Any, old: Age) -> None:
    plan, collected = setting(tmp_path, store, old)
    first = collected().tree("x", plan)
    (memo,) = (tmp_path / "memory").iterdir()
    whole = memo.read_bytes()
    for damage in (
        b"",
        whole[:-10],
        whole.replace(b"one", b"two", 1)[:50],
        b"\0" + whole,
        whole[:100] + b"x" + whole[101:],
    ):
        memo.write_bytes(damage)
        assert collected().tree("x", plan) == first
    assert plan.asked == 6


def test_files_that_are_too_young_are_not_relied_on(tmp_path: Path, store: Any, old: Age) -> None:
    plan, _ = setting(tmp_path, store, old)
    moment = (plan.folder / "a").stat().st_ctime_ns + 1_000_000
    for _ in range(2):
        Collected(str(tmp_path / "memory"), store, lambda: moment).tree("x", plan)
    assert plan.asked == 2


def test_a_memory_that_cannot_be_written_fails_nothing(tmp_path: Path, store: Any, old: Age) -> None:
    plan, _ = setting(tmp_path, store, old)
    (tmp_path / "file").touch()
    tree = Collected(str(tmp_path / "file/below"), store, lambda: 1 << 62).tree("x", plan)
    assert store.listing(tree) == {"a": b"one"}


def test_witnesses_are_what_the_tree_depends_on_when_remembered_too(tmp_path: Path, store: Any, old: Age) -> None:
    plan, collected = setting(tmp_path, store, old)
    for _ in range(2):
        again = collected()
        again.tree("x", plan)
        assert [(path, kind) for path, kind, *_ in again.witnesses] == [
            (str(plan.folder), "directory"),
            (str(plan.folder / "a"), "file"),
        ]


def test_made_files_and_links_are_kept_with_their_modes(tmp_path: Path, store: Any) -> None:
    pieces = {"bin/x": Made(b"x", is_executable=True), "bin/y": Link("x"), "etc/deep/z": Made(b"z")}
    tree = Collected(str(tmp_path), store).tree("x", lambda: Plan(pieces))
    assert store.listing(tree) == {"bin/x*": b"x", "bin/y": "-> x", "etc/deep/z": b"z"}
