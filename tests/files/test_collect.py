"""Collecting: what a program left behind, into the store, whatever it is."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path

import pytest

from mlbuild.files.collect import Bounds, OddOutput, collect
from mlbuild.reapi import decode_directory, encode_directory
from mlbuild.store import DiskStore
from mlbuild.terms import Digest, Directory, DirectoryNode, FileNode, FileValue, SymlinkNode, TreeValue

BOUNDS = Bounds()


@pytest.fixture
def store(tmp_path):
    return DiskStore(tmp_path / "store")


@pytest.fixture
def work(tmp_path):
    place = tmp_path / "work"
    place.mkdir()
    return place


def gather(work: Path, path: str, store: DiskStore, bounds: Bounds = BOUNDS) -> FileValue | TreeValue:
    root = os.open(work, os.O_RDONLY)
    try:
        return collect(root, path, store, bounds)
    finally:
        os.close(root)


def refusal(work: Path, path: str, store: DiskStore, bounds: Bounds = BOUNDS) -> str:
    with pytest.raises(OddOutput) as raised:
        gather(work, path, store, bounds)
    return str(raised.value)


def test_a_file_is_its_bytes_and_whether_it_runs(work, store):
    (work / "d").mkdir()
    (work / "d" / "a").write_bytes(b"alpha")
    (work / "b").write_bytes(b"beta")
    (work / "b").chmod(0o6711)
    assert gather(work, "d/a", store) == FileValue(Digest.of(b"alpha"), False)
    assert gather(work, "b", store) == FileValue(Digest.of(b"beta"), True)
    assert store.get(Digest.of(b"alpha")) == b"alpha"


def test_a_tree_is_the_same_whatever_the_order_of_making(work, store):
    for name, order in (("one", "bac"), ("two", "cab")):
        (work / name / "e").mkdir(parents=True)
        for letter in order:
            (work / name / letter).write_text(letter)
    expected = Directory(
        tuple(FileNode(letter, Digest.of(letter.encode())) for letter in "abc"),
        (DirectoryNode("e", Digest.of(b"")),),
    )
    value = gather(work, "one", store)
    assert value == gather(work, "two", store) == TreeValue(Digest.of(encode_directory(expected)))
    assert decode_directory(store.get(value.digest)) == expected


def test_links_inside_a_tree_are_kept(work, store):
    (work / "t" / "d").mkdir(parents=True)
    (work / "t" / "a").write_text("a")
    (work / "t" / "d" / "up").symlink_to("..")
    (work / "t" / "l").symlink_to("d/up/a")
    (work / "t" / "m").symlink_to("l")
    value = gather(work, "t", store)
    assert decode_directory(store.get(value.digest)).symlinks == (SymlinkNode("l", "d/up/a"), SymlinkNode("m", "l"))


@pytest.mark.parametrize("target", ["/etc/passwd", "../x", "d/../../x", "none", "a/..", "loop", "d/up/../x", "."])
def test_links_that_lead_elsewhere_are_refused(work, store, target):
    (work / "x").write_text("secret")
    (work / "t" / "d").mkdir(parents=True)
    (work / "t" / "a").write_text("a")
    (work / "t" / "d" / "up").symlink_to("..")
    (work / "t" / "loop").symlink_to("loop") if target == "loop" else (work / "t" / "z").symlink_to(target)
    if target == ".":
        assert isinstance(gather(work, "t", store), TreeValue)
    else:
        assert refusal(work, "t", store).endswith(f"is a symbolic link to `{target}`, which is not inside `t`")


def test_an_output_that_is_a_link_is_refused(work, store):
    (work / "x").write_text("x")
    (work / "l").symlink_to("x")
    assert refusal(work, "l", store) == "`l` is a symbolic link, not a file"


def test_a_folder_on_the_way_that_is_a_link_is_refused(work, store, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "secret").write_text("x")
    (work / "d").symlink_to(tmp_path / "out")
    assert refusal(work, "d/secret", store) == "`d` is a symbolic link, not a folder"


def test_pipes_sockets_and_devices_are_refused_without_waiting(work, store):
    os.mkfifo(work / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(work / "socket"))
    assert refusal(work, "pipe", store) == "`pipe` is a named pipe, not a file"
    assert refusal(work, "socket", store) == "`socket` is a socket, not a file"
    (work / "t").mkdir()
    os.mkfifo(work / "t" / "pipe")
    assert refusal(work, "t", store) == "`t/pipe` is a named pipe, not a file"


def test_names_that_are_not_utf_8_are_refused(work, store):
    (work / "t").mkdir()
    (work / "t" / os.fsdecode(b"\xff")).write_text("x")
    assert refusal(work, "t", store) == r"`t` holds a file whose name is not UTF-8: b'\xff'"


def test_names_are_sorted_by_their_bytes(work, store):
    (work / "t").mkdir()
    for name in ("b", "é", "\U0001f600", "Z", "\uffff"):
        (work / "t" / name).write_text("")
    names = [file.name for file in decode_directory(store.get(gather(work, "t", store).digest)).files]
    assert names == ["Z", "b", "é", "\uffff", "\U0001f600"]


def test_what_is_not_there_is_missing(work, store):
    with pytest.raises(FileNotFoundError):
        gather(work, "a/b", store)
    with pytest.raises(FileNotFoundError):
        gather(work, "a", store)


def test_files_and_folders_without_permissions_are_read(work, store):
    (work / "t" / "d").mkdir(parents=True)
    (work / "t" / "d" / "f").write_text("f")
    for path in ("t/d/f", "t/d", "t"):
        (work / path).chmod(0)
    inner = Digest.of(encode_directory(Directory((FileNode("f", Digest.of(b"f")),))))
    assert gather(work, "t", store) == TreeValue(
        Digest.of(encode_directory(Directory(directories=(DirectoryNode("d", inner),))))
    )


def test_size_number_and_depth_are_bounded(work, store):
    (work / "t" / "d" / "d").mkdir(parents=True)
    (work / "t" / "a").write_text("12345")
    (work / "t" / "b").write_text("12345")
    assert refusal(work, "t", store, Bounds(size=9)) == "`t` is bigger than 9 bytes"
    assert refusal(work, "t", store, Bounds(entries=3)) == "`t` holds more than 3 files"
    assert refusal(work, "t", store, Bounds(depth=2)) == "`t/d/d` is more than 2 folders deep"
    assert isinstance(gather(work, "t", store, Bounds(entries=4, depth=3, size=10)), TreeValue)


def test_a_file_of_holes_that_no_disk_has_room_for_is_refused_at_once(work, store):
    (work / "out").touch()
    os.truncate(work / "out", 1 << 39)
    if (disk := os.statvfs(work)).f_bavail * disk.f_frsize > 1 << 39:
        pytest.skip("this disk has room for it")
    assert refusal(work, "out", store) == (
        "`out` is 549755813888 bytes, most of them holes, and the disk has no room for so many"
    )


def test_a_file_of_a_few_holes_is_kept(work, store):
    (work / "out").touch()
    os.truncate(work / "out", 1 << 20)
    assert gather(work, "out", store) == FileValue(Digest.of(bytes(1 << 20)))


def test_no_descriptor_is_left_open(work, store):
    (work / "t" / "d").mkdir(parents=True)
    (work / "t" / "d" / "bad").symlink_to("/")
    before = os.listdir("/proc/self/fd")
    refusal(work, "t", store)
    refusal(work, "t", store, Bounds(depth=1))
    assert len(os.listdir("/proc/self/fd")) == len(before)


def test_a_link_swapped_in_while_reading_never_leads_outside(work, store, tmp_path):
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "f").write_text("secret")
    (work / "t").mkdir()
    (work / "real").mkdir()
    (work / "real" / "f").write_text("real")
    (work / "t" / "d").mkdir()
    ends = threading.Event()

    def swap() -> None:
        while not ends.is_set():
            (work / "t" / "d").rename(work / "t" / "e")
            (work / "t" / "d").symlink_to(secret)
            (work / "t" / "d").unlink()
            (work / "t" / "e").rename(work / "t" / "d")

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        for _ in range(300):
            try:
                gather(work, "t/d", store)
            except (OddOutput, OSError):
                continue
    finally:
        ends.set()
        thread.join()
    assert store.missing([Digest.of(b"secret")]) == (Digest.of(b"secret"),)
