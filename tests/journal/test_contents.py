"""How two contents differ, in words."""

from __future__ import annotations

import pytest

from mlbuild.journal.contents import changed_members, differences
from mlbuild.journal.entry import Kept
from mlbuild.reapi import encode_directory
from mlbuild.seams import BlobMissing
from mlbuild.store import MemoryStore
from mlbuild.terms import Digest, Directory, DirectoryNode, FileNode


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def told(path: str, old: bytes, new: bytes, store: MemoryStore) -> tuple[str, ...]:
    return differences(path, kept(store.put(old)), kept(store.put(new)), lambda digest: read(store, digest))


def kept(digest: Digest, kind: str = "file") -> Kept:
    return kind, digest.hash, digest.size


def read(store: MemoryStore, digest: Digest) -> bytes | None:
    try:
        return store.get(digest)
    except BlobMissing:
        return None


@pytest.mark.parametrize(
    ("path", "old", "new", "words"),
    [
        ("a.csv", "x,y\n1,2\n", "x,y\n1,3\n", ("line 2, column `y`: `2` -> `3`",)),
        ("a.csv", 'x,y\n"a,b",2\n', 'x,y\n"a,c",2\n', ("line 2, column `x`: `a,b` -> `a,c`",)),
        ("a.csv", "x\n1\n", "y\n1\n", ("line 1: `x` -> `y`",)),
        ("a.csv", "x\n1\n", "x\n1\n2\n3\n", ("2 lines added after line 2: `2`",)),
        ("a.py", "a\nb\n", "a\nc\n", ("line 2: `b` -> `c`",)),
        ("a.py", "a\nb\nc\n", "a\nc\n", ("1 line removed after line 1: `b`",)),
        ("a.py", "a\nb\nc\nd\n", "a\nx\nd\n", ("lines 2 to 3: now 1 line",)),
        (
            "p.json",
            '{"a": {"b": 1, "c": 2}}',
            '{"a": {"b": 1.5}}',
            ("`a.b`: `1` -> `1.5`", "`a.c`: `2` -> not set"),
        ),
        (
            "r.lock",
            "one==1.0 \\\n    --hash=sha256:aa\ntwo==2.0\n",
            "one==1.1 \\\n    --hash=sha256:bb\nthree==3\n",
            ("package `one`: 1.0 -> 1.1", "package `three`: not there -> 3", "package `two`: 2.0 -> gone"),
        ),
        ("r.lock", "one==1 --hash=sha256:aa\n", "one==1 --hash=sha256:bb\n", None),
    ],
)
def test_the_place_of_a_change_is_told(
    path: str, old: str, new: str, words: tuple[str, ...] | None, store: MemoryStore
) -> None:
    expected = words or (f"line 1: `{old.strip()}` -> `{new.strip()}`",)
    assert told(path, old.encode(), new.encode(), store) == expected


def test_bytes_that_are_no_text_have_sizes(store: MemoryStore) -> None:
    assert told("a.bin", b"\xff", b"\xff\xfe", store) == ("1 bytes -> 2 bytes",)


def test_many_differences_are_cut(store: MemoryStore) -> None:
    old = "\n".join(str(number) for number in range(9))
    new = "\n".join(str(number) for number in range(1, 10))
    words = told("a.txt", old.encode(), new.encode(), store)
    assert words[0] == "line 1: `0` -> `1`"
    assert words[-1] == "… and 4 more"


def test_what_is_no_longer_kept_is_said(store: MemoryStore) -> None:
    new = kept(store.put(b"new"))
    gone = kept(Digest.of(b"old"))
    words = differences("a", gone, new, lambda digest: read(store, digest))
    assert words == ("what it was before is no longer kept",)


def test_a_file_that_can_be_executed_now_says_so(store: MemoryStore) -> None:
    digest = store.put(b"x")
    words = differences("a", kept(digest), kept(digest, "executable"), lambda each: read(store, each))
    assert words == ("it can be executed now",)


def test_the_files_that_differ_below_two_directories_are_found(store: MemoryStore) -> None:
    one, two = store.put(b"1"), store.put(b"2")

    def folder(month: Digest) -> Kept:
        same = store.put(encode_directory(Directory((FileNode("a", one),))))
        other = store.put(encode_directory(Directory((FileNode("a", one), FileNode("b", month)))))
        top = Directory((), (DirectoryNode("m1", same), DirectoryNode("m2", other)))
        return kept(store.put(encode_directory(top)), "tree")

    assert changed_members(folder(one), folder(two), lambda digest: read(store, digest)) == ("m2/b",)
    gone = kept(Digest.of(b"gone"), "tree")
    assert changed_members(gone, folder(two), lambda digest: read(store, digest)) is None
