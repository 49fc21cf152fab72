"""Where control groups can be made, read off what the kernel says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mlbuild.sandbox.control_groups import CONTROLLERS, ControlGroup, Parent, divisible, places

HYBRID = """\
31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:3 - cgroup2 cgroup2 rw
"""


def test_each_hierarchy_has_the_group_of_this_process():
    own = "4:memory:/jobs/7\n2:cpu,cpuacct:/\n1:name=systemd:/x\n0::/user/1\n"
    assert list(places(HYBRID, own)) == [
        (1, frozenset({"memory"}), Path("/sys/fs/cgroup/memory/jobs/7")),
        (1, frozenset({"cpu", "cpuacct"}), Path("/sys/fs/cgroup/cpu,cpuacct")),
        (2, frozenset(), Path("/sys/fs/cgroup/unified/user/1")),
    ]


def test_a_container_sees_its_own_part_of_the_hierarchy():
    mounts = "35 31 0:32 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
    assert list(places(mounts, "4:memory:/docker/abc/inner\n")) == [
        (1, frozenset({"memory"}), Path("/sys/fs/cgroup/memory/inner"))
    ]
    assert list(places(mounts, "4:memory:/elsewhere\n")) == []
    assert list(places(mounts, "4:memory:/../elsewhere\n")) == []


@pytest.fixture
def tree(tmp_path):
    """A version 2 hierarchy in ordinary files: top / slice / scope."""

    def make(path: str, control: str, limit: str = "max") -> Path:
        folder = tmp_path / path
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in (("cgroup.procs", ""), ("cgroup.subtree_control", control), ("memory.max", limit)):
            (folder / name).write_text(text + "\n")
        return folder

    make("top", "cpu memory pids")
    return make


def test_a_group_that_divides_memory_and_processes_is_used(tree):
    own = tree("top/slice", "memory pids")
    assert divisible(own, ("memory", "pids")) == Parent(own, 2, ("memory", "pids"))


def test_a_group_that_holds_processes_is_left_for_the_nearest_above_that_is_divided(tree, tmp_path):
    tree("top/slice", "pids")
    own = tree("top/slice/scope", "")
    assert divisible(own, ("memory", "pids")) == Parent(tmp_path / "top/slice", 2, ("pids",))


def test_a_limit_that_somebody_has_set_is_never_left(tree):
    own = tree("top/slice", "", limit="1073741824")
    assert divisible(own, ("memory", "pids")) is None


def test_outside_of_any_hierarchy_there_is_none(tmp_path):
    assert divisible(tmp_path, ("memory",)) is None


@pytest.mark.parametrize(("version", "file"), [(1, "tasks"), (2, "cgroup.procs")])
def test_a_process_enters_by_the_way_that_waits_for_nobody(tmp_path, version, file):
    for name in ("tasks", "cgroup.procs"):
        (tmp_path / name).touch()
    (entrance,) = ControlGroup([(Parent(tmp_path, version, CONTROLLERS), tmp_path)]).entrances()
    assert os.readlink(f"/proc/self/fd/{entrance}") == str(tmp_path / file)
    os.close(entrance)
