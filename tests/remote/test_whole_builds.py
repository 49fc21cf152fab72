"""Whole builds against real servers: a workspace at another path, with an empty disk cache, runs nothing."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
from pathlib import Path

import pytest

from tests.end_to_end.command import mlbuild_ends
from tests.remote.casd import casd
from tests.remote.nginx import nginx
from tests.remote.raw_http_cache import RawHttpCache

BUILD = """
genrule(name = "numbers", outs = ["numbers.txt"], cmd = "seq 100000 > $@")
genrule(name = "sum", srcs = [":numbers"], outs = ["sum.txt"], cmd = "wc -l < $(SRCS) > $@")
genrule(name = "both", srcs = [":numbers", ":sum", "own.txt"], outs = ["both.txt"], cmd = "cat $(SRCS) > $@")
"""


def workspace(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "WORKSPACE.ml").write_text('workspace(name = "w")\n', encoding="utf-8")
    (folder / "BUILD.ml").write_text(BUILD, encoding="utf-8")
    (folder / "own.txt").write_text("own\n", encoding="utf-8")
    return folder


def two_workspaces(folder: Path, url: str) -> None:
    first, second = workspace(folder / "one"), workspace(folder / "elsewhere" / "two")
    made = mlbuild_ends(first, folder / "c1" / "cache", "build", "//...", f"--remote_cache={url}")
    assert "warning" not in made.said
    assert made.ran == 3
    taken = mlbuild_ends(second, folder / "elsewhere" / "c2", "build", "//...", f"--remote_cache={url}")
    assert "warning" not in taken.said
    assert "0 ran, 3 cached remotely" in taken.said
    alone = mlbuild_ends(second, folder / "elsewhere" / "c2", "build", "//:sum", "//:both")
    assert "0 ran, 3 cached locally" in alone.said
    for name in ("numbers.txt", "sum.txt", "both.txt"):
        assert (first / "mlbuild-out" / name).read_bytes() == (second / "mlbuild-out" / name).read_bytes()


def test_nginx(tmp_path: Path) -> None:
    (tmp_path / "c1").mkdir()
    with nginx(tmp_path / "nginx") as url:
        two_workspaces(tmp_path, url)


def test_buildbox_casd(tmp_path: Path) -> None:
    (tmp_path / "c1").mkdir()
    with casd(tmp_path / "casd") as url:
        two_workspaces(tmp_path, url)


def half_is_lost(folder: Path, url: str, blobs: Path, trials: int, *flags: str) -> None:
    """Before each build, half of the blobs go, and the results that name them stay: every build is right at the first try."""
    chance = random.Random(7)
    first = workspace(folder / "one")
    (folder / "c0").mkdir()
    assert mlbuild_ends(first, folder / "c0" / "cache", "build", "//...", f"--remote_cache={url}").ran == 3
    expected = (first / "mlbuild-out" / "both.txt").read_bytes()
    for number in range(trials):
        there = sorted(path for path in blobs.rglob("*") if path.is_file())
        for blob in chance.sample(there, len(there) // 2):
            blob.unlink()
        again = workspace(folder / f"w{number}")
        ended = mlbuild_ends(again, again / "cache", "build", "//...", f"--remote_cache={url}", *flags)
        assert (ended.code, "warning" in ended.said) == (0, False), ended.said
        assert (again / "mlbuild-out" / "both.txt").read_bytes() == expected
        shutil.rmtree(again / "cache" / "cas")


def test_half_of_the_blobs_of_nginx_are_lost(tmp_path: Path) -> None:
    with nginx(tmp_path / "nginx") as url:
        half_is_lost(tmp_path, url, tmp_path / "nginx" / "cache" / "cas", 3)


@pytest.mark.slow
@pytest.mark.parametrize("download", ["all", "toplevel"])
def test_half_of_the_blobs_are_lost_fifty_times(tmp_path: Path, download: str) -> None:
    with nginx(tmp_path / "nginx") as url:
        blobs = tmp_path / "nginx" / "cache" / "cas"
        half_is_lost(tmp_path, url, blobs, 50, f"--remote_download_outputs={download}")


@pytest.mark.slow
@pytest.mark.parametrize("download", ["all", "toplevel"])
def test_half_of_the_blobs_of_casd_are_lost_fifty_times(tmp_path: Path, download: str) -> None:
    with casd(tmp_path / "casd") as url:
        blobs = tmp_path / "casd" / "cache" / "cas" / "objects"
        half_is_lost(tmp_path, url, blobs, 50, f"--remote_download_outputs={download}")


def test_a_cache_that_is_not_there_is_said_once(tmp_path: Path) -> None:
    folder = workspace(tmp_path / "one")
    (tmp_path / "c").mkdir()
    flags = ("--remote_cache=http://127.0.0.1:9", "--remote_retries=0")
    ended = mlbuild_ends(folder, tmp_path / "c" / "cache", "build", "//...", *flags)
    assert (ended.code, ended.ran) == (0, 3)
    assert ended.said.count("warning[") == 1
    assert (
        "warning[remote-left-aside]: the build goes on without the remote cache `http://127.0.0.1:9`: nobody listens there"
        in ended.said
    )


def test_what_nobody_asks_for_stays_with_the_cache(tmp_path: Path) -> None:
    numbers = hashlib.sha256("".join(f"{number}\n" for number in range(1, 100001)).encode()).hexdigest()
    (tmp_path / "c").mkdir()
    (tmp_path / "d").mkdir()
    with RawHttpCache() as server:
        flags = ("--remote_download_outputs=toplevel", f"--remote_cache={server.url}")
        made = mlbuild_ends(workspace(tmp_path / "one"), tmp_path / "c" / "cache", "build", "//...", *flags)
        assert made.ran == 3
        server.asked.clear()
        second = workspace(tmp_path / "two")
        taken = mlbuild_ends(second, tmp_path / "d" / "cache", "build", "//:sum", *flags)
        assert "0 ran, 2 cached remotely" in taken.said
        assert (second / "mlbuild-out" / "sum.txt").read_text(encoding="utf-8") == "100000\n"
        assert [asked.path for asked in server.asked if asked.path == f"/cas/{numbers}"] == []
        # What stays there is not lost: whoever needs it, gets it.
        everything = mlbuild_ends(second, tmp_path / "d" / "cache", "build", "//:both", *flags)
        assert (everything.ran, "warning" in everything.said) == (0, False)
        assert (second / "mlbuild-out" / "both.txt").read_bytes() == (
            tmp_path / "one" / "mlbuild-out" / "both.txt"
        ).read_bytes()


def test_what_was_promised_and_is_lost_is_made_again(tmp_path: Path) -> None:
    numbers = hashlib.sha256("".join(f"{number}\n" for number in range(1, 100001)).encode()).hexdigest()
    (tmp_path / "c").mkdir()
    (tmp_path / "d").mkdir()
    with RawHttpCache() as server:
        flags = ("--remote_download_outputs=toplevel", f"--remote_cache={server.url}")
        mlbuild_ends(workspace(tmp_path / "one"), tmp_path / "c" / "cache", "build", "//...", *flags)
        del server.kept[f"/cas/{numbers}"]
        second = workspace(tmp_path / "two")
        (second / "BUILD.ml").write_text(BUILD.replace("wc -l", "wc -c"), encoding="utf-8")
        ended = mlbuild_ends(second, tmp_path / "d" / "cache", "build", "//:sum", *flags)
        assert (ended.code, "warning" in ended.said) == (0, False), ended.said
        assert (second / "mlbuild-out" / "sum.txt").read_text(encoding="utf-8") == "588895\n"
        assert f"/cas/{numbers}" in server.kept


def test_what_is_damaged_here_is_fetched_again_rather_than_made_again(tmp_path: Path) -> None:
    folder = workspace(tmp_path / "one")
    cache = tmp_path / "c" / "cache"
    (tmp_path / "c").mkdir()
    with RawHttpCache() as server:
        flag = f"--remote_cache={server.url}"
        assert mlbuild_ends(folder, cache, "build", "//...", flag).ran == 3
        expected = (folder / "mlbuild-out" / "numbers.txt").read_bytes()
        name = hashlib.sha256(expected).hexdigest()
        blob = cache / "cas" / name[:2] / name
        before = blob.stat()
        blob.chmod(0o644)
        blob.write_bytes(b"9" + expected[1:])
        blob.chmod(0o444)
        os.utime(blob, ns=(before.st_atime_ns, before.st_mtime_ns))
        (folder / "mlbuild-out" / "numbers.txt").unlink()
        again = mlbuild_ends(folder, cache, "build", "//:numbers", flag)
        assert (again.code, again.ran, "warning[damaged-blob]" in again.said) == (0, 0, True)
        assert (folder / "mlbuild-out" / "numbers.txt").read_bytes() == blob.read_bytes() == expected


def test_outputs_stay_with_the_cache_until_they_are_wanted(tmp_path: Path) -> None:
    (tmp_path / "c").mkdir()
    (tmp_path / "d").mkdir()
    with RawHttpCache() as server:
        cache = f"--remote_cache={server.url}"
        first = workspace(tmp_path / "one")
        mlbuild_ends(first, tmp_path / "c" / "cache", "build", "//...", cache)
        second = workspace(tmp_path / "two")
        (second / "mlbuild-out").mkdir()
        (second / "mlbuild-out" / "sum.txt").write_text("of an earlier build", encoding="utf-8")
        server.asked.clear()
        taken = mlbuild_ends(
            second, tmp_path / "d" / "cache", "build", "//...", cache, "--remote_download_outputs=minimal"
        )
        assert "0 ran, 3 cached remotely" in taken.said
        assert {asked.kind for asked in server.asked} == {"ac"}
        assert list((second / "mlbuild-out").iterdir()) == []
        wanted = mlbuild_ends(second, tmp_path / "d" / "cache", "build", "//...", cache)
        assert "0 ran, 3 cached remotely" in wanted.said
        for name in ("numbers.txt", "sum.txt", "both.txt"):
            assert (first / "mlbuild-out" / name).read_bytes() == (second / "mlbuild-out" / name).read_bytes()
