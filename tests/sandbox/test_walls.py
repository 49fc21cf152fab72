"""What a spawn cannot do. Every door is tried from inside; the same probes outside show that they prove something."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from mlbuild.sandbox.surroundings import PROC
from tests.sandbox.walls import PROBES, WALLS


@pytest.fixture(scope="module")
def inside(workshop, facts) -> dict:
    """What the probes found in a sandbox; the tool's environment and descriptors hold secrets meanwhile."""
    os.environ["MLBUILD_TEST_SECRET"] = "secret"
    secret = os.open("/etc/hostname", os.O_RDONLY)
    os.set_inheritable(secret, True)
    told = json.dumps({**facts, "input": "/inputs/a"})
    try:
        spawn = workshop.spawn((*workshop.python_command, "-c", PROBES, told), {"a": b""}, output_paths=("out",))
        result = workshop.runner.run(spawn)
    finally:
        os.close(secret)
        del os.environ["MLBUILD_TEST_SECRET"]
    assert result.exit_code == 0, workshop.text(result.stderr)
    return json.loads(workshop.text(result.stdout))


@pytest.fixture(scope="module")
def outside(facts) -> dict:
    """What root is answered where nothing forbids it, in namespaces of its own."""
    if os.getuid() != 0:
        pytest.skip("only root may try what the sandbox refuses")
    result = subprocess.run(
        [sys.executable, "-I", "-S", "-c", PROBES, json.dumps({**facts, "is-outside": True})],
        check=True, capture_output=True, text=True, start_new_session=True,
    )  # fmt: skip
    return json.loads(result.stdout)


def test_the_doors_are_shut(inside, walls):
    assert {name: inside[name] for name in walls} == {name: wall.inside for name, wall in walls.items()}


def test_there_are_seventy_doors_and_more(walls):
    assert len(walls) >= 70


@pytest.mark.parametrize("probe", ["write-core-pattern", "write-host-name", "write-sysrq", "read-kcore"])
def test_files_of_the_kernel_are_out_of_reach(inside, probe):
    assert inside[probe] in {"EACCES", "EROFS", "ENOENT"}


@pytest.mark.parametrize(
    "probe", ["netlink-route", "unix-socket", "inet-socket", "personality-ask", "write-tmp", "write-shm"]
)
def test_what_programs_need_is_there(inside, probe):
    assert inside[probe] == "ok"


@pytest.mark.parametrize("probe", sorted(WALLS))
def test_a_probe_would_succeed_without_the_sandbox(outside, probe):
    """A call whose arguments make no sense is let through where it is refused for them."""
    if outside[probe] in {"ENOSYS", "EAFNOSUPPORT", "EPROTONOSUPPORT"}:
        pytest.skip("this kernel does not have it")
    if outside[probe] in {"EPERM", "EACCES"}:
        pytest.skip("this machine refuses it even to root")
    assert outside[probe] == WALLS[probe].outside


def test_open_files_cannot_be_raised(inside):
    assert inside["open-files"] == "EPERM"


def test_the_process_has_no_powers(inside):
    assert inside["status"] == {
        "CapBnd": "0000000000000000",
        "CapEff": "0000000000000000",
        "NoNewPrivs": "1",
        "Seccomp": "2",
        "Groups": inside["status"]["Groups"],
    }
    assert inside["user"] == [1000, 1000]


def test_the_root_of_the_host_owns_nothing_that_the_spawn_makes(workshop, as_root):
    seen: list[int] = []
    place = workshop.home / "sandbox" / "runs"
    spawn = workshop.spawn(
        (*workshop.python_command, "-c", "import time; open('out', 'w'); time.sleep(1)"), {}, output_paths=("out",)
    )
    import threading
    import time

    thread = threading.Thread(target=workshop.runner.run, args=(spawn,))
    thread.start()
    deadline = time.monotonic() + 10
    while not seen and time.monotonic() < deadline:
        seen = [path.stat().st_uid for path in place.glob("*/*/work/out")]
    thread.join()
    assert seen == [65534]


def test_descriptors_are_0_to_2(inside):
    assert inside["fds"] == [0, 1, 2]


def test_the_first_process_shows_no_environment(inside):
    assert inside["environ-1"] == ""


def test_only_its_own_processes_are_seen(inside):
    assert inside["pids"] <= 3


def test_the_host_is_not_there(inside):
    assert [name for name in inside["root"] if not name.startswith("lib")] == [
        "dev", "etc", "inputs", "proc", "python", "shell", "tmp", "work",
    ]  # fmt: skip
    assert inside["etc"] == ["group", "hosts", "localtime", "nsswitch.conf", "passwd"]
    assert inside["dev"] == [
        "core", "fd", "full", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout", "tty", "urandom",
        "zero",
    ]  # fmt: skip
    assert inside["home"] in ([], ["new"])


def test_names_and_masks_are_fixed(inside):
    assert (inside["hostname"], inside["umask"], inside["interfaces"]) == ("sandbox", 0o022, ["lo"])


def test_files_that_tell_of_the_machine_say_the_same_everywhere(inside):
    assert inside["proc"] == {name: content.decode() for name, content in PROC.items()}


def test_the_store_is_not_there(workshop):
    result = workshop.sh(f"ls {workshop.home} {workshop.home}/store; ls /inputs/..; ls /usr /home /root /run /var /sys")
    assert workshop.text(result.stderr).count("No such file or directory") == 8


def test_two_spawns_share_nothing(workshop):
    workshop.sh("echo secret > /tmp/x; echo secret > /dev/shm/x; echo secret > /work/x")
    result = workshop.sh("ls /tmp /dev/shm /work")
    assert workshop.text(result.stdout) == "/dev/shm:\n\n/tmp:\n\n/work:\n"
