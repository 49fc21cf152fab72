"""What an action that wants too much comes to: each limit kept by the kernel and by watching, each with its control."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mlbuild.diagnostics import UserError
from mlbuild.files.staging import TreeStore
from mlbuild.sandbox import LinuxRunner, bounds
from mlbuild.sandbox.bounds import Enforcement
from mlbuild.sandbox.control_groups import CONTROLLERS, ControlGroups, Parent, find
from mlbuild.sandbox.limits import Limits
from mlbuild.terms import Resources, SpawnResult

Try = Callable[..., SpawnResult]

MEMORY_HOG = "import time; held = b'x' * (300 << 20); time.sleep({rest}); print('done')"
MEMORY_HOGS = """
import os, time
children = [os.fork() for _ in range(1)]
held = b'x' * (90 << 20)
time.sleep({rest})
if children[0]:
    os.wait()
    print('done')
"""
FORKS = """
import os, time
for _ in range(60):
    if os.fork() == 0:
        time.sleep({rest})
        os._exit(0)
for _ in range(60):
    os.wait()
print('done')
"""
FORK_BOMB = """
import os
while True:
    try:
        os.fork()
    except OSError:
        pass
"""
THREADS = """
import threading
ends = threading.Event()
threads = [threading.Thread(target=ends.wait, args=({rest},)) for _ in range(60)]
for each in threads: each.start()
for each in threads: each.join()
print('done')
"""
DISK_FILLER = """
import time
with open('out', 'wb') as out:
    for _ in range(48):
        out.write(b'x' * (1 << 20))
time.sleep({rest})
print('done')
"""
MANY_FILES = """
import os, time
os.mkdir('out')
for name in range(48):
    with open(f'out/{{name}}', 'wb') as file:
        file.write(b'x' * (1 << 20))
time.sleep({rest})
print('done')
"""
TMP_FILLER = """
with open('{place}/x', 'wb') as out:
    for _ in range(24):
        out.write(b'x' * (1 << 20))
print('done')
"""
LONG = 60
"""Seconds that an action would rest if it were not ended."""


@pytest.fixture(params=["kernel", "watch"])
def enforcement(request) -> Enforcement:
    if request.param == "kernel" and (lacking := set(CONTROLLERS) - find().controllers):
        pytest.skip(f"no control groups for {' and '.join(sorted(lacking))} can be made here")
    return request.param


@pytest.fixture
def make(workshop, tmp_path) -> Iterator[Callable[..., Try]]:
    """A way to run programs within limits."""
    opened: list[tuple[LinuxRunner, TreeStore]] = []

    def made(limits: Limits, enforcement: Enforcement) -> Try:
        place = tmp_path / str(len(opened))
        trees = TreeStore(place / "staged", workshop.store)
        runner = LinuxRunner(workshop.store, trees, place / "sandbox", limits=limits, enforcement=enforcement)
        opened.append((runner, trees))

        def run(program: str, **more: object) -> SpawnResult:
            return runner.run(workshop.spawn((*workshop.python_command, "-c", program), {}, **more))

        return run

    yield made
    for runner, trees in opened:
        runner.close()
        trees.close()


HOGS = [
    pytest.param(
        MEMORY_HOG, {}, Limits(memory_mib=128), "out of memory: the action used more than 128 MiB (`memory_mib`)",
        id="memory",
    ),
    pytest.param(
        MEMORY_HOGS, {}, Limits(memory_mib=128), "out of memory: the action used more than 128 MiB (`memory_mib`)",
        id="memory-of-all-processes-together",
    ),
    pytest.param(
        FORKS, {}, Limits(processes=30),
        "too many processes: the action wanted more than 30 processes and threads at once", id="processes",
    ),
    pytest.param(
        THREADS, {}, Limits(processes=30),
        "too many processes: the action wanted more than 30 processes and threads at once", id="threads",
    ),
    pytest.param(
        DISK_FILLER, {"output_paths": ("out",)}, Limits(written_mib=16),
        "too much written: the action's working folder held more than 16 MiB", id="one-big-file",
    ),
    pytest.param(
        MANY_FILES, {"output_paths": ("out",), "output_directories": ("out",)}, Limits(written_mib=16),
        "too much written: the action's working folder held more than 16 MiB", id="many-files",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("program", "more", "limits", "failure"), HOGS)
def test_an_action_that_wants_too_much_is_ended_and_told_why(make, enforcement, program, more, limits, failure):
    result = make(limits, enforcement)(program.format(rest=LONG), **more)
    assert result.failure == failure
    assert result.exit_code != 0


@pytest.mark.parametrize(("program", "more", "limits", "failure"), HOGS)
def test_the_same_action_succeeds_without_the_limit(workshop, make, program, more, limits, failure):
    result = make(Limits(), "no")(program.format(rest=0.2), **more)
    assert (result.exit_code, result.failure, workshop.text(result.stdout)) == (0, None, "done\n")


@pytest.mark.parametrize(("program", "more", "limits", "failure"), HOGS)
def test_the_same_action_succeeds_within_the_usual_limits(make, enforcement, program, more, limits, failure):
    assert make(Limits(memory_mib=2048), enforcement)(program.format(rest=0.2), **more).is_success


def test_a_fork_bomb_ends_and_leaves_nothing(workshop, make, enforcement):
    mark = f"# bomb {enforcement} {os.getpid()}"
    result = make(Limits(processes=100), enforcement)(FORK_BOMB + mark)
    assert result.failure == "too many processes: the action wanted more than 100 processes and threads at once"
    assert alive(mark) == 0
    assert workshop.sh(":").is_success


@pytest.mark.parametrize("place", ["/tmp", "/dev/shm"])
def test_a_full_tmp_is_told(make, enforcement, place):
    limits = Limits(tmp_mib=8, shared_memory_mib=8)
    result = make(limits, enforcement)(TMP_FILLER.format(place=place))
    assert result.failure == (
        "exit code 1, and it told of a full disk: `/tmp` holds 8 MiB and `/dev/shm` 8 MiB of its memory"
    )
    assert make(Limits(), enforcement)(TMP_FILLER.format(place=place)).is_success


def test_what_the_rule_claims_is_the_limit(workshop, make, enforcement):
    run = make(Limits(memory_mib=2048), enforcement)
    result = run(MEMORY_HOG.format(rest=LONG), resources=Resources(1, 100, 100))
    assert result.failure == "out of memory: the action used more than 100 MiB (`memory_mib`)"
    assert run(MEMORY_HOG.format(rest=0.2), resources=Resources(1, 100)).is_success


def test_no_control_group_is_left(workshop, tmp_path):
    if not (groups := find()).parents:
        pytest.skip("no control groups can be made here")
    trees = TreeStore(tmp_path / "staged", workshop.store)
    runner = LinuxRunner(workshop.store, trees, tmp_path / "sandbox", limits=Limits(processes=30))
    spawn = workshop.spawn((*workshop.python_command, "-c", FORKS.format(rest=LONG)), {})
    assert "too many processes" in str(runner.run(spawn).failure)
    runner.close()
    trees.close()
    own = f"mlbuild-{os.getpid()}-*"
    assert [folder for parent in groups.parents for folder in parent.path.glob(own)] == []


def test_where_the_kernels_limits_are_demanded_and_not_there_nothing_runs(make, monkeypatch):
    monkeypatch.setattr(bounds, "find", lambda: ControlGroups(()))
    with pytest.raises(UserError) as told:
        make(Limits(), "kernel")("print('never')")
    assert told.value.diagnostics[0].code == "no-limits"
    assert told.value.diagnostics[0].message == "the kernel's limits for memory and processes are not to be had here"


def test_a_group_that_lets_nobody_in_is_not_used_and_never_passed_over_in_silence(make, monkeypatch, tmp_path):
    """The folder has the files of a group, and writing to them fails as it does without the right to."""
    locked = tmp_path / "locked"
    locked.mkdir()
    monkeypatch.setattr(bounds, "find", lambda: ControlGroups((Parent(locked, 1, CONTROLLERS),)))
    assert make(Limits(), "auto")("print('watched')").is_success
    with pytest.raises(UserError):
        make(Limits(), "kernel")("print('never')")


def alive(mark: str) -> int:
    """How many processes have this in their command line."""
    count = 0
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            count += mark.encode() in Path("/proc", name, "cmdline").read_bytes()
        except OSError:
            continue
    return count
