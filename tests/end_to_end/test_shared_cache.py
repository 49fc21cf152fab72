"""One cache of a group's: its members build in it at once, and none can harm another's build unseen."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.end_to_end.command import Ended
from tests.end_to_end.house import ADA, BEN, House, needs_users

pytestmark = needs_users

GROUP = 61_310
CAM = 61_303
"""Another user, who is not of the group."""
BUILD = 'genrule(name = "who", srcs = ["in.txt"], outs = ["who.txt"], cmd = "cat $< > $@; pwd >> $@")'
FIXED = 315_532_800 * 10**9


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    folder = Path("/tmp") / f"mlbuild-group-{os.getpid()}"
    folder.mkdir(mode=0o755)
    yield House(folder)
    shutil.rmtree(folder)


class Group:
    """A cache that Ada and Ben share, and a workspace of each."""

    def __init__(self, house: House, name: str, mode: int = 0o2770) -> None:
        self.house = house
        self.cache = house.folder / f"cache {name}"
        self.cache.mkdir()
        os.chown(self.cache, 0, GROUP)
        self.cache.chmod(mode)
        self.places = {
            user: house.workspace(f"{name} of {user}", user, **{"BUILD.ml": BUILD}) for user in (ADA, BEN, CAM)
        }

    def does(self, user: int, *words: str) -> Ended:
        groups = "" if user == CAM else str(GROUP)
        return self.house.mlbuild(user, self.places[user], *words, f"--disk_cache={self.cache}", groups=groups)

    def output(self, user: int, name: str = "who.txt") -> str:
        return (self.places[user] / "mlbuild-out" / name).read_text()

    def write(self, user: int, name: str, text: str) -> None:
        (self.places[user] / name).write_text(text)

    def blob(self, content: bytes) -> Path:
        (found,) = [path for path in self.cache.glob("cas/*/*") if path.read_bytes() == content]
        return found


@pytest.fixture
def group(house: House, request: pytest.FixtureRequest) -> Group:
    return Group(house, request.node.name)


def test_what_one_member_has_made_another_does_not_make_again(group: Group) -> None:
    assert group.does(ADA, "build", "//:who").ran == 1
    done = group.does(BEN, "build", "//:who")
    assert (done.code, done.ran, "warning" in done.said) == (0, 0, False)
    assert group.output(BEN) == group.output(ADA)
    group.write(BEN, "in.txt", "ben's\n")
    assert group.does(BEN, "build", "//:who").ran == 1
    group.write(ADA, "in.txt", "ben's\n")
    assert group.does(ADA, "build", "//:who").ran == 0
    assert group.output(ADA).splitlines()[0] == "ben's"
    told = group.does(BEN, "cache", "verify")
    assert (told.code, told.out.splitlines()[-1].endswith("all is well")) == (0, True), told.out


def test_all_is_the_groups_but_what_is_believed_without_a_digest(group: Group) -> None:
    assert group.does(ADA, "build", "//:who").code == 0
    assert group.does(BEN, "build", "//:who").code == 0
    kinds: dict[str, set[int]] = {}
    for path in group.cache.rglob("*"):
        if "users" in path.parts:
            continue
        found = path.lstat()
        assert found.st_gid == GROUP, path
        kinds.setdefault("folder" if path.is_dir() else path.parent.parent.name, set()).add(stat.S_IMODE(found.st_mode))
    assert kinds == {
        "folder": {0o2770},
        "cas": {0o444},
        "ac": {0o660},
        group.cache.name: {0o660},
        group.cache.parent.name: {0o660},
    }
    for user in (ADA, BEN):
        part = group.cache / "users" / str(user)
        assert {each.name for each in part.iterdir()} - {"run"} == {"host", "lang", "staged", "state"}
        assert (part.stat().st_uid, stat.S_IMODE(part.stat().st_mode) & 0o777) == (user, 0o700)
        assert {path.lstat().st_uid for path in part.rglob("*")} == {user}


def test_members_build_the_same_and_other_things_at_once_beside_collections(group: Group) -> None:
    build = "".join(
        f'genrule(name = "t{number}", srcs = ["in.txt"], outs = ["t{number}.txt"], cmd = "cat $< > $@; echo {number} >> $@")\n'
        for number in range(12)
    )
    for user in (ADA, BEN):
        group.write(user, "BUILD.ml", build + f'genrule(name = "own", outs = ["own.txt"], cmd = "echo {user} > $@")\n')
    with ThreadPoolExecutor() as pool:
        for limit in ("1G", "1"):
            builds = {user: pool.submit(group.does, user, "build", "//...") for user in (ADA, BEN)}
            others = [
                pool.submit(group.does, ADA, "cache", "gc", f"--disk_cache_max_size={limit}"),
                pool.submit(group.does, BEN, "cache", "repair"),
                pool.submit(group.does, BEN, "cache", "gc", f"--disk_cache_max_size={limit}"),
            ]
            assert [each.result().said for each in (*builds.values(), *others) if each.result().code] == []
            for user in builds:
                assert group.output(user, "own.txt") == f"{user}\n"
                assert [group.output(user, f"t{n}.txt") for n in range(12)] == [f"in\n{n}\n" for n in range(12)]
                shutil.rmtree(group.places[user] / "mlbuild-out")
    told = group.does(ADA, "cache", "verify")
    assert told.code == 0, told.out
    assert group.does(BEN, "cache", "gc", "--disk_cache_max_size=1").code == 0
    assert list(group.cache.glob("ac/*/*")) == []


def test_bytes_that_a_member_changes_under_another_are_never_taken(group: Group) -> None:
    assert group.does(ADA, "build", "//:who").code == 0
    output = group.output(ADA)
    for content, harm in ((b"in\n", b"IN\n"), (output.encode(), output.upper().encode())):
        blob = group.blob(content)
        assert blob.stat().st_uid == ADA
        blob.chmod(0o644)
        blob.write_bytes(harm)
        blob.chmod(0o444)
        os.utime(blob, ns=(FIXED, FIXED))
    done = group.does(BEN, "build", "//:who")
    assert (done.code, done.ran, group.output(BEN)) == (0, 1, output)
    assert next(line for line in done.lines if line.startswith("warning")).startswith("warning[damaged-blob]")
    assert group.does(BEN, "cache", "verify").code == 0


def test_a_damaged_entry_of_another_is_set_aside(group: Group) -> None:
    assert group.does(ADA, "build", "//:who").code == 0
    for entry in group.cache.glob("ac/*/*"):
        content = entry.read_bytes()
        entry.write_bytes(content[:-1] + bytes((content[-1] ^ 1,)))
    done = group.does(BEN, "build", "//:who")
    assert (done.code, done.ran, group.output(BEN)) == (0, 1, group.output(ADA))
    assert group.does(ADA, "cache", "verify").code == 0


def test_who_may_only_read_builds_with_what_is_there_and_looks_at_it(house: House) -> None:
    group = Group(house, "all may read", 0o2775)
    assert group.does(ADA, "build", "//:who").code == 0
    before = {path: path.lstat().st_ctime_ns for path in group.cache.rglob("*")}
    done = group.does(CAM, "build", "//:who")
    assert (done.code, done.ran, group.output(CAM)) == (0, 0, group.output(ADA))
    assert done.lines[0] == (
        f"warning[cache-read-only]: the cache folder `{group.cache}` cannot be written: what is made is kept in "
        f"`{house.home(CAM)}/.cache/mlbuild`"
    )
    told = group.does(CAM, "cache", "status")
    assert (told.code, told.out.splitlines()[0]) == (0, f"cache: {group.cache}")
    told = group.does(CAM, "cache", "verify")
    assert (told.code, told.out.splitlines()[-1].endswith("all is well")) == (0, True), told.said
    for words in (("cache", "repair"), ("cache", "gc", "--disk_cache_max_size=1")):
        told = group.does(CAM, *words)
        assert (told.code, told.lines[0]) == (
            36, f"error[cache-not-writable]: the cache folder `{group.cache}` cannot be written: permission denied",
        )  # fmt: skip
    assert {path: path.lstat().st_ctime_ns for path in group.cache.rglob("*")} == before


def test_who_may_not_even_read_builds_alone_and_is_told(group: Group) -> None:
    assert group.does(ADA, "build", "//:who").code == 0
    done = group.does(CAM, "build", "//:who")
    assert (done.code, done.ran, group.output(CAM)) == (0, 1, group.output(ADA))
    assert done.lines[0].startswith(
        f"warning[cache-read-only]: the cache folder `{group.cache}` cannot be written, nor read: what is made is kept in "
    )
    for task in ("status", "verify", "repair"):
        told = group.does(CAM, "cache", task)
        assert (told.code, told.lines[0]) == (
            36, f"error[cache-not-readable]: the cache folder `{group.cache}` cannot be read: permission denied",
        )  # fmt: skip


def test_a_part_that_another_has_put_in_ones_place_is_not_used(group: Group) -> None:
    assert group.does(ADA, "build", "//:who").code == 0
    part = group.cache / "users" / str(BEN)
    subprocess.run(["cp", "-a", str(group.cache / "users" / str(ADA)), str(part)], check=True)
    done = group.does(BEN, "build", "//:who")
    assert (done.code, done.said) == (
        36,
        f"error[no-private-part]: the shared cache has no folder `{part}` that is yours alone: it is another's, or others may "
        "enter it\n"
        "  hint: remove or rename that folder: mlbuild makes it; or name another cache with `--disk_cache`\n",
    )


def test_root_in_a_shared_cache_leaves_it_to_the_group(group: Group) -> None:
    subprocess.run(["cp", "-r", str(group.places[ADA]), str(group.places[ADA]) + " of root"], check=True)
    group.places[0] = Path(str(group.places[ADA]) + " of root")
    done = group.does(0, "build", "//:who")
    assert (done.code, "cache-of-a-user" in done.said) == (0, False)
    done = group.does(ADA, "build", "//:who")
    assert (done.code, done.ran) == (0, 0)
    assert group.does(BEN, "cache", "gc", "--disk_cache_max_size=1").code == 0
