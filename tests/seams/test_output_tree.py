"""The laws of `OutputTree`. In memory there is nothing to place, so only the disk has laws to keep."""

from pathlib import Path

import pytest

from mlbuild.diagnostics import UserError
from mlbuild.files.memory import MemoryOutputTree
from mlbuild.files.output_tree import DiskOutputTree
from mlbuild.reapi import encode_directory
from mlbuild.seams import BlobMissing, OutputTree
from mlbuild.store import MemoryStore
from mlbuild.terms import Digest, Directory, FileNode, FileValue, TreeValue

ABSENT = Digest("a" * 64, 3)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture(params=["disk", "memory"])
def outputs(request: pytest.FixtureRequest, tmp_path: Path, store: MemoryStore) -> OutputTree:
    return DiskOutputTree(tmp_path, store, None) if request.param == "disk" else MemoryOutputTree()


def held(outputs: OutputTree, root: Path, path: str) -> object:
    if isinstance(outputs, MemoryOutputTree):
        return outputs.placed.get(path)
    place = root / path
    if place.is_dir():
        return {each.name: each.read_bytes() for each in place.iterdir()}
    return place.read_bytes() if place.exists() else None


def test_a_file_is_placed(outputs: OutputTree, store: MemoryStore, tmp_path: Path) -> None:
    value = FileValue(store.put(b"weights"))
    outputs.place("mlbuild-out/models/ranker", value)
    assert held(outputs, tmp_path, "mlbuild-out/models/ranker") in (b"weights", value)


def test_the_last_value_counts_whatever_its_kind(outputs: OutputTree, store: MemoryStore, tmp_path: Path) -> None:
    file = FileValue(store.put(b"weights"))
    tree = TreeValue(store.put(encode_directory(Directory((FileNode("a", file.digest),)))))
    for value, content in ((file, b"weights"), (tree, {"a": b"weights"}), (file, b"weights")):
        outputs.place("mlbuild-out/x", value)
        assert held(outputs, tmp_path, "mlbuild-out/x") in (content, value)


@pytest.mark.parametrize("path", ["mlbuild-out/../x", "/mlbuild-out/x", "mlbuild-out//x"])
def test_nothing_is_placed_at_a_path_that_leads_out(outputs: OutputTree, store: MemoryStore, path: str) -> None:
    with pytest.raises(UserError):
        outputs.place(path, FileValue(store.put(b"x")))


def test_nothing_is_placed_among_the_sources(outputs: OutputTree, store: MemoryStore) -> None:
    with pytest.raises(ValueError, match="mlbuild-out"):
        outputs.place("models/train.py", FileValue(store.put(b"x")))


def test_half_a_tree_is_never_placed(store: MemoryStore, tmp_path: Path) -> None:
    tree = TreeValue(store.put(encode_directory(Directory((FileNode("a", store.put(b"a")), FileNode("b", ABSENT))))))
    with pytest.raises(BlobMissing):
        DiskOutputTree(tmp_path, store, None).place("mlbuild-out/x", tree)
    assert list((tmp_path / "mlbuild-out").iterdir()) == []
