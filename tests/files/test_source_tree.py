"""Sources on disk: links, odd files, and what changes while it is read."""

import os
from pathlib import Path
from typing import BinaryIO

import pytest

from mlbuild.diagnostics import UserError
from mlbuild.files.last_build import recall, remember
from mlbuild.files.remove import remove_tree
from mlbuild.files.source_tree import DiskSourceTree
from mlbuild.files.states import FileStates, Stamp
from mlbuild.reapi import decode_directory
from mlbuild.store import MemoryStore
from mlbuild.terms import Digest, FileNode, FileValue

LONG_AGO = 10**18
FAR = 4 * 10**18


class Workspace:
    """A workspace and what one build after the other knows of it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "workspace"
        self.root.mkdir()
        self.state = folder / "state"
        self.store = CountingStore()
        self.states = FileStates(self.state / "files")
        self.tree = self.next_build()

    def next_build(self) -> DiskSourceTree:
        self.states.save()
        self.states = FileStates(self.state / "files")
        self.tree = DiskSourceTree(self.root, {}, self.store, self.states)
        return self.tree

    def write(self, path: str, content: bytes) -> Path:
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        return place

    def remember(self) -> None:
        assert remember(str(self.state / "last"), "build", self.states.witnesses(), FAR, FAR, ("done",))

    def is_answered(self) -> bool:
        return recall(str(self.state / "last"), "build") is not None


class CountingStore(MemoryStore):
    """Counts the files that were copied, and lets somebody else write while that happens."""

    copied = 0
    meanwhile = staticmethod(lambda: None)

    def put_stream(self, source: BinaryIO) -> Digest:
        self.copied += 1
        data = source.read()
        self.meanwhile()
        return self.put(data + source.read())


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


def settle(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if every file had been there for long when it is read."""
    monkeypatch.setattr("time.time_ns", lambda: FAR)


def code_of(error: pytest.ExceptionInfo[UserError]) -> str:
    return error.value.diagnostics[0].code


def test_an_unchanged_file_is_not_read_again(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    settle(monkeypatch)
    workspace.write("a", b"one")
    workspace.tree.ingest("a")
    assert workspace.next_build().ingest("a") == FileValue(Digest.of(b"one"))
    assert workspace.store.copied == 1


def test_a_file_changed_a_moment_ago_is_read_again(workspace: Workspace) -> None:
    place = workspace.write("a", b"one")
    workspace.tree.ingest("a")
    before = place.stat()
    place.write_bytes(b"two")
    os.utime(place, ns=(before.st_mtime_ns, before.st_mtime_ns))
    assert workspace.next_build().ingest("a") == FileValue(Digest.of(b"two"))


def test_a_touched_file_is_not_copied_again(workspace: Workspace) -> None:
    place = workspace.write("a", b"one")
    workspace.tree.ingest("a")
    place.touch()
    assert workspace.next_build().ingest("a") == FileValue(Digest.of(b"one"))
    assert workspace.store.copied == 1


def test_a_file_is_read_again_when_the_store_has_lost_it(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    settle(monkeypatch)
    workspace.write("a", b"one")
    workspace.tree.ingest("a")
    workspace.store.lose(Digest.of(b"one"))
    workspace.next_build().ingest("a")
    assert workspace.store.get(Digest.of(b"one")) == b"one"


def test_an_edit_with_the_same_size_and_time_is_seen(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    settle(monkeypatch)
    place = workspace.write("a", b"one")
    os.utime(place, ns=(LONG_AGO, LONG_AGO))
    workspace.tree.ingest("a")
    place.write_bytes(b"two")
    os.utime(place, ns=(LONG_AGO, LONG_AGO))
    assert workspace.next_build().ingest("a") == FileValue(Digest.of(b"two"))


def test_permission_to_run_is_a_part_of_the_value(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    settle(monkeypatch)
    place = workspace.write("a", b"one")
    workspace.tree.ingest("a")
    place.chmod(0o755)
    assert workspace.next_build().ingest("a") == FileValue(Digest.of(b"one"), is_executable=True)


def test_a_file_that_changes_once_while_it_is_read_is_read_again(workspace: Workspace) -> None:
    place = workspace.write("a", b"one")

    def append_once() -> None:
        workspace.store.meanwhile = lambda: None  # type: ignore[method-assign]
        place.write_bytes(b"one and two")

    workspace.store.meanwhile = append_once  # type: ignore[method-assign]
    assert workspace.tree.ingest("a") == FileValue(Digest.of(b"one and two"))


def test_a_file_that_never_rests_is_an_error(workspace: Workspace) -> None:
    place = workspace.write("a", b"")

    def append() -> None:
        with place.open("ab") as file:
            file.write(b"x")

    workspace.store.meanwhile = append  # type: ignore[method-assign]
    with pytest.raises(UserError) as caught:
        workspace.tree.ingest("a")
    assert code_of(caught) == "input-changed"


def test_a_path_gives_the_same_value_all_through_a_build(workspace: Workspace) -> None:
    place = workspace.write("a", b"one")
    value = workspace.tree.ingest("a")
    place.write_bytes(b"two")
    assert workspace.tree.ingest("a") == value


@pytest.mark.parametrize("first", ["read", "ingest"])
def test_other_bytes_under_a_path_in_one_build_are_an_error(workspace: Workspace, first: str) -> None:
    place = workspace.write("a", b"one")
    getattr(workspace.tree, first)("a")
    place.write_bytes(b"two!")
    with pytest.raises(UserError) as caught:
        workspace.tree.read("a")
    assert code_of(caught) == "input-changed"
    assert caught.value.diagnostics[0].message == "`a` changed while the build was reading it"


def test_links_are_followed_inside_the_workspace(workspace: Workspace) -> None:
    workspace.write("data/v1/a.csv", b"one")
    (workspace.root / "data/latest").symlink_to("v1")
    (workspace.root / "link.csv").symlink_to("data/latest/a.csv")
    assert workspace.tree.read("link.csv") == b"one"
    assert workspace.tree.list("data") == (("latest", "directory"), ("v1", "directory"))
    assert workspace.tree.ingest("data/latest") == workspace.tree.ingest("data/v1")
    assert workspace.tree.ingest("data/latest/a.csv") == FileValue(Digest.of(b"one"))


@pytest.mark.parametrize("target", ["/etc", "../../outside", "inner"])
def test_a_link_that_leads_out_is_refused_and_not_listed(workspace: Workspace, tmp_path: Path, target: str) -> None:
    (tmp_path / "outside").mkdir()
    (workspace.root / "data").mkdir()
    (workspace.root / "data/inner").symlink_to(tmp_path / "outside")
    (workspace.root / "data/link").symlink_to(target)
    assert workspace.tree.list("data") == ()
    for ask in (workspace.tree.kind, workspace.tree.ingest, workspace.tree.list, workspace.tree.read):
        with pytest.raises(UserError) as caught:
            ask("data/link")
        assert code_of(caught) == "path-outside-workspace"
    with pytest.raises(UserError):
        workspace.tree.read("data/link/passwd")


def test_a_folder_whose_name_only_begins_like_the_workspace_is_outside(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "workspace-2").mkdir()
    (workspace.root / "link").symlink_to(tmp_path / "workspace-2")
    with pytest.raises(UserError):
        workspace.tree.kind("link")


@pytest.mark.parametrize("target", ["mlbuild-out/models", "data/../mlbuild-out"])
def test_a_link_to_outputs_is_no_way_to_them(workspace: Workspace, target: str) -> None:
    workspace.write("mlbuild-out/models/ranker", b"old")
    workspace.write("data/a", b"")
    (workspace.root / "link").symlink_to(target)
    (workspace.root / "data/up").symlink_to("..")
    with pytest.raises(UserError) as caught:
        workspace.tree.ingest("link")
    assert code_of(caught) == "output-as-input"
    assert ("mlbuild-out", "directory") not in workspace.tree.list("data/up")
    with pytest.raises(UserError):
        workspace.tree.read("data/up/mlbuild-out/models/ranker")


def test_a_folder_in_itself_is_an_error(workspace: Workspace) -> None:
    workspace.write("data/a", b"")
    (workspace.root / "data/again").symlink_to(".")
    with pytest.raises(UserError) as caught:
        workspace.tree.ingest("data")
    assert code_of(caught) == "endless-folder"


def test_links_in_a_circle_and_to_nothing_are_not_there(workspace: Workspace) -> None:
    (workspace.root / "a").symlink_to("b")
    (workspace.root / "b").symlink_to("a")
    (workspace.root / "none").symlink_to("nowhere")
    assert workspace.tree.list("") == ()
    assert [workspace.tree.kind(name) for name in ("a", "none", "a/x")] == [None, None, None]


def test_pipes_are_no_files_and_never_waited_for(workspace: Workspace) -> None:
    os.mkfifo(workspace.root / "pipe")
    assert workspace.tree.kind("pipe") is None
    assert workspace.tree.list("") == ()
    for ask in (workspace.tree.read, workspace.tree.ingest):
        with pytest.raises(UserError) as caught:
            ask("pipe")
        assert code_of(caught) == "odd-source"


def test_a_name_that_is_not_utf_8_is_refused_in_words(workspace: Workspace) -> None:
    (workspace.root / os.fsdecode(b"caf\xe9.csv")).write_bytes(b"")
    with pytest.raises(UserError) as caught:
        workspace.tree.list("")
    assert code_of(caught) == "name-not-utf8"
    assert caught.value.diagnostics[0].message == "the folder `.` holds a name that is not UTF-8: b'caf\\xe9.csv'"


def test_a_file_that_may_not_be_read_is_said(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> int:
        raise PermissionError(13, "Permission denied")

    workspace.write("a", b"one")
    monkeypatch.setattr("mlbuild.files.source_tree.os.open", refuse)
    with pytest.raises(UserError) as caught:
        workspace.tree.ingest("a")
    assert caught.value.diagnostics[0].message == "`a` cannot be read: permission denied"


def test_deep_folders_are_taken(workspace: Workspace) -> None:
    place = str(workspace.root / "data")
    os.mkdir(place)
    for _ in range(1500):
        place += "/d"
        os.mkdir(place)
    try:
        root = decode_directory(workspace.store.get(workspace.tree.ingest("data").digest))
    finally:
        remove_tree(workspace.root)
    assert [each.name for each in root.directories] == ["d"]


def test_empty_folders_are_a_part_of_a_tree(workspace: Workspace) -> None:
    workspace.write("data/a", b"one")
    (workspace.root / "data/empty").mkdir()
    root = decode_directory(workspace.store.get(workspace.tree.ingest("data").digest))
    assert root.files == (FileNode("a", Digest.of(b"one")),)
    assert [each.name for each in root.directories] == ["empty"]


def point_elsewhere(workspace: Workspace) -> None:
    (workspace.root / "latest").unlink()
    (workspace.root / "latest").symlink_to("v2")


@pytest.mark.parametrize(
    ("ask", "change"),
    [
        ("read a", lambda w: w.write("a", b"two")),
        ("ingest a", lambda w: (w.root / "a").unlink()),
        ("kind a", lambda w: (w.root / "a").unlink()),
        ("kind none", lambda w: w.write("none", b"")),
        ("kind v1", lambda w: (w.root / "v1/x").write_bytes(b"")),
        ("list v1", lambda w: (w.root / "v1/x").write_bytes(b"")),
        ("ingest v1", lambda w: (w.root / "v1/m").write_bytes(b"longer")),
        ("read latest/m", point_elsewhere),
        ("ingest latest", point_elsewhere),
        ("kind dangling", lambda w: w.write("nowhere", b"")),
        ("list links", lambda w: w.write("nowhere", b"")),
    ],
)
def test_every_change_of_what_was_asked_for_shows(workspace: Workspace, ask: str, change: object) -> None:
    workspace.write("a", b"one")
    workspace.write("v1/m", b"v1")
    workspace.write("v2/m", b"v2")
    (workspace.root / "latest").symlink_to("v1")
    (workspace.root / "dangling").symlink_to("nowhere")
    (workspace.root / "links").mkdir()
    (workspace.root / "links/dangling").symlink_to("../nowhere")
    what, path = ask.split(" ")
    getattr(workspace.tree, what)(path)
    workspace.remember()
    assert workspace.is_answered()
    assert callable(change)
    change(workspace)
    assert not workspace.is_answered()


def test_a_file_that_looks_as_before_is_not_read_for_its_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "workspace" / "a.ml"
    file.parent.mkdir()
    file.write_bytes(b"x = 1")
    os.utime(file, ns=(1, 1))
    states = FileStates(None)
    stamp = Stamp.of(file.stat())
    states.learn(str(file), stamp, stamp.ctime_ns + 10**11, Digest.of(b"x = 1"))
    tree = DiskSourceTree(file.parent, {}, MemoryStore(), states)
    monkeypatch.setattr(tree, "read", lambda path: pytest.fail("read"))
    assert tree.digest("a.ml") == Digest.of(b"x = 1")


def test_an_edited_file_is_read_for_its_digest(tmp_path: Path) -> None:
    file = tmp_path / "workspace" / "a.ml"
    file.parent.mkdir()
    file.write_bytes(b"x = 1")
    states = FileStates(None)
    assert DiskSourceTree(file.parent, {}, MemoryStore(), states).digest("a.ml") == Digest.of(b"x = 1")
    file.write_bytes(b"x = 2")
    changed = DiskSourceTree(file.parent, {}, MemoryStore(), states)
    assert changed.digest("a.ml") == Digest.of(b"x = 2")
    file.write_bytes(b"x = 3")
    with pytest.raises(UserError, match="changed"):
        changed.read("a.ml")


def test_an_interrupt_while_a_file_is_opened_comes_through_and_leaves_no_descriptor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "workspace" / "a.ml"
    file.parent.mkdir()
    file.write_bytes(b"x = 1")
    states = FileStates(None)
    tree = DiskSourceTree(file.parent, {}, MemoryStore(), states)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(states, "saw", interrupted)
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(KeyboardInterrupt):
        tree.read("a.ml")
    assert len(os.listdir("/proc/self/fd")) == before
