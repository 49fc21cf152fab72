"""Exports of the Nix store are read as they are written, and nothing else is."""

from __future__ import annotations

import io
import struct
from typing import Any

import pytest

from mlbuild.fetch.nix_archive import BadArchive, read_export
from mlbuild.terms import DirectoryNode, TreeValue

HASH = "0123456789abcdfghijklmnpqrsvwxyz"
NAME, OTHER = f"{HASH}-greet", f"{HASH[::-1]}-libc"


def words(*parts: str | bytes | int) -> bytes:
    """As Nix writes them: numbers of eight bytes; texts with their length before and zeros behind."""
    found = b""
    for part in parts:
        if isinstance(part, int):
            found += struct.pack("<Q", part)
            continue
        data = part.encode() if isinstance(part, str) else part
        found += struct.pack("<Q", len(data)) + data + bytes(-len(data) % 8)
    return found


def entry(name: str, *node: str | bytes) -> tuple[str | bytes, ...]:
    return ("entry", "(", "name", name, "node", "(", "type", *node, ")", ")")


PROGRAM = entry("greet", "regular", "executable", "", "contents", b"echo hello")
LINK = entry("hello", "symlink", "target", "greet")
BIN = entry("bin", "directory", *PROGRAM, *LINK)
TEXT = entry("text", "regular", "contents", b"a text")


def export(*entries: str | bytes, path: str = f"/nix/store/{NAME}", references: tuple[str, ...] = ()) -> bytes:
    """One path of an export, a folder with these entries."""
    node = ("(", "type", "directory", *entries, ")")
    refers = tuple(f"/nix/store/{each}" for each in references)
    return words(1, "nix-archive-1", *node, 0x4558494E, path, len(refers), *refers, "", 0)


def test_files_links_and_folders_are_kept_with_their_modes(store: Any) -> None:
    (found,) = read_export(io.BytesIO(export(*BIN, *TEXT, references=(OTHER, NAME)) + words(0)), store)
    assert isinstance(found.node, DirectoryNode)
    assert (found.node.name, found.references) == (NAME, (NAME, OTHER))
    assert store.listing(TreeValue(found.node.digest)) == {
        "bin/greet*": b"echo hello",
        "bin/hello": "-> greet",
        "text": b"a text",
    }


def test_a_path_may_be_a_file_and_there_may_be_several(store: Any) -> None:
    file = words(
        1, "nix-archive-1", "(", "type", "regular", "contents", "x", ")", 0x4558494E, f"/nix/store/{OTHER}", 0, "", 0
    )
    found = read_export(io.BytesIO(export(*TEXT) + file + words(0)), store)
    assert [each.node.name for each in found] == [NAME, OTHER]


def test_an_export_that_ends_anywhere_else_is_refused(store: Any) -> None:
    whole = export(*BIN, *TEXT, references=(OTHER,)) + words(0)
    for end in range(len(whole)):
        with pytest.raises(BadArchive):
            read_export(io.BytesIO(whole[:end]), store)


@pytest.mark.parametrize(
    "bad",
    [
        export(*entry("..", "regular", "contents", "x")),
        export(*entry("a/b", "regular", "contents", "x")),
        export(*entry("", "regular", "contents", "x")),
        export(*TEXT, *TEXT),
        export(*entry("a", "fifo")),
        export(*entry("a", "symlink", "target", "")),
        export(path="/etc/passwd"),
        export(path=f"/nix/store/{NAME}/../../etc"),
        export(references=("../x",)),
        words(1, "nix-archive-2"),
        words(1, "nix-archive-1", "(", "type", *("directory", "entry", "(", "name", "a", "node", "(", "type") * 500),
        words(1) + struct.pack("<Q", 1 << 62),
        words(2),
    ],
    ids=[
        "parent", "slash", "empty", "twice", "fifo", "no-target", "elsewhere", "upwards", "reference", "version", "deep", "long",
        "number",
    ],
)  # fmt: skip
def test_what_no_nix_writes_is_refused(bad: bytes, store: Any) -> None:
    with pytest.raises(BadArchive):
        read_export(io.BytesIO(bad + words(0)), store)
