"""The laws of `SourceTree`, for every implementation."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from mlbuild.diagnostics import UserError
from mlbuild.files.memory import MemorySourceTree
from mlbuild.files.source_tree import DiskSourceTree
from mlbuild.files.states import FileStates
from mlbuild.reapi import decode_directory
from mlbuild.seams import SourceTree
from mlbuild.store import MemoryStore
from mlbuild.terms import Digest, DirectoryNode, FileNode, FileValue, TreeValue

FILES = {
    "BUILD.ml": b"",
    "models/train.py": b"train",
    "models/data/b.csv": b"b",
    "models/data/a.csv": b"a",
    "models/data/raw/c.csv": b"c",
    "external/mlbuild/rules/run.py": b"run",
}

Make = Callable[[Mapping[str, bytes]], SourceTree]


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture(params=["disk", "memory"])
def make(request: pytest.FixtureRequest, tmp_path: Path, store: MemoryStore) -> Make:
    def on_disk(files: Mapping[str, bytes]) -> SourceTree:
        workspace, rules = tmp_path / "workspace", tmp_path / "rules"
        for folder in (workspace, rules):
            folder.mkdir()
        for path, content in files.items():
            inside = path.removeprefix("external/mlbuild/")
            place = (workspace if inside == path else rules) / inside
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        return DiskSourceTree(workspace, {"mlbuild": rules}, store, FileStates(None))

    if request.param == "disk":
        return on_disk
    return lambda files: MemorySourceTree(files, store)


@pytest.fixture
def tree(make: Make) -> SourceTree:
    return make(FILES)


def test_a_file_is_read(tree: SourceTree) -> None:
    assert tree.read("models/train.py") == b"train"


def test_a_file_of_another_repository_is_read(tree: SourceTree) -> None:
    assert tree.read("external/mlbuild/rules/run.py") == b"run"


def test_a_folder_is_listed_by_name(tree: SourceTree) -> None:
    assert tree.list("models/data") == (("a.csv", "file"), ("b.csv", "file"), ("raw", "directory"))


def test_the_root_of_another_repository_is_listed(tree: SourceTree) -> None:
    assert tree.list("external/mlbuild") == (("rules", "directory"),)


def test_kinds(tree: SourceTree) -> None:
    kinds = [tree.kind(path) for path in ("", "models", "models/train.py", "models/none", "models/train.py/x")]
    assert kinds == ["directory", "directory", "file", None, None]


@pytest.mark.parametrize("path", ["none", "models/none/x", "models/train.py/x"])
def test_what_is_not_there_is_not_found(tree: SourceTree, path: str) -> None:
    for ask in (tree.read, tree.list, tree.ingest):
        with pytest.raises(FileNotFoundError):
            ask(path)


def test_a_folder_cannot_be_read(tree: SourceTree) -> None:
    with pytest.raises(IsADirectoryError):
        tree.read("models")


def test_a_file_cannot_be_listed(tree: SourceTree) -> None:
    with pytest.raises(FileNotFoundError):
        tree.list("models/train.py")


def test_an_ingested_file_is_in_the_store(tree: SourceTree, store: MemoryStore) -> None:
    assert tree.ingest("models/train.py") == FileValue(Digest.of(b"train"))
    assert store.get(Digest.of(b"train")) == b"train"


def test_an_ingested_folder_is_a_tree_in_the_store(tree: SourceTree, store: MemoryStore) -> None:
    value = tree.ingest("models/data")
    assert isinstance(value, TreeValue)
    root = decode_directory(store.get(value.digest))
    assert root.files == (FileNode("a.csv", Digest.of(b"a")), FileNode("b.csv", Digest.of(b"b")))
    (raw,) = root.directories
    assert raw.name == "raw"
    assert decode_directory(store.get(raw.digest)).files == (FileNode("c.csv", Digest.of(b"c")),)
    assert store.missing([Digest.of(b"c")]) == ()


def test_an_ingested_folder_is_what_its_part_is(tree: SourceTree, store: MemoryStore) -> None:
    whole = tree.ingest("models/data")
    part = tree.ingest("models/data/raw")
    assert decode_directory(store.get(whole.digest)).directories == (DirectoryNode("raw", part.digest),)


@pytest.mark.parametrize(
    "path", ["../secret", "/etc/passwd", "models/../../x", "models//train.py", "./models", "models/"]
)
def test_a_path_never_leads_out(tree: SourceTree, path: str) -> None:
    for ask in (tree.read, tree.list, tree.kind, tree.ingest):
        with pytest.raises(UserError) as caught:
            ask(path)
        assert caught.value.diagnostics[0].code == "path-outside-workspace"


def test_outputs_are_never_inputs(make: Make) -> None:
    tree = make({"mlbuild-out/models/ranker": b"old", "models/train.py": b""})
    assert tree.list("") == (("models", "directory"),)
    for ask in (tree.read, tree.list, tree.kind, tree.ingest):
        with pytest.raises(UserError) as caught:
            ask("mlbuild-out/models")
        assert caught.value.diagnostics[0].code == "output-as-input"


def test_the_digest_is_that_of_what_is_read(tree: SourceTree) -> None:
    for path in FILES:
        assert tree.digest(path) == Digest.of(tree.read(path)) == tree.digest(path)
    with pytest.raises(FileNotFoundError):
        tree.digest("models/absent.py")
    with pytest.raises(IsADirectoryError):
        tree.digest("models")
