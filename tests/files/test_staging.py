"""Staged trees: what they hold, how they are shared, and that damage is never used."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from mlbuild.files.remove import remove_tree
from mlbuild.files.staged import staged
from mlbuild.files.staging import FIXED_TIME, StagedTree, TreeStore
from mlbuild.reapi import encode_directory
from mlbuild.seams import BlobMissing
from mlbuild.store import DiskStore
from mlbuild.terms import Digest, Directory, DirectoryNode, FileNode, SymlinkNode


@pytest.fixture
def store(tmp_path):
    return DiskStore(tmp_path / "store")


@pytest.fixture
def trees(tmp_path, store):
    made = TreeStore(tmp_path / "staged", store)
    yield made
    made.close()


def small(store: DiskStore) -> Digest:
    inner = store.put(encode_directory(Directory((FileNode("x", store.put(b"x"), True),))))
    return store.put(
        encode_directory(
            Directory(
                (FileNode("a", store.put(b"alpha")), FileNode("b", store.put(b"alpha"))),
                (DirectoryNode("d", inner), DirectoryNode("empty", store.put(b""))),
                (SymlinkNode("link", "d/x"),),
            )
        )
    )


def many(store: DiskStore, count: int, mark: bytes = b"") -> Digest:
    blob = store.put(b"same" + mark)
    return store.put(encode_directory(Directory(tuple(FileNode(f"{n:05}", blob) for n in range(count)))))


def folder(store: DiskStore, **inner: Digest) -> Digest:
    nodes = tuple(DirectoryNode(name, digest) for name, digest in sorted(inner.items()))
    return store.put(encode_directory(Directory(directories=nodes)))


def look(place: Path) -> dict[str, tuple[str, int]]:
    """By path: what it is, and its time. Files by mode and content."""
    found: dict[str, tuple[str, int]] = {}
    for path in sorted(place.rglob("*")):
        state = path.lstat()
        if stat.S_ISLNK(state.st_mode):
            what = f"-> {os.readlink(path)}"
        elif stat.S_ISDIR(state.st_mode):
            what = oct(stat.S_IMODE(state.st_mode))
        else:
            what = f"{stat.S_IMODE(state.st_mode):o} {path.read_text()}"
        found[str(path.relative_to(place))] = (what, int(state.st_mtime))
    return found


STAGED = {
    "a": ("444 alpha", FIXED_TIME),
    "b": ("444 alpha", FIXED_TIME),
    "d": ("0o555", FIXED_TIME),
    "d/x": ("555 x", FIXED_TIME),
    "empty": ("0o555", FIXED_TIME),
    "link": ("-> d/x", FIXED_TIME),
}


def test_a_tree_holds_what_its_digest_says(store, trees):
    assert look(trees.tree(small(store))) == STAGED


def test_a_tree_is_hard_links_to_the_store_and_programs_are_not(store, trees):
    place = trees.tree(small(store))
    blob = store.path_of(store.put(b"alpha"))
    assert (place / "a").stat().st_ino == blob.stat().st_ino
    program = store.path_of(store.put(b"x"))
    assert (place / "d" / "x").stat().st_ino != program.stat().st_ino
    assert stat.S_IMODE(program.stat().st_mode) == 0o444


def test_a_tree_is_made_once(store, trees, tmp_path):
    first = trees.tree(small(store)).stat()
    again = TreeStore(tmp_path / "staged", store)
    assert again.tree(small(store)).stat().st_ino == first.st_ino
    again.close()


@pytest.mark.parametrize("damage", ["content", "mode", "missing", "extra", "link", "listing"])
def test_a_damaged_tree_is_made_again(store, trees, tmp_path, damage):
    digest = small(store)
    place = trees.tree(digest)
    for each in (place, place / "d", place / "d" / "x"):
        if damage in {"missing", "extra", "link"} and each.is_dir():
            each.chmod(0o755)
    match damage:
        case "content":
            (place / "d" / "x").chmod(0o755)
            (place / "d" / "x").write_bytes(b"y")
        case "mode":
            (place / "d" / "x").chmod(0o444)
        case "missing":
            (place / "a").unlink()
        case "extra":
            (place / "d" / "more").write_bytes(b"")
        case "link":
            (place / "d" / "x").unlink()
            (place / "d" / "x").symlink_to("/etc/passwd")
        case "listing":
            place.with_suffix(".list").write_bytes(b"not one")
    again = TreeStore(tmp_path / "staged", store)
    assert look(again.tree(digest)) == STAGED
    again.close()


def test_damage_that_reaches_the_store_is_found_there(store, trees, tmp_path):
    digest = small(store)
    file = trees.tree(digest) / "a"
    file.chmod(0o644)
    file.write_bytes(b"ALPHA")
    again = TreeStore(tmp_path / "staged", store)
    with pytest.raises(BlobMissing):
        again.tree(digest)
    again.close()


def test_a_lost_blob_is_told_and_leaves_nothing(store, trees):
    gone = Digest.of(b"gone")
    digest = store.put(encode_directory(Directory((FileNode("a", gone),))))
    with pytest.raises(BlobMissing):
        trees.tree(digest)
    assert os.listdir(trees.trees) == []


def test_many_threads_and_stores_make_one_tree(store, trees, tmp_path):
    digest = many(store, 300)
    others = [TreeStore(tmp_path / "staged", store) for _ in range(3)]
    threads = [threading.Thread(target=each.tree, args=(digest,)) for each in (trees, *others, trees)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(os.listdir(trees.trees / digest.hash)) == 300
    assert sorted(os.listdir(trees.trees)) == sorted([digest.hash, f"{digest.hash}.list"])
    for each in others:
        each.close()


def test_what_a_killed_process_left_is_removed(store, trees, tmp_path):
    trees.close()
    (tmp_path / "staged" / "trees" / ".new-1234").mkdir()
    TreeStore(tmp_path / "staged", store).close()
    assert os.listdir(tmp_path / "staged" / "trees") == []


def test_a_small_tree_is_staged_by_links_alone(store, trees, tmp_path):
    assert trees.stage(small(store), tmp_path / "inputs") == ()
    assert look(tmp_path / "inputs") == STAGED
    remove_tree(tmp_path / "inputs")


def test_big_folders_are_told_and_left_empty(store, trees, tmp_path):
    big, root_small = many(store, 64), many(store, 3)
    root = folder(store, data=folder(store, big=big), src=root_small)
    assert trees.stage(root, tmp_path / "inputs") == (StagedTree("data/big", big),)
    assert sorted(look(tmp_path / "inputs")) == ["data", "data/big", "src", "src/00000", "src/00001", "src/00002"]
    assert len(os.listdir(trees.trees / big.hash)) == 64


def test_a_tree_that_is_big_itself_is_mounted_whole(store, trees, tmp_path):
    root = many(store, 64)
    assert trees.stage(root, tmp_path / "inputs") == (StagedTree("", root),)
    assert os.listdir(tmp_path / "inputs") == []


def test_mounts_are_bounded(store, trees, tmp_path):
    parts = {f"p{n:02}": many(store, 64, str(n).encode()) for n in range(50)}
    inner = folder(store, **parts)
    root = folder(store, data=inner, other=many(store, 70))
    assert trees.stage(root, tmp_path / "inputs") == (
        StagedTree("data", inner),
        StagedTree("other", many(store, 70)),
    )


def test_a_deep_tree_is_staged(store, trees):
    digest = small(store)
    for _ in range(200):
        digest = folder(store, d=digest)
    assert trees.tree(digest).joinpath(*["d"] * 200, "a").read_text() == "alpha"


def test_a_tree_that_was_removed_is_made_again(store, trees):
    old, new = small(store), many(store, 64)
    trees.tree(old)
    trees.tree(new)
    with trees.alone() as is_alone:
        assert is_alone
        trees.remove(old.hash)
    assert sorted(os.listdir(trees.trees)) == [new.hash, f"{new.hash}.list"]
    assert look(trees.tree(old)) == STAGED


def test_nobody_is_alone_while_another_process_works(store, trees, tmp_path):
    other = TreeStore(tmp_path / "staged", store)
    with trees.alone() as is_alone:
        assert not is_alone
    other.close()
    with trees.alone() as is_alone:
        assert is_alone


def test_use_of_a_tree_is_seen(store, trees, tmp_path):
    place = trees.tree(small(store))
    os.utime(place.with_suffix(".list"), (5, 5))
    assert [each.used_ns for each in staged(tmp_path / "staged") if not each.is_program] == [5_000_000_000]
    TreeStore(tmp_path / "staged", store).tree(small(store))
    assert [each.used_ns > 10**18 for each in staged(tmp_path / "staged") if not each.is_program] == [True]


def test_a_folder_of_any_modes_and_depth_is_removed(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("kept")
    top = tmp_path / "top"
    top.mkdir()
    (top / "link").symlink_to(outside)
    here = os.open(top, os.O_RDONLY)
    for _ in range(3000):
        os.mkdir("a" * 100, dir_fd=here)
        inner = os.open("a" * 100, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    (top / "shut").mkdir(mode=0o000)
    remove_tree(top)
    assert not top.exists()
    assert (outside / "kept").read_text() == "kept"
