"""Outputs on disk: copies, never again without need, and always what their digest says."""

import os
import subprocess
from pathlib import Path

import pytest

from mlbuild.diagnostics import ExitCode, UserError
from mlbuild.files import output_tree
from mlbuild.files.last_build import recall, remember
from mlbuild.files.output_tree import DiskOutputTree
from mlbuild.reapi import encode_directory
from mlbuild.store import DiskStore
from mlbuild.terms import Directory, DirectoryNode, FileNode, FileValue, SymlinkNode, TreeValue

FAR = 4 * 10**18


class Place:
    """A workspace whose outputs are placed by one process after the other."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "workspace"
        self.root.mkdir()
        self.memory = folder / "placed"
        self.store = DiskStore(folder / "cache")
        self.outputs = DiskOutputTree(self.root, self.store, self.memory)

    def next_build(self) -> DiskOutputTree:
        self.outputs.save()
        self.outputs = DiskOutputTree(self.root, self.store, self.memory)
        return self.outputs

    def file(self, content: bytes, is_executable: bool = False) -> FileValue:
        return FileValue(self.store.put(content), is_executable)

    def tree(self, content: bytes = b"weights") -> TreeValue:
        inner = Directory((FileNode("weights", self.store.put(content)),))
        folder = self.store.put(encode_directory(inner))
        links = (SymlinkNode("latest", "epoch-1/weights"),)
        files = (FileNode("card.md", self.store.put(b"card")), FileNode("run", self.store.put(b"run"), True))
        return TreeValue(self.store.put(encode_directory(Directory(files, (DirectoryNode("epoch-1", folder),), links))))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


X = "mlbuild-out/models/x"


def test_files_are_copies_that_nobody_may_write(place: Place) -> None:
    value = place.file(b"weights")
    place.outputs.place(X, value)
    found = (place.root / X).stat()
    assert found.st_mode & 0o777 == 0o444
    assert (found.st_nlink, found.st_ino != place.store.path_of(value.digest).stat().st_ino) == (1, True)


def test_programs_may_be_run(place: Place) -> None:
    place.outputs.place(X, place.file(b"#!/bin/sh\n", is_executable=True))
    assert (place.root / X).stat().st_mode & 0o777 == 0o555


def test_a_tree_is_placed_with_its_folders_and_links(place: Place) -> None:
    place.outputs.place(X, place.tree())
    assert (place.root / X / "latest").read_bytes() == b"weights"
    assert (place.root / X / "latest").readlink() == Path("epoch-1/weights")
    assert (place.root / X / "run").stat().st_mode & 0o777 == 0o555
    assert (place.root / X / "epoch-1").stat().st_mode & 0o700 == 0o700


def test_an_unchanged_output_is_not_placed_again(place: Place) -> None:
    for path, value in ((X, place.file(b"weights")), ("mlbuild-out/t", place.tree())):
        place.outputs.place(path, value)
        before = (place.root / path).stat()
        place.next_build().place(path, value)
        place.next_build().place(path, value)
        after = (place.root / path).stat()
        assert (after.st_ino, after.st_mtime_ns, after.st_ctime_ns) == (
            before.st_ino,
            before.st_mtime_ns,
            before.st_ctime_ns,
        )


def edit_with_the_old_time(file: Path) -> None:
    before = file.stat()
    file.chmod(0o644)
    file.write_bytes(b"WEIGHTS")
    file.chmod(before.st_mode & 0o777)
    os.utime(file, ns=(before.st_mtime_ns, before.st_mtime_ns))


@pytest.mark.parametrize(
    "edit",
    [
        lambda root: edit_with_the_old_time(root / X / "epoch-1/weights"),
        lambda root: (root / X / "epoch-1/weights").unlink(),
        lambda root: (root / X / "epoch-1/more").write_bytes(b""),
        lambda root: (root / X / "card.md").chmod(0o644),
        lambda root: ((root / X / "latest").unlink(), (root / X / "latest").symlink_to("card.md")),
        lambda root: (root / X).rename(root / "elsewhere"),
    ],
)
def test_an_edited_output_is_placed_again(place: Place, edit: object) -> None:
    value = place.tree()
    place.outputs.place(X, value)
    place.next_build()
    assert callable(edit)
    edit(place.root)
    place.outputs.place(X, value)
    assert (place.root / X / "latest").read_bytes() == b"weights"
    assert (place.root / X / "latest").readlink() == Path("epoch-1/weights")
    assert sorted(each.name for each in (place.root / X / "epoch-1").iterdir()) == ["weights"]
    assert (place.root / X / "card.md").stat().st_mode & 0o777 == 0o444


def test_an_edit_of_an_output_leaves_the_store_alone(place: Place) -> None:
    value = place.file(b"weights")
    place.outputs.place(X, value)
    edit_with_the_old_time(place.root / X)
    assert place.store.get(value.digest) == b"weights"


def test_an_edit_in_the_same_tick_is_seen(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    value = place.file(b"weights")
    place.outputs.place(X, value)
    record = place.outputs._placed[X]
    (place.root / X).unlink()
    (place.root / X).write_bytes(b"WEIGHTS")
    # As on a file system whose clock is so slow that the two look the same.
    monkeypatch.setattr("mlbuild.files.output_tree._look", lambda _: record[2][0][2])
    place.outputs.place(X, value)
    monkeypatch.undo()
    assert (place.root / X).read_bytes() == b"weights"


def test_after_a_start_of_the_machine_what_was_placed_last_is_compared(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = place.file(b"weights")
    place.outputs.place(X, value)
    path = place.root / X
    # A loss of power keeps the stamp that was written down, and loses the bytes.
    looked = output_tree._look(str(path))
    edit_with_the_old_time(path)
    monkeypatch.setattr(output_tree, "_look", lambda _: looked)
    monkeypatch.setattr(output_tree, "boot", lambda: "another run")
    place.next_build()
    monkeypatch.setattr(output_tree, "boot", lambda: "and another")
    place.next_build().place(X, value)
    assert path.read_bytes() == b"weights"


def test_what_an_earlier_build_left_in_the_way_is_removed(place: Place) -> None:
    place.outputs.place("mlbuild-out/a", place.file(b"file"))
    place.outputs.place("mlbuild-out/a/b", place.file(b"below"))
    assert (place.root / "mlbuild-out/a/b").read_bytes() == b"below"
    place.outputs.place("mlbuild-out/a", place.file(b"file"))
    assert (place.root / "mlbuild-out/a").read_bytes() == b"file"


def test_nothing_is_written_through_a_link_in_the_way(place: Place, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (place.root / "mlbuild-out").mkdir()
    (place.root / "mlbuild-out/models").symlink_to(tmp_path / "outside")
    place.outputs.place(X, place.file(b"weights"))
    assert list((tmp_path / "outside").iterdir()) == []
    assert (place.root / X).read_bytes() == b"weights"


def test_an_output_folder_that_is_a_link_is_refused(place: Place, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (place.root / "mlbuild-out").symlink_to(tmp_path / "outside")
    with pytest.raises(UserError) as caught:
        place.outputs.place(X, place.file(b"weights"))
    assert caught.value.diagnostics[0].code == "output-root-is-link"
    assert list((tmp_path / "outside").iterdir()) == []


def test_what_a_killed_process_left_is_removed(place: Place) -> None:
    left = place.root / "mlbuild-out/.new-0123456789abcdef"
    left.mkdir(parents=True)
    (left / "half").write_bytes(b"")
    place.outputs.place(X, place.file(b"weights"))
    assert [each.name for each in (place.root / "mlbuild-out").iterdir()] == ["models"]


@pytest.mark.parametrize("content", [b"", b"mlbuild-placed-2\nxxxx", b"x" * 200])
def test_a_damaged_memory_costs_a_copy_only(place: Place, content: bytes) -> None:
    value = place.tree()
    place.outputs.place(X, value)
    place.outputs.save()
    place.memory.write_bytes(content)
    outputs = DiskOutputTree(place.root, place.store, place.memory)
    outputs.place(X, value)
    assert (place.root / X / "latest").read_bytes() == b"weights"


def test_a_changed_output_shows_in_the_last_build(place: Place, tmp_path: Path) -> None:
    place.outputs.place(X, place.tree())
    assert remember(str(tmp_path / "last"), "build", place.outputs.witnesses(), FAR, FAR, ("done",))
    assert recall(str(tmp_path / "last"), "build") == ("done",)
    (place.root / X / "epoch-1/more").write_bytes(b"")
    assert recall(str(tmp_path / "last"), "build") is None


def test_a_full_disk_is_said_and_the_old_output_stays(place: Place) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    (place.root / "mlbuild-out").mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", place.root / "mlbuild-out"]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("this machine does not let us mount a small disk")
    try:
        place.outputs.place(X, place.file(b"old"))
        with pytest.raises(UserError) as caught:
            place.outputs.place(X, place.file(bytes(2 << 20)))
        assert caught.value.exit_code is ExitCode.ENVIRONMENT
        assert caught.value.diagnostics[0].code == "disk-full"
        assert (place.root / X).read_bytes() == b"old"
        assert [each.name for each in (place.root / "mlbuild-out").iterdir()] == ["models"]
    finally:
        subprocess.run(["umount", "-l", place.root / "mlbuild-out"], check=True)
