"""A collection is killed at each of its calls that change the disk, one after the other: what is left verifies."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mlbuild.files.staging import TreeStore
from mlbuild.reapi import encode_directory
from mlbuild.store import DiskActionCache, DiskStore
from mlbuild.store.upkeep import amounts, collect, verify
from mlbuild.terms import Digest, Directory, FileNode, FileValue, SpawnResult, TreeValue

STRACE = shutil.which("strace")

COLLECT = """
import sys
from pathlib import Path
from mlbuild.store.upkeep import collect
collect(Path(sys.argv[1]), 1, 1, waits=True)
"""


def fill(folder: Path) -> None:
    store = DiskStore(folder)
    cache = DiskActionCache(folder, store)
    trees = TreeStore(folder / "staged", store)
    for number in range(3):
        files = (FileNode("a", store.put(b"a%d" % number)), FileNode("b", store.put(b"b%d" % number), True))
        tree = store.put(encode_directory(Directory(files)))
        result = SpawnResult(0, (("file", FileValue(files[0].digest)), ("tree", TreeValue(tree))))
        cache.record(Digest.of(b"key %d" % number), result)
        trees.tree(tree)
    for each in (trees, cache, store):
        each.close()


@pytest.mark.skipif(STRACE is None, reason="strace is not on this machine")
@pytest.mark.parametrize("call", ["unlink", "unlinkat", "rename", "mkdir", "rmdir", "openat", "flock", "chmod"])
def test_what_a_killed_collection_leaves_verifies(tmp_path: Path, call: str) -> None:
    assert STRACE is not None
    if subprocess.run([STRACE, "-o", "/dev/null", "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("strace may not trace here")
    ends: list[int] = []
    # Nearly all of a program's many `openat` come from its imports.
    first, step = (1, 1) if call != "openat" else (150, 9)
    for when in range(first, first + 60 * step, step):
        folder = tmp_path / str(when)
        fill(folder)
        inject = f"inject={call}:signal=SIGKILL:when={when}"
        command = [STRACE, "-f", "-o", "/dev/null", "-e", f"trace={call}", "-e", inject, sys.executable, "-c", COLLECT]
        done = subprocess.run([*command, str(folder)], cwd=Path(__file__).parents[2], capture_output=True, check=False)
        ends.append(done.returncode)
        assert b"Traceback" not in done.stderr, done.stderr.decode()
        assert verify(folder).findings == ()
        if done.returncode == 0:
            break
        # Who comes next makes what is missing, and can collect to the end.
        fill(folder)
        assert verify(folder).findings == ()
        collect(folder, 1, 1, waits=True)
        assert amounts(folder).on_disk == 0
        assert list((folder / "staged" / "trees").iterdir()) == []
    assert ends[-1] == 0
    assert set(ends[:-1]) <= {-9}
