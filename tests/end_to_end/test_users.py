"""Builds as an ordinary user, tried from a test run by root: the same results, and nothing shared that must not be."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Workspace
from tests.end_to_end.house import ADA, BEN, BUILD, PYTHON, House, needs_users

pytestmark = needs_users


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = Path("/tmp") / f"mlbuild-users-{os.getpid()}"
    folder.mkdir(mode=0o755)
    yield House(folder)
    shutil.rmtree(folder)


def test_an_ordinary_user_builds_what_root_builds_and_runs_it(house: House, shell_workspace: Workspace) -> None:
    place = house.workspace("first", ADA)
    done = house.mlbuild(ADA, place, "build", "//:who")
    assert (done.code, done.ran) == (0, 1)
    shell_workspace.write("BUILD.ml", BUILD.splitlines()[1] + "\n")
    shell_workspace.write("in.txt", "in\n")
    assert shell_workspace.build("//:who").code == 0
    text = (place / "mlbuild-out" / "who.txt").read_text()
    assert text == "in\nuid=1000(builder) gid=1000(builder) groups=1000(builder)\n/tmp\n/work\n"
    assert text == shell_workspace.output("who.txt").read_text()
    for each in (place / "mlbuild-out", house.home(ADA) / ".cache" / "mlbuild"):
        assert {path.lstat().st_uid for path in each.rglob("*")} == {ADA}
    run = house.mlbuild(ADA, place, "run", "//:shout", said=b"hello")
    assert (run.code, run.out) == (0, "HELLO\n")


def test_users_share_nothing_and_a_cache_that_was_handed_over_answers(house: House) -> None:
    first, second = house.workspace("ada", ADA), house.workspace("ben", BEN)
    assert house.mlbuild(ADA, first, "build", "//:who").code == 0
    assert house.mlbuild(BEN, second, "build", "//:who").ran == 1
    adas = house.home(ADA) / ".cache" / "mlbuild"
    refused = house.mlbuild(BEN, second, "build", "//:who", f"--disk_cache={adas}")
    assert (refused.code, refused.lines[0]) == (
        36, f"error[cache-folder]: the cache cannot be kept in `{adas}`: `{house.home(ADA)}` cannot be written to",
    )  # fmt: skip
    handed = house.folder / "handed"
    subprocess.run(["cp", "-a", str(adas), str(handed)], check=True)
    house.give(handed, BEN)
    elsewhere = house.workspace("elsewhere/deep below/ben's", BEN)
    done = house.mlbuild(BEN, elsewhere, "build", "//:who", f"--disk_cache={handed}")
    assert (done.code, done.ran, "1 cached locally" in done.said) == (0, 0, True)
    assert (elsewhere / "mlbuild-out/who.txt").read_bytes() == (first / "mlbuild-out/who.txt").read_bytes()


def test_a_cache_that_its_owner_opens_for_reading_is_used_by_others_and_not_written(house: House) -> None:
    first, second = house.workspace("opens", ADA), house.workspace("reads", BEN)
    cache = house.folder / "opened"
    cache.mkdir()
    os.chown(cache, ADA, ADA)
    assert house.mlbuild(ADA, first, "build", "//:who", f"--disk_cache={cache}").code == 0
    subprocess.run(["chmod", "-R", "a+rX", str(cache)], check=True)
    done = house.mlbuild(BEN, second, "build", "//:who", f"--disk_cache={cache}")
    assert (done.code, done.ran, done.lines[0]) == (
        0, 0, f"warning[cache-read-only]: the cache folder `{cache}` cannot be written: what is made is kept in "
        f"`{house.home(BEN)}/.cache/mlbuild`",
    )  # fmt: skip
    (second / "in.txt").write_text("ben's\n")
    done = house.mlbuild(BEN, second, "build", "//:who", f"--disk_cache={cache}")
    assert (done.code, done.ran, (second / "mlbuild-out/who.txt").read_text()[:6]) == (0, 1, "ben's\n")
    assert {path.lstat().st_uid for path in cache.rglob("*")} == {ADA}
    assert house.mlbuild(ADA, first, "cache", "verify", f"--disk_cache={cache}").code == 0


def test_two_users_with_one_folder_build_at_once_each_in_a_cache_that_is_theirs(house: House) -> None:
    """A cache is its maker's. In a folder that a group shares, the second user is told, and is right."""
    cache = house.folder / "of a group"
    cache.mkdir()
    cache.chmod(0o2777)
    places = {user: house.workspace(f"of {user}", user) for user in (ADA, BEN)}
    assert house.mlbuild(ADA, places[ADA], "build", "//:who", f"--disk_cache={cache}").code == 0
    with ThreadPoolExecutor() as pool:
        done = {
            user: pool.submit(house.mlbuild, user, place, "build", "//:who", f"--disk_cache={cache}")
            for user, place in places.items()
        }
    assert [each.result().code for each in done.values()] == [0, 0]
    assert done[BEN].result().lines[0] == (
        f"warning[cache-read-only]: the cache folder `{cache}` cannot be written, nor read: what is made is kept in "
        f"`{house.home(BEN)}/.cache/mlbuild`"
    )
    assert len({(place / "mlbuild-out/who.txt").read_bytes() for place in places.values()}) == 1
    assert {path.lstat().st_uid for path in cache.rglob("*")} == {ADA}


def without(place: Path, house: House) -> None:
    os.chown(place, 0, 0)
    place.chmod(0o700 if place.is_dir() else 0o600)


@pytest.mark.parametrize(
    ("harm", "code", "message"),
    [
        (lambda place, house: without(place / "in.txt", house), 1,
         "in.txt: error[input-unreadable]: `in.txt` cannot be read: permission denied"),
        (lambda place, house: without(place / "BUILD.ml", house), 1,
         "error[unreadable-file]: cannot read `BUILD.ml`: Permission denied"),
        (lambda place, house: os.chown(place, 0, 0), 36,
         "error[output-not-writable]: `{place}/mlbuild-out/who.txt` could not be placed: permission denied"),
    ],
    ids=["a source", "a BUILD file", "the workspace"],
)  # fmt: skip
def test_what_a_user_may_not_read_or_write_is_named(
    house: House, request: pytest.FixtureRequest, harm: Callable[[Path, House], None], code: int, message: str
) -> None:
    place = house.workspace(f"denied {request.node.callspec.id}", ADA)
    place.chmod(0o755)
    harm(place, house)
    done = house.mlbuild(ADA, place, "build", "//:who")
    assert (done.code, done.lines[0]) == (code, message.format(place=place))


def test_an_interpreter_that_the_user_may_not_read_is_named(house: House) -> None:
    hidden = house.folder / "hidden"
    hidden.mkdir(mode=0o700, exist_ok=True)
    assert PYTHON is not None
    shutil.copy(os.path.realpath(PYTHON), hidden / "python3")
    place = house.workspace(
        "hidden interpreter", ADA, **{"BUILD.ml": f'py_env(name = "e", python = "{hidden}/python3")\n'}
    )
    done = house.mlbuild(ADA, place, "build", "//:e")
    assert (done.code, done.said) == (
        36,
        f"error[no-such-interpreter]: no Python interpreter `{hidden}/python3` on this machine: Permission denied\n"
        "  hint: install it (`uv python install`, the system's packages, or pyenv), or change the attribute `python`\n",
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can use another user's cache")
def test_root_in_a_users_cache_is_told_what_that_does(shell_workspace: Workspace) -> None:
    shell_workspace.write("BUILD.ml", 'genrule(name = "a", outs = ["a.txt"], cmd = "echo > $@")\n')
    assert shell_workspace.build("//:a").warnings == ""
    os.chown(shell_workspace.cache, ADA, ADA)
    shell_workspace.write("in.txt", "")
    shell_workspace.edit("BUILD.ml", "echo", "echo new")
    done = shell_workspace.build("//:a")
    assert (done.code, f"belongs to user {ADA}, and what root puts there stays root's" in done.warnings) == (0, True)
