"""What `verify` finds and `repair` mends."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlbuild.files.staging import TreeStore
from mlbuild.reapi import encode_directory
from mlbuild.store import DiskActionCache, DiskStore
from mlbuild.store.upkeep import amounts, repair, verify
from mlbuild.store.verifying import Finding
from mlbuild.terms import Digest, Directory, FileNode, FileValue, SpawnResult, TreeValue

KEY = Digest.of(b"key")
TOOL, NOTE = b"a tool", b"a note"
FILES = (FileNode("note", Digest.of(NOTE)), FileNode("tool", Digest.of(TOOL), True))
TREE = encode_directory(Directory(FILES))
RESULT = SpawnResult(0, (("note", FileValue(Digest.of(NOTE))), ("out", TreeValue(Digest.of(TREE)))))


def fill(folder: Path) -> None:
    """One result with a file and a tree, which is staged."""
    store = DiskStore(folder)
    cache = DiskActionCache(folder, store)
    trees = TreeStore(folder / "staged", store)
    for blob in (TOOL, NOTE, TREE):
        store.put(blob)
    cache.record(KEY, RESULT)
    trees.tree(Digest.of(TREE))
    for each in (trees, cache, store):
        each.close()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    fill(tmp_path)
    yield tmp_path
    # Whatever was damaged: after a repair all is well, and the same work makes everything again.
    repair(tmp_path)
    assert verify(tmp_path).findings == ()
    fill(tmp_path)
    assert verify(tmp_path).findings == ()
    store = DiskStore(tmp_path)
    assert DiskActionCache(tmp_path, store).lookup(KEY) == RESULT
    assert store.get(Digest.of(NOTE)) == NOTE


def place(folder: Path, digest: Digest, kind: str = "cas") -> Path:
    return folder / kind / digest.hash[:2] / digest.hash


def overwrite(path: Path, content: bytes) -> None:
    """As a flaw of the disk would: neither the times nor the mode tell."""
    before = path.stat()
    path.chmod(0o600)
    path.write_bytes(content)
    path.chmod(before.st_mode)
    os.utime(path, ns=(before.st_mtime_ns, before.st_mtime_ns))


def found(folder: Path) -> list[tuple[str, str]]:
    return [(each.what, each.why) for each in verify(folder).findings]


def flips(content: bytes) -> Iterator[bytes]:
    for bit in range(len(content) * 8):
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        yield bytes(flipped)


def test_all_is_well(folder: Path) -> None:
    done = verify(folder)
    assert (done.blobs, done.entries, done.trees, done.findings) == (3, 1, 1, ())


@pytest.mark.parametrize("blob", [NOTE, TREE])
def test_every_flipped_bit_of_a_blob_is_found(folder: Path, blob: bytes) -> None:
    path = place(folder, Digest.of(blob))
    for content in flips(blob):
        overwrite(path, content)
        assert ("blob", "its bytes are not those of its name") in found(folder)
        assert ("entry", "something that it names is missing or damaged") in found(folder)
    assert not (folder / "quarantine").exists()


def test_every_flipped_bit_of_an_entry_is_found(folder: Path) -> None:
    path = place(folder, KEY, "ac")
    for content in flips(path.read_bytes()):
        overwrite(path, content)
        assert found(folder) == [("entry", "it is damaged")]


@pytest.mark.parametrize("content", [b"", NOTE[:-1], NOTE + b"x", bytes(len(NOTE))])
def test_a_blob_cut_grown_or_zeroed_is_found(folder: Path, content: bytes) -> None:
    overwrite(place(folder, Digest.of(NOTE)), content)
    assert ("blob", "its bytes are not those of its name") in found(folder)


def test_a_damaged_blob_is_found_in_the_tree_that_links_it_too(folder: Path) -> None:
    overwrite(place(folder, Digest.of(NOTE)), b"A note")
    assert found(folder) == [
        ("blob", "its bytes are not those of its name"),
        ("entry", "something that it names is missing or damaged"),
        ("tree", "`note` is not what was staged"),
    ]


def test_a_lost_blob_makes_its_entries_incomplete(folder: Path) -> None:
    place(folder, Digest.of(NOTE)).unlink()
    assert found(folder) == [("entry", "something that it names is missing or damaged")]


def test_an_entry_in_the_place_of_another_is_found(folder: Path) -> None:
    other = place(folder, Digest.of(b"other"), "ac")
    other.parent.mkdir(exist_ok=True)
    place(folder, KEY, "ac").rename(other)
    assert found(folder) == [("entry", "it answers another key")]


def test_a_damaged_program_is_found_with_its_trees(folder: Path) -> None:
    overwrite(folder / "staged" / "programs" / Digest.of(TOOL).hash, b"A tool")
    assert found(folder) == [
        ("program", "its bytes are not those of its name"),
        ("tree", "`tool` is not what was staged"),
    ]


def test_a_file_too_many_in_a_staged_tree_is_found(folder: Path) -> None:
    tree = folder / "staged" / "trees" / Digest.of(TREE).hash
    before = tree.stat()
    tree.chmod(0o755)
    (tree / "more").write_text("more")
    tree.chmod(0o555)
    os.utime(tree, ns=(before.st_mtime_ns, before.st_mtime_ns))
    assert found(folder) == [("tree", "`.` is not what was staged")]


def test_an_edited_listing_of_a_tree_is_found(folder: Path) -> None:
    listing = folder / "staged" / "trees" / f"{Digest.of(TREE).hash}.list"
    overwrite(listing, listing.read_bytes()[:-1])
    assert found(folder) == [("tree", "it is not as it was staged")]


def test_what_does_not_belong_there_is_found(folder: Path) -> None:
    (folder / "cas" / "notes.txt").write_text("mine")
    (folder / "ac" / KEY.hash[:2] / "x").symlink_to("/")
    assert verify(folder).findings == (
        Finding("file", f"ac/{KEY.hash[:2]}/x", "it does not belong there"),
        Finding("file", "cas/notes.txt", "it does not belong there"),
    )


def test_a_link_in_the_place_of_a_blob_is_found_and_not_followed(folder: Path) -> None:
    path = place(folder, Digest.of(NOTE))
    outside = folder / "outside"
    path.rename(outside)
    path.symlink_to(outside)
    assert ("blob", "is a link") in found(folder)
    repair(folder)
    assert outside.read_bytes() == NOTE


def test_what_is_repaired_is_set_aside(folder: Path) -> None:
    overwrite(place(folder, Digest.of(NOTE)), b"A note")
    done = repair(folder)
    assert [finding.what for finding in done.verified.findings] == ["blob", "entry", "tree"]
    assert done.left == ()
    assert amounts(folder).set_aside.count == 2
    assert os.listdir(folder / "staged" / "trees") == []


def test_a_tree_in_use_is_left_and_said(folder: Path) -> None:
    listing = folder / "staged" / "trees" / f"{Digest.of(TREE).hash}.list"
    overwrite(listing, b"")
    store = DiskStore(folder)
    user = TreeStore(folder / "staged", store)
    done = repair(folder)
    assert [(finding.what, why) for finding, why in done.left] == [("tree", "another command is using it")]
    user.close()
    store.close()


def test_what_the_disk_cannot_read_is_left(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = os.open

    def failing(path: object, *arguments: object, **more: object) -> int:
        if str(path).endswith(Digest.of(TOOL).hash) and "cas" in str(path):
            raise OSError(errno.EIO, "input/output error")
        return whole(path, *arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", failing)
    done = repair(folder)
    monkeypatch.undo()
    assert [(finding.why, why) for finding, why in done.left] == [
        ("cannot be read: input/output error", "what the disk cannot read may yet be right")
    ]
    assert place(folder, Digest.of(TOOL)).exists()


def test_leftovers_of_the_dead_go(folder: Path) -> None:
    (folder / "tmp" / "dead").mkdir()
    (folder / "tmp" / "dead" / "0").write_text("half")
    (folder / "staged" / "trees" / ".new-0").mkdir()
    repair(folder)
    assert os.listdir(folder / "tmp") == []
    assert (
        os.listdir(folder / "staged" / "trees") == [Digest.of(TREE).hash, f"{Digest.of(TREE).hash}.list"]
        or len(os.listdir(folder / "staged" / "trees")) == 2
    )
