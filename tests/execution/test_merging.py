from __future__ import annotations

from collections.abc import Mapping

import pytest

from mlbuild.diagnostics import UserError
from mlbuild.execution.input_root import members, merkle_tree
from mlbuild.execution.merging import merge_subdirectories
from mlbuild.store import MemoryStore
from mlbuild.terms import Digest, FileValue, SymlinkValue, TreeValue, Value


class Folders:
    """Folders in a store that counts which of its blobs are read."""

    def __init__(self, contents: Mapping[str, str]) -> None:
        self.store = MemoryStore()
        self.reads = 0
        values: dict[str, Value] = {
            path: SymlinkValue(text[3:]) if text.startswith("-> ") else FileValue(self.store.put(text.encode()))
            for path, text in contents.items()
        }
        root = merkle_tree(values, self.store.get)
        root.keep_in(self.store)
        self.tree = TreeValue(root.digest)

    def read(self, digest: Digest) -> bytes:
        self.reads += 1
        return self.store.get(digest)

    def merged(self) -> dict[str, str]:
        merged = merge_subdirectories(self.tree, self.read)
        merged.keep_in(self.store)
        return {
            path: self.store.get(value.digest).decode()
            for path, value in members(TreeValue(merged.digest), self.store.get)
        }


def test_folders_are_laid_over_each_other() -> None:
    folders = Folders(
        {
            "a-1/a/code.py": "a",
            "a-1/bin/a": "run a",
            "b-2/b/code.py": "b",
            "b-2/bin/b": "run b",
            "c-3/shared/name/space/c.py": "c",
            "a-1/shared/name/space/a.py": "a too",
        }
    )
    assert folders.merged() == {
        "a/code.py": "a",
        "b/code.py": "b",
        "bin/a": "run a",
        "bin/b": "run b",
        "shared/name/space/a.py": "a too",
        "shared/name/space/c.py": "c",
    }


def test_what_only_one_has_is_not_looked_into() -> None:
    files = {f"wheel{number}/package{number}/part{part}/f": str(part) for number in range(30) for part in range(50)}
    folders = Folders(files)
    merge_subdirectories(folders.tree, folders.read)
    assert folders.reads == 31  # the folder of all, and each wheel's own


def test_the_same_file_in_two_is_one_file() -> None:
    folders = Folders({"a/tests/__init__.py": "", "b/tests/__init__.py": "", "b/tests/b.py": "b"})
    assert folders.merged() == {"tests/__init__.py": "", "tests/b.py": "b"}


def test_two_files_at_one_path_are_an_error_that_names_both() -> None:
    folders = Folders(
        {
            "a-1/tests/x.py": "one",
            "b-2/tests/x.py": "two",
            "c-3/tests/x.py": "one",
            "d-4/tests": "a file",
            "e-5/link": "-> tests",
            "f-6/link": "-> other",
        }
    )
    with pytest.raises(UserError) as caught:
        folders.merged()
    assert [(each.code, each.message) for each in caught.value.diagnostics] == [
        ("conflicting-files", "`a-1` and `b-2` both have `tests/x.py`, with different content"),
        ("conflicting-files", "`a-1` and `d-4` both have `tests`, with different content"),
        ("conflicting-files", "`e-5` and `f-6` both have `link`, with different content"),
    ]


def test_no_folder_is_an_empty_folder() -> None:
    assert Folders({}).merged() == {}
