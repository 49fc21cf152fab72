"""A cache that may be read and not written: builds use what is in it, say so once, and are right."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlbuild.files.remove import remove_tree
from tests.end_to_end.command import Ended, mlbuild_ends
from tests.end_to_end.conftest import Workspace

BUILD = """
genrule(name = "a", srcs = ["in.txt"], outs = ["a.txt"], cmd = "cat $< > $@; echo a >> $@")
genrule(name = "b", srcs = [":a.txt"], outs = ["b.txt"], cmd = "cat $< > $@; echo b >> $@")
"""


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A folder that a test fills, and then calls `close` on: mounted read-only, since modes do not stop root."""
    place = tmp_path / "named"
    place.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root may mount a folder read-only")
    yield place
    subprocess.run(["umount", "-l", place], check=False, capture_output=True)
    remove_tree(place)


def close(place: Path) -> None:
    for words in (["--bind", str(place), str(place)], ["-o", "remount,bind,ro", str(place)]):
        if subprocess.run(["mount", *words], check=False, capture_output=True).returncode != 0:
            pytest.skip("this machine does not let us mount a folder read-only")


def builds(workspace: Workspace, cache: Path, *words: str) -> Ended:
    return mlbuild_ends(workspace.folder, cache, "build", *words)


def test_what_a_read_only_cache_has_is_used_and_the_rest_is_kept_elsewhere(
    shell_workspace: Workspace, read_only: Path
) -> None:
    workspace = shell_workspace
    workspace.write("BUILD.ml", BUILD)
    workspace.write("in.txt", "one\n")
    assert builds(workspace, read_only, "//:a").ran == 1
    before = sorted(str(path) for path in read_only.rglob("*"))
    close(read_only)
    done = builds(workspace, read_only, "//:b")
    assert (done.code, done.ran, workspace.output("b.txt").read_text()) == (0, 1, "one\na\nb\n")
    assert [line for line in done.lines if "WARNING" in line or "warning" in line] == [
        f"warning[cache-read-only]: the cache folder `{read_only}` cannot be written: what is made is kept in "
        f"`{read_only.parent}/home/.cache/mlbuild`"
    ]
    assert sorted(str(path) for path in read_only.rglob("*")) == before
    workspace.write("in.txt", "two\n")
    done = builds(workspace, read_only, "//:b")
    assert (done.code, done.ran, workspace.output("b.txt").read_text()) == (0, 2, "two\na\nb\n")
    workspace.write("in.txt", "one\n")
    done = builds(workspace, read_only, "//:b")
    assert (done.code, done.ran, workspace.output("b.txt").read_text()) == (0, 0, "one\na\nb\n")


def test_looking_after_a_read_only_cache_speaks_of_that_cache(shell_workspace: Workspace, read_only: Path) -> None:
    shell_workspace.write("BUILD.ml", BUILD)
    shell_workspace.write("in.txt", "one\n")
    assert builds(shell_workspace, read_only, "//:a").ran == 1
    close(read_only)
    told = mlbuild_ends(shell_workspace.folder, read_only, "cache", "status")
    assert (told.code, told.out.splitlines()[0]) == (0, f"cache: {read_only}")
    told = mlbuild_ends(shell_workspace.folder, read_only, "cache", "gc", "--disk_cache_max_size=1")
    refused = f"error[cache-not-writable]: the cache folder `{read_only}` cannot be written: read-only file system"
    assert (told.code, told.lines[0]) == (36, refused)
    told = mlbuild_ends(shell_workspace.folder, read_only, "cache", "repair")
    assert (told.code, told.lines[0]) == (36, refused)
    told = mlbuild_ends(shell_workspace.folder, read_only, "cache", "verify")
    assert (told.code, told.out.splitlines()[-1].endswith("all is well")) == (0, True)


def test_what_is_wrong_in_a_read_only_cache_is_found(shell_workspace: Workspace, read_only: Path) -> None:
    shell_workspace.write("BUILD.ml", BUILD)
    shell_workspace.write("in.txt", "one\n")
    assert builds(shell_workspace, read_only, "//:a").ran == 1
    (blob,) = [path for path in read_only.glob("cas/*/*") if path.read_bytes() == b"one\na\n"]
    blob.chmod(0o644)
    blob.write_bytes(b"two\na\n")
    close(read_only)
    told = mlbuild_ends(shell_workspace.folder, read_only, "cache", "verify")
    found = [line for line in told.out.splitlines() if line.startswith("found: blob")]
    assert (told.code, found) == (
        1, [f"found: blob cas/{blob.parent.name}/{blob.name}: its bytes are not those of its name"],
    )  # fmt: skip


def test_a_damaged_file_of_a_read_only_cache_is_made_again(shell_workspace: Workspace, read_only: Path) -> None:
    workspace = shell_workspace
    workspace.write("BUILD.ml", BUILD)
    workspace.write("in.txt", "one\n")
    assert builds(workspace, read_only, "//:b").ran == 2
    for path in read_only.glob("cas/*/*"):
        if path.read_bytes() == b"one\na\n":
            path.chmod(0o644)
            path.write_bytes(b"two\na\n")
            os.utime(path, ns=(315_532_800 * 10**9, 315_532_800 * 10**9))
    close(read_only)
    workspace.output("b.txt").unlink()
    workspace.edit("BUILD.ml", "echo b", "echo new")
    done = builds(workspace, read_only, "//:b")
    assert (done.code, workspace.output("b.txt").read_text()) == (0, "one\na\nnew\n")


def test_a_disk_with_room_but_for_no_more_files_is_told_as_that(shell_workspace: Workspace, read_only: Path) -> None:
    shell_workspace.write("BUILD.ml", BUILD)
    shell_workspace.write("in.txt", "one\n")
    small = ["mount", "-t", "tmpfs", "-o", "size=64m,nr_inodes=40", "tmpfs", str(read_only)]
    if subprocess.run(small, check=False, capture_output=True).returncode != 0:
        pytest.skip("this machine does not let us mount a small disk")
    done = builds(shell_workspace, read_only, "//:a")
    assert (done.code, done.lines[-2:]) == (
        36,
        [
            f"error[disk-full]: the disk that holds the cache folder `{read_only}` has room, but for no more files",
            "  hint: remove files there (`df -i` counts them) and run the same command again, or name a folder on another disk "
            "with `--disk_cache`",
        ],
    )
    assert subprocess.run(["mount", "-o", "remount,nr_inodes=100000", read_only], check=False).returncode == 0
    assert builds(shell_workspace, read_only, "//:a").ran == 1
