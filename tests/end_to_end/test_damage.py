"""Any file of the cache may be damaged: the next build is right all the same, and nobody has to clean."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlbuild.files.remove import remove_tree
from tests.end_to_end.command import mlbuild_ends
from tests.end_to_end.conftest import Workspace

CHAIN = 8
KINDS = {
    "blobs": "cas/*/*",
    "results": "ac/*/*",
    "compiled modules": "lang/*",
    "what was collected from the host": "host/*",
    "state of the workspace": "state/*/*",
    "state of the sandbox": "run/sandbox-status",
    "listings of staged trees": "staged/trees/*.list",
    "leases and locks": "leases/*",
}
STAGED = {"staged programs": "staged/programs/*", "staged trees": "staged/trees/*/*/*"}
HARMS = ("a bit flips", "cut short", "zeros", "emptied", "gone")


@pytest.fixture
def built(tmp_path: Path, shell_cache: Path) -> Iterator[Workspace]:
    """A chain of actions, built, with a cache that shares no file with others: it will be written into."""
    cache = tmp_path / "cache" / "mlbuild"
    cache.parent.mkdir()
    subprocess.run(["cp", "-a", "--reflink=auto", str(shell_cache), str(cache)], check=True)
    workspace = Workspace(tmp_path / "workspace", cache)
    workspace.write("WORKSPACE.ml", 'workspace(name = "damage")\n')
    workspace.write(
        "BUILD.ml",
        "".join(
            f'genrule(name = "{n}", srcs = ["{f":{n - 1}.txt" if n else "in.txt"}"], outs = ["{n}.txt"], '
            f'cmd = "cat $< > $@; echo {n} >> $@")\n'
            for n in range(CHAIN)
        ),
    )
    workspace.write("in.txt", "in\n" * 20)
    assert workspace.build("//...").code == 0
    yield workspace
    remove_tree(tmp_path / "cache")


def harm(workspace: Workspace, pattern: str, how: str, keeps_time: bool) -> int:
    """Harms every file that matches; how many there were."""
    dice = random.Random(pattern + how)
    paths = [path for path in sorted(workspace.cache.glob(pattern)) if path.is_file() and not path.is_symlink()]
    for path in paths:
        if how == "gone":
            path.parent.chmod(0o755)
            path.unlink()
            continue
        before = path.stat()
        if keeps_time and pattern == KINDS["blobs"] and before.st_nlink > 1:
            continue  # it is part of a staged tree, of which see below
        content = bytearray(path.read_bytes())
        if how == "a bit flips" and content:
            content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
        elif how == "cut short":
            del content[len(content) // 2 :]
        elif how == "zeros":
            content = bytearray(len(content))
        elif how == "emptied":
            content.clear()
        path.chmod(0o644)
        with path.open("r+b") as file:
            file.write(content)
            file.truncate()
        path.chmod(before.st_mode & 0o7777)
        if keeps_time:
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    return len(paths)


def is_right(workspace: Workspace, text: str) -> None:
    """Builds from the damaged cache, what was built and then something new; both are right."""
    shutil.rmtree(workspace.output(""))
    for first in (text, f"other {text}"):
        workspace.write("in.txt", first)
        done = workspace.build("//...")
        assert done.code == 0, done.errors + done.failures
        for n in range(CHAIN):
            assert workspace.output(f"{n}.txt").read_text() == first + "".join(f"{k}\n" for k in range(n + 1))


@pytest.mark.parametrize("keeps_time", [False, True], ids=["", "its time unchanged"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_next_build_is_right(built: Workspace, kind: str, keeps_time: bool) -> None:
    for how in HARMS:
        harm(built, KINDS[kind], how, keeps_time)
        is_right(built, "in\n" * 20)


@pytest.mark.parametrize("how", HARMS)
@pytest.mark.parametrize("kind", STAGED)
def test_a_staged_tree_that_was_harmed_is_made_again(built: Workspace, kind: str, how: str) -> None:
    assert harm(built, STAGED[kind], how, keeps_time=how != "cut short") > 10
    is_right(built, "in\n" * 20)


def test_flaws_that_no_time_shows_are_found_by_looking_and_mended(built: Workspace) -> None:
    for pattern in STAGED.values():
        assert harm(built, pattern, "a bit flips", keeps_time=True) > 10
    found = mlbuild_ends(built.folder, built.cache, "cache", "verify")
    assert (found.code, "its bytes are not those of its name" in found.out) == (1, True)
    assert mlbuild_ends(built.folder, built.cache, "cache", "repair").code == 0
    assert mlbuild_ends(built.folder, built.cache, "cache", "verify").code == 0
    is_right(built, "in\n" * 20)


def test_every_blob_of_a_chain_may_be_wrong_at_once(built: Workspace) -> None:
    """However many are found wrong one after the other, it is one build for the person."""
    harm(built, KINDS["blobs"], "a bit flips", keeps_time=True)
    shutil.rmtree(built.output(""))
    done = mlbuild_ends(built.folder, built.cache, "build", "//...")
    assert done.code == 0, done.said
    assert built.output(f"{CHAIN - 1}.txt").read_text() == "in\n" * 20 + "".join(f"{n}\n" for n in range(CHAIN))
    warnings = [line for line in done.lines if line.startswith("warning[damaged-blob]: ")]
    assert len(warnings) >= CHAIN


@pytest.mark.parametrize(
    "name", ["cas", "ac", "lang", "host", "state", "run", "staged", "staged/trees", "leases", "tmp"]
)
def test_a_part_of_the_cache_may_be_gone(built: Workspace, name: str) -> None:
    remove_tree(built.cache / name)
    is_right(built, "in\n" * 20)


@pytest.mark.parametrize(
    "name", ["cas", "ac", "lang", "host", "state", "run", "staged", "staged/trees", "leases", "tmp"]
)
def test_a_file_where_a_part_of_the_cache_should_be_is_said(built: Workspace, name: str) -> None:
    remove_tree(built.cache / name)
    (built.cache / name).write_text("in the way\n")
    built.write("in.txt", "new\n")
    done = mlbuild_ends(built.folder, built.cache, "build", "//...")
    if name not in ("lang", "host"):  # these only save time
        assert done.code == 36, done.said
        assert done.lines[0].startswith(
            (
                f"error[cache-unusable]: in the cache folder `{built.cache}`, `{name}` is a file where a folder belongs",
                "error[sandbox-files]: ",
            )
        )
        (built.cache / name).unlink()
    is_right(built, "in\n" * 20)
