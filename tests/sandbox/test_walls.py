"""What a spawn cannot do. Every door is tried from inside; the same probes outside show that they prove something."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PROBES = Path(__file__).with_name("probes.py").read_text()


@pytest.fixture(scope="module")
def listeners() -> Iterator[dict[str, object]]:
    """Sockets of the host that an action must not reach."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as abstract:
        name = f"mlbuild-test-{os.getpid()}"
        abstract.bind(f"\0{name}")
        abstract.listen()
        yield {"host-loopback": list(server.getsockname()), "host-abstract-socket": f"\0{name}"}


@pytest.fixture(scope="module")
def inside(workshop, listeners) -> dict:
    """What the probes found in a sandbox; the tool's environment and descriptors hold secrets meanwhile."""
    os.environ["MLBUILD_TEST_SECRET"] = "secret"
    secret = os.open("/etc/hostname", os.O_RDONLY)
    os.set_inheritable(secret, True)
    try:
        spawn = workshop.spawn(
            (*workshop.python_command, "-c", PROBES, json.dumps(listeners)), {"a": b""}, output_paths=("out",)
        )
        result = workshop.runner.run(spawn)
    finally:
        os.close(secret)
        del os.environ["MLBUILD_TEST_SECRET"]
    assert result.exit_code == 0, workshop.text(result.stderr)
    return json.loads(workshop.text(result.stdout))


@pytest.fixture(scope="module")
def outside(listeners) -> dict:
    result = subprocess.run(
        [sys.executable, "-I", "-S", "-c", PROBES, json.dumps(listeners), *HARMLESS],
        check=True, capture_output=True, text=True, start_new_session=True,
    )  # fmt: skip
    return json.loads(result.stdout)


HARMLESS = (
    "vsock", "alg", "netlink-kobject", "unshare-user", "keyctl", "ptrace", "io_uring", "bpf", "personality-no-random",

)  # fmt: skip
"""What may be tried on the host: it changes nothing but the process that tries it."""


def test_the_doors_are_shut(inside, walls):
    assert {name: inside[name] for name in walls} == walls


@pytest.mark.parametrize("probe", ["write-core-pattern", "write-sysrq", "write-etc", "read-kcore"])
def test_files_of_the_kernel_and_of_the_sandbox_are_out_of_reach(inside, probe):
    assert inside[probe] in {"EACCES", "EROFS", "ENOENT"}


@pytest.mark.parametrize(
    "probe", ["netlink-route", "unix-socket", "inet-socket", "personality-ask", "write-tmp", "write-shm"]
)
def test_what_programs_need_is_there(inside, probe):
    assert inside[probe] == "ok"


@pytest.mark.parametrize("probe", HARMLESS)
def test_a_probe_would_succeed_without_the_sandbox(outside, probe):
    if os.getuid() != 0 and probe == "bpf":
        pytest.skip("only root may do this at all")
    if outside[probe] in {"ENOSYS", "EAFNOSUPPORT"}:
        pytest.skip("this kernel does not have it")
    # A call with empty arguments is refused for them: it was let through.
    assert outside[probe] in {"ok", "EINVAL", "EFAULT", "ENOKEY"}


def test_open_files_cannot_be_raised(inside):
    assert inside["raise-open-files"].startswith("ValueError") or inside["raise-open-files"] == "EPERM"


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


def test_the_number_of_the_machines_run_is_hidden(inside):
    assert inside["boot"] == "00000000-0000-0000-0000-000000000000\n"
    assert Path("/proc/sys/kernel/random/boot_id").read_text() != inside["boot"]


def test_the_store_is_not_there(workshop):
    result = workshop.sh(f"ls {workshop.home} {workshop.home}/store; ls /inputs/..; ls /usr /home /root /run /var /sys")
    assert workshop.text(result.stderr).count("No such file or directory") == 8


def test_two_spawns_share_nothing(workshop):
    workshop.sh("echo secret > /tmp/x; echo secret > /dev/shm/x; echo secret > /work/x")
    result = workshop.sh("ls /tmp /dev/shm /work")
    assert workshop.text(result.stdout) == "/dev/shm:\n\n/tmp:\n\n/work:\n"
