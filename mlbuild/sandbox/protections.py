"""What the sandbox keeps up on this machine, by name: seen from inside a real one and from outside, never taken for granted."""

from __future__ import annotations

import os
import platform

from mlbuild.records import record
from mlbuild.sandbox.availability import Glimpse, SandboxStatus, glimpse
from mlbuild.sandbox.spawning import SpawnerError
from mlbuild.sandbox.starter import shows

_NAMESPACES = {
    "mnt": ("files", "an action has a root of its own"),
    "pid": ("processes", "an action sees its own, and all of them end with it"),
    "net": ("network", "an action has one of its own, with nobody in it"),
    "ipc": ("shared memory", "an action has its own, and its own message queues"),
    "uts": ("host name", "an action has its own"),
    "cgroup": ("names of control groups", "an action does not see those outside"),
}
_FILTER = "2"
"""As `/proc/PID/status` has it: system calls are looked at by a program."""


@record
class Protection:
    """Something that an action is kept from, whether it is so here, and in words how, or what is the matter."""

    thing: str
    is_kept: bool
    how: str


def protections(status: SandboxStatus) -> tuple[Protection, ...]:
    """All of them, for a machine that can give the sandbox; nothing where it does not start now."""
    try:
        seen = glimpse(status.bubblewrap, shows(platform.machine(), "/proc/self/status"))
    except (SpawnerError, OSError):
        return ()
    return judged(seen, {kind: os.stat(f"/proc/self/ns/{kind}").st_ino for kind in _NAMESPACES if _has(kind)})


def judged(seen: Glimpse, ours: dict[str, int]) -> tuple[Protection, ...]:
    """What a look inside tells; `ours` are the numbers of the namespaces outside."""
    told = dict(line.split(":\t", 1) for line in seen.said.splitlines() if ":\t" in line)
    theirs = seen.outcome.namespaces
    found: list[Protection] = []
    for kind, (thing, how) in _NAMESPACES.items():
        is_own = kind in theirs and theirs[kind] != ours.get(kind)
        found.append(
            Protection(
                thing, is_own, f"{how} ({kind} namespace)" if is_own else f"shared: no {kind} namespace of its own"
            )
        )
    powers = {told.get(name, "?").strip("0") for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}
    found.append(
        _kept("user", seen.user != 0, f"actions run as user {seen.user} of this machine", "actions run as root")
    )
    found.append(
        _kept("powers", powers == {""}, "an action has no capability and can get none", "an action has capabilities")
    )
    is_final = told.get("NoNewPrivs") == "1"
    found.append(_kept("programs with other rights", is_final, "set-user-id does nothing", "set-user-id is in force"))
    is_filtered = told.get("Seccomp") == _FILTER
    found.append(
        _kept("system calls", is_filtered, "a filter lets those through that it names", "no filter is in force")
    )
    return tuple(found)


def _kept(thing: str, is_kept: bool, how: str, what_else: str) -> Protection:
    return Protection(thing, is_kept, how if is_kept else what_else)


def _has(kind: str) -> bool:
    return os.path.exists(f"/proc/self/ns/{kind}")
