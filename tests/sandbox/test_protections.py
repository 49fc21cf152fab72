"""What `mlbuild doctor` lists: every protection and limit by name, and none that is not there."""

from __future__ import annotations

import pytest

from mlbuild.config import build_request
from mlbuild.records import replace
from mlbuild.sandbox import bounds, bubblewrap, probe, protections
from mlbuild.sandbox.availability import Glimpse
from mlbuild.sandbox.control_groups import ControlGroups
from mlbuild.sandbox.protections import judged
from mlbuild.sandbox.spawning import SandboxOutcome
from mlbuild.session.examination import examine

NAMES = [
    "files", "processes", "network", "shared memory", "host name", "names of control groups", "user", "powers",
    "programs with other rights", "system calls",
]  # fmt: skip
KINDS = ("mnt", "pid", "net", "ipc", "uts", "cgroup")
OURS = dict.fromkeys(KINDS, 1)
INSIDE = (
    "Name:\tx\nCapInh:\t0000\nCapPrm:\t0000\nCapEff:\t0000\nCapBnd:\t0000\nCapAmb:\t0000\nNoNewPrivs:\t1\nSeccomp:\t2"
)


def seen(said: str = INSIDE, user: int = 65534, shared: str = "") -> Glimpse:
    report = ", ".join(f'"{kind}-namespace": {1 if kind == shared else 2}' for kind in KINDS)
    return Glimpse(SandboxOutcome(0, "", f"{{{report}}}\n", 0.0, (False, False)), said, user)


def lost(glimpse: Glimpse) -> list[str]:
    return [each.thing for each in judged(glimpse, OURS) if not each.is_kept]


def test_every_protection_has_a_name():
    assert [each.thing for each in judged(seen(), OURS)] == NAMES
    assert lost(seen()) == []


@pytest.mark.parametrize(("kind", "thing"), [*zip(KINDS, NAMES, strict=False)])
def test_a_namespace_that_is_shared_is_no_protection(kind, thing):
    assert lost(seen(shared=kind)) == [thing]


@pytest.mark.parametrize(
    ("line", "instead", "thing"),
    [
        ("CapEff:\t0000", "CapEff:\t0001", "powers"),
        ("CapBnd:\t0000", "CapBnd:\t01ff", "powers"),
        ("CapAmb:\t0000", "", "powers"),
        ("NoNewPrivs:\t1", "NoNewPrivs:\t0", "programs with other rights"),
        ("Seccomp:\t2", "Seccomp:\t0", "system calls"),
        ("Seccomp:\t2", "", "system calls"),
    ],
)
def test_what_is_not_seen_inside_is_no_protection(line, instead, thing):
    assert lost(seen(INSIDE.replace(line, instead))) == [thing]


def test_root_is_no_protection():
    assert lost(seen(user=0)) == ["user"]


def test_this_machine_keeps_all_of_them(workshop):
    assert [each.thing for each in protections(workshop.runner.status()) if each.is_kept] == NAMES


@pytest.mark.parametrize(
    ("flag", "thing"),
    [
        ("--unshare-net", "network"),
        ("--unshare-ipc", "shared memory"),
        ("--unshare-uts", "host name"),
        ("--unshare-cgroup-try", "names of control groups"),
    ],
)
def test_one_that_is_switched_off_is_seen(workshop, monkeypatch, flag, thing):
    whole = bubblewrap.arguments
    monkeypatch.setattr(
        "mlbuild.sandbox.availability.arguments",
        lambda *layout: [
            word
            for word in whole(*layout)
            if word != flag and not (flag == "--unshare-uts" and word in ("--hostname", "sandbox"))
        ],
    )
    assert [each.thing for each in protections(workshop.runner.status()) if not each.is_kept] == [thing]


def test_where_no_sandbox_starts_nothing_is_claimed(workshop, tmp_path):
    assert protections(replace(probe(tmp_path), program=str(tmp_path / "none"))) == ()


def test_doctor_says_ok_of_no_limit_that_is_only_watched(workshop, monkeypatch, tmp_path):
    monkeypatch.setattr(bounds, "find", lambda: ControlGroups(()))
    lines = examine(build_request(("doctor", f"--disk_cache={tmp_path}"), {"HOME": str(tmp_path)}, tmp_path))
    told = [line for line in lines if "limit of" in line]
    assert [line.partition(" limit of ")[::2] for line in told if line.startswith("watched:")] == [
        ("watched:", "memory: ten times a second, since no control group can be made here"),
        ("watched:", "processes: ten times a second, since no control group can be made here"),
        ("watched:", "the disk: twice a second; actions are ended before the last 1024 MiB are taken"),
    ]
    assert [line.split(":")[1].removeprefix(" limit of ") for line in told if line.startswith("ok:")] == [
        "/tmp", "/dev/shm", "one file", "open files", "core dumps", "what is printed", "time",
    ]  # fmt: skip
    assert [line for line in lines if line.startswith("ok: sandbox, network: ")]
    assert [line for line in lines if "--sandbox=none" in line]
