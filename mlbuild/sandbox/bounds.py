"""How the limits of an action are kept on this machine: by the kernel where it lets us, else by watching, or refused."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Literal

from mlbuild.diagnostics import ExitCode, UserError, fail
from mlbuild.records import record
from mlbuild.sandbox.control_groups import CONTROLLERS, ControlGroups, can_enter, described, find
from mlbuild.sandbox.limits import DEFAULT, EACH_PROCESS, LOG_LIMIT, MIB, NONE, Limits, in_words
from mlbuild.sandbox.spawning import SandboxOutcome
from mlbuild.sandbox.watching import Watch
from mlbuild.terms import Spawn

Enforcement = Literal["auto", "kernel", "watch", "no"]
"""`auto`: by the kernel, or else by watching. `kernel`: so, or not at all: the action is refused. `no`: no limits."""

ENFORCEMENTS: tuple[Enforcement, ...] = ("auto", "kernel", "watch", "no")

Start = Callable[[Sequence[int], Callable[[int], str] | None], SandboxOutcome]
"""Runs a sandbox that enters control groups by these descriptors, and is watched."""

_TRIES = 2
_CONTROL_GROUPS = (
    "run mlbuild in a part of the control groups that is yours: `systemd-run --user --scope -p Delegate=yes`, or in a"
    " container as root with /sys/fs/cgroup writable"
)


@record
class Bounded:
    """What came of a sandbox, and in words which limit ended it, if one did."""

    outcome: SandboxOutcome
    failure: str | None


class Bounds:
    """Runs sandboxes within limits. From many threads at once."""

    def __init__(self, limits: Limits, enforcement: Enforcement) -> None:
        self._limits = limits
        self._enforcement = enforcement
        self._lock = threading.Lock()
        self._found: ControlGroups | None = None

    def limits_of(self, spawn: Spawn) -> Limits:
        """Those of every action, with the memory that this one asks for."""
        return NONE if self._enforcement == "no" else self._limits.of(spawn)

    def run(self, limits: Limits, work: Path, start: Start) -> Bounded:
        """Runs it within the limits. Raises UserError where only the kernel's own limits will do and it has none."""
        if self._enforcement == "no":
            return Bounded(start((), None), None)
        groups = self._groups()
        for _ in range(_TRIES if groups.parents else 0):
            bounded = _run_in_group(groups, limits, work, start)
            if bounded is not None:
                return bounded
        self.close()
        with self._lock:
            groups = self._found = ControlGroups(())
        self._refuse_if_weak(groups)
        outcome = start((), Watch(limits, work, memory=True, processes=True).look)
        return Bounded(outcome, in_words(outcome.reason, limits))

    def close(self) -> None:
        """Removes every control group. No `run` may be under way."""
        with self._lock:
            if self._found is not None:
                self._found.close()

    def _groups(self) -> ControlGroups:
        with self._lock:
            if self._found is None:
                self._found = ControlGroups(()) if self._enforcement == "watch" else find()
                self._refuse_if_weak(self._found)
            return self._found

    def _refuse_if_weak(self, groups: ControlGroups) -> None:
        if self._enforcement == "kernel" and (lacking := sorted(set(CONTROLLERS) - groups.controllers)):
            raise no_limits(lacking, "here")


def enforcement(word: str) -> Enforcement:
    """What `--sandbox_limits` says. Raises ValueError."""
    for each in ENFORCEMENTS:
        if each == word:
            return each
    raise ValueError(word)


def no_limits(lacking: Iterable[str], where: str) -> UserError:
    """For limits that only the kernel may keep, and does not."""
    return fail(
        "no-limits",
        f"the kernel's limits for {' and '.join(map(_thing, lacking))} are not to be had {where}",
        hint="`mlbuild doctor` says why; with `--sandbox_limits=auto` mlbuild watches what actions use instead",
        exit_code=ExitCode.ENVIRONMENT,
    )


@record
class Keeping:
    """A limit, whether it is only watched here (so that it can be exceeded between two looks), and how it is kept, in words."""

    thing: str
    is_watched: bool
    how: str
    remedy: str = ""


def keeping(limits: Limits = DEFAULT) -> tuple[Keeping, ...]:
    """How this machine keeps each limit of actions: found out, for control groups, by putting a process into one."""
    groups = find()
    if groups.parents and not can_enter(groups):
        groups = ControlGroups(())
    by_kernel = described(groups)
    watched = "ten times a second, since no control group can be made here"
    return (
        *(
            Keeping(_thing(name), False, by_kernel[name])
            if name in by_kernel
            else Keeping(_thing(name), True, watched, _CONTROL_GROUPS)
            for name in CONTROLLERS
        ),
        Keeping(
            "the disk",
            True,
            f"twice a second; actions are ended before the last {limits.reserve_mib} MiB are taken",
        ),
        Keeping("/tmp", False, f"{limits.tmp_mib} MiB, by its size"),
        Keeping("/dev/shm", False, f"{limits.shared_memory_mib} MiB, by its size"),
        Keeping("one file", False, f"{EACH_PROCESS['RLIMIT_FSIZE'] >> 30} GiB, by the kernel"),
        Keeping("open files", False, f"{EACH_PROCESS['RLIMIT_NOFILE']} in a process, by the kernel"),
        Keeping("core dumps", False, "none, by the kernel"),
        Keeping("what is printed", False, f"{LOG_LIMIT // MIB} MiB of each stream are kept; the rest is left out"),
        Keeping("time", False, "the action's `timeout`; all its processes are killed by the kernel with the first one"),
    )


def _thing(controller: str) -> str:
    return {"memory": "memory", "pids": "processes"}[controller]


def _run_in_group(groups: ControlGroups, limits: Limits, work: Path, start: Start) -> Bounded | None:
    """Nothing if the group could not be entered."""
    try:
        group = groups.make(limits)
    except OSError:
        return None
    watch = Watch(limits, work, memory="memory" not in groups.controllers, processes="pids" not in groups.controllers)
    try:
        try:
            entrances = group.entrances()
        except OSError:
            return None
        try:
            outcome = start(entrances, lambda pid: group.exceeded() or watch.look(pid))
        finally:
            for fd in entrances:
                os.close(fd)
        if outcome.is_kept_out:
            return None
        return Bounded(outcome, in_words(outcome.reason or group.exceeded(), limits))
    finally:
        groups.discard(group)
