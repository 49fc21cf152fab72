"""When the tool or its helper dies, nothing that they started lives on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mlbuild.diagnostics import UserError
from mlbuild.files.staging import TreeStore
from mlbuild.sandbox import LinuxRunner

TOOL = """
import sys, threading
from pathlib import Path
from mlbuild.files.staging import TreeStore
from mlbuild.sandbox import LinuxRunner
from mlbuild.store import DiskStore
from mlbuild.terms import Digest, Spawn

home, root, mark, *command = sys.argv[1:]
store = DiskStore(Path(home, "store"))
runner = LinuxRunner(store, TreeStore(Path(home, "staged"), store), Path(home, "sandbox"))
script = f"trap '' TERM INT HUP; setsid sleep {mark} & sleep {mark} & sleep {mark}"
spawn = Spawn((*command, "-c", script), (("PATH", "/shell/bin"), ("LD_LIBRARY_PATH", "/shell/lib")), Digest.parse(root), ())
threads = [threading.Thread(target=runner.run, args=(spawn,)) for _ in range(3)]
for thread in threads:
    thread.start()
"""


def sleepers(mark: str) -> list[int]:
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = Path("/proc", name, "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"sleep" in words[0] and mark.encode() in words:
            found.append(int(name))
    return found


def wait_until(claim, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def start_tool(workshop, mark: str) -> subprocess.Popen[bytes]:
    root = workshop.input_root({})
    command = [sys.executable, "-c", TOOL, str(workshop.home), str(root), mark, *workshop.shell_command]
    process = subprocess.Popen(command, cwd=Path(__file__).parents[2], stderr=subprocess.DEVNULL)
    wait_until(lambda: len(sleepers(mark)) == 9)
    return process


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_tool_leaves_no_process(workshop, number):
    mark = f"55{int(number)}"
    process = start_tool(workshop, mark)
    process.send_signal(number)
    process.wait()
    wait_until(lambda: not sleepers(mark), seconds=2)


def test_what_a_killed_tool_left_on_disk_is_removed_by_the_next(workshop, tmp_path):
    process = start_tool(workshop, "5601")
    runs = workshop.home / "sandbox" / "runs"
    before = {path.name for path in runs.iterdir()}
    process.kill()
    process.wait()
    wait_until(lambda: not sleepers("5601"), seconds=2)
    trees = TreeStore(tmp_path / "staged", workshop.store)
    runner = LinuxRunner(workshop.store, trees, workshop.home / "sandbox")
    assert runner.run(workshop.spawn((*workshop.shell_command, "-c", ":"), {})).is_success
    runner.close()
    trees.close()
    left = {path.name for path in runs.iterdir()}
    assert len(left) < len(before)
    assert workshop.sh(":").is_success


def test_a_killed_helper_ends_its_sandboxes_and_is_told(workshop, tmp_path):
    import threading

    trees = TreeStore(tmp_path / "staged", workshop.store)
    runner = LinuxRunner(workshop.store, trees, tmp_path / "sandbox")
    told: list[str] = []

    def run() -> None:
        try:
            runner.run(workshop.spawn((*workshop.shell_command, "-c", "setsid sleep 5701 & sleep 5701"), {}))
        except UserError as error:
            told.append(error.diagnostics[0].code)

    thread = threading.Thread(target=run)
    thread.start()
    wait_until(lambda: len(sleepers("5701")) == 2)
    spawner = next(
        int(name) for name in filter(str.isdigit, os.listdir("/proc"))
        if _is_spawner_of_ours(name) and _shows(name, tmp_path)
    )  # fmt: skip
    os.kill(spawner, signal.SIGKILL)
    thread.join(10)
    assert told == ["sandbox-ended"]
    wait_until(lambda: not sleepers("5701"), seconds=2)
    runner.close()
    trees.close()


def _is_spawner_of_ours(name: str) -> bool:
    try:
        status = Path("/proc", name, "stat").read_text().rpartition(")")[2].split()
        return int(status[1]) == os.getpid() and b"spawner.py" in Path("/proc", name, "cmdline").read_bytes()
    except OSError:
        return False


def _shows(name: str, place: Path) -> bool:
    """Whether the spawner holds a log below `place`."""
    try:
        return any(os.readlink(f"/proc/{name}/fd/{fd}").startswith(str(place)) for fd in os.listdir(f"/proc/{name}/fd"))
    except OSError:
        return False
