"""Control groups: the kernel's own limits for all processes of an action together, version 1 or 2.

Groups are made below the group that this process is in, or, in version 2, where a group that holds processes may not be
divided, below the nearest one above it that may be, and never past a limit that somebody has set.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from mlbuild.records import record
from mlbuild.sandbox.limits import MIB, OUT_OF_MEMORY, TOO_MANY_PROCESSES, Limits

CONTROLLERS = ("memory", "pids")
_PREFIX = "mlbuild-"
_OWN_PROCESSES = 4
"""bubblewrap's own, beside those of the action."""
_OWN_MEMORY = 8 * MIB
_PATIENCE = (0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512)


@record
class Parent:
    """A group in which groups for actions can be made, for these controllers."""

    path: Path
    version: int
    controllers: tuple[str, ...]


class ControlGroup:
    """The groups of one action: one in version 2, one for each controller in version 1."""

    def __init__(self, folders: Sequence[tuple[Parent, Path]]) -> None:
        self._folders = folders

    def entrances(self) -> list[int]:
        """Descriptors: a process that writes `0` to each of them is in the group. To be closed. Raises OSError."""
        opened: list[int] = []
        try:
            for parent, folder in self._folders:
                # A lone thread that moves itself is moved at once, in version 1; a whole process waits for all processors.
                file = "tasks" if parent.version == 1 else "cgroup.procs"
                opened.append(os.open(folder / file, os.O_WRONLY | os.O_CLOEXEC))
        except OSError:
            for fd in opened:
                os.close(fd)
            raise
        return opened

    def exceeded(self) -> str:
        """Which limit has been met since the group was made, or nothing."""
        for parent, folder in self._folders:
            if "memory" in parent.controllers:
                file = "memory.events" if parent.version == 2 else "memory.oom_control"
                if _counter(folder / file, "oom_kill"):
                    return OUT_OF_MEMORY
            if "pids" in parent.controllers and _counter(folder / "pids.events", "max"):
                return TOO_MANY_PROCESSES
        return ""

    def remove(self) -> bool:
        """Removes it, if it may go yet: the kernel lets a dead process out of its group a moment after its parent hears."""
        for _, folder in self._folders:
            with contextlib.suppress(FileNotFoundError):
                try:
                    folder.rmdir()
                except OSError:
                    return False
        return True


class ControlGroups:
    """Makes a group for each action."""

    def __init__(self, parents: Sequence[Parent]) -> None:
        self.parents = tuple(parents)
        self._lock = threading.Lock()
        self._dying: list[ControlGroup] = []

    @property
    def controllers(self) -> frozenset[str]:
        return frozenset(name for parent in self.parents for name in parent.controllers)

    def make(self, limits: Limits) -> ControlGroup:
        """A group with these limits. Raises OSError."""
        name = f"{_PREFIX}{os.getpid()}-{os.urandom(6).hex()}"
        made: list[tuple[Parent, Path]] = []
        group = ControlGroup(made)
        try:
            for parent in self.parents:
                folder = parent.path / name
                folder.mkdir()
                made.append((parent, folder))
                for file, value in _settings(parent, limits):
                    (folder / file).write_text(value)
        except OSError:
            group.remove()
            raise
        return group

    def discard(self, group: ControlGroup) -> None:
        """Removes a group whose processes are dead, now or with a later one."""
        with self._lock:
            self._dying = [each for each in (*self._dying, group) if not each.remove()]

    def close(self) -> None:
        """Removes those that are left, and waits a moment for the kernel to let go of them."""
        with self._lock:
            for patience in _PATIENCE:
                self._dying = [each for each in self._dying if not each.remove()]
                if not self._dying:
                    return
                time.sleep(patience)

    def remove_leftovers(self) -> None:
        """Removes the groups of processes that died before they could."""
        for parent in self.parents:
            with contextlib.suppress(OSError):
                for folder in parent.path.glob(f"{_PREFIX}*-*"):
                    if not Path("/proc", folder.name.split("-")[1]).exists():
                        folder.rmdir()


def find() -> ControlGroups:
    """Those that this process may make groups in: found out by making one, entered by nobody."""
    try:
        mounts = Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape")
        own = Path("/proc/self/cgroup").read_text("utf-8", "surrogateescape")
    except OSError:
        return ControlGroups(())
    parents: list[Parent] = []
    wanted = set(CONTROLLERS)
    for version, controllers, path in places(mounts, own):
        here = tuple(name for name in CONTROLLERS if name in wanted and (version == 2 or name in controllers))
        if not here:
            continue
        parent = Parent(path, 1, here) if version == 1 else divisible(path, here)
        if parent is not None and _can_make(parent):
            parents.append(parent)
            wanted -= set(parent.controllers)
    return ControlGroups(parents)


def places(mounts: str, own: str) -> Iterable[tuple[int, frozenset[str], Path]]:
    """This process's group in each hierarchy that is mounted: version, controllers (of version 1), folder."""
    groups = [line.split(":", 2) for line in own.splitlines() if line.count(":") >= 2]
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields, kind = before.split(), after.split()
        if len(fields) < 5 or len(kind) < 3 or kind[0] not in {"cgroup", "cgroup2"}:
            continue
        options = frozenset(kind[2].split(","))
        for _, controllers, group in groups:
            names = frozenset(controllers.split(","))
            is_here = not controllers if kind[0] == "cgroup2" else bool(controllers) and names <= options
            if not is_here or ".." in group:
                continue
            root = fields[3]
            if root != "/" and group != root and not group.startswith(root + "/"):
                continue
            inner = group.removeprefix(root) if root != "/" else group
            path = Path(fields[4], inner.strip("/"))
            yield (2, frozenset(), path) if kind[0] == "cgroup2" else (1, names, path)


def divisible(own: Path, wanted: Sequence[str]) -> Parent | None:
    """Version 2: the nearest group from `own` upwards that gives its children the wanted controllers."""
    here = own
    while (here / "cgroup.procs").exists():
        given = _words(here / "cgroup.subtree_control")
        if found := tuple(name for name in wanted if name in given):
            return Parent(here, 2, found) if os.access(here, os.W_OK) else None
        if _has_limit(here):
            return None
        here = here.parent
    return None


def _has_limit(group: Path) -> bool:
    return any(_words(group / file) - {"max"} for file in ("memory.max", "memory.high", "pids.max"))


def _can_make(parent: Parent) -> bool:
    groups = ControlGroups((parent,))
    groups.remove_leftovers()
    try:
        group = groups.make(Limits(memory_mib=64, processes=64))
    except OSError:
        return False
    try:
        for fd in group.entrances():
            os.close(fd)
    except OSError:
        return False
    finally:
        group.remove()
    return True


def can_enter(groups: ControlGroups) -> bool:
    """Whether a process of ours can be put into a group, which is more than to make one."""
    import subprocess
    import sys

    try:
        group = groups.make(Limits(memory_mib=64, processes=64))
    except OSError:
        return False
    child = subprocess.Popen([sys.executable, "-I", "-S", "-c", "input()"], stdin=subprocess.PIPE)
    try:
        for fd in group.entrances():
            try:
                os.write(fd, str(child.pid).encode())
            finally:
                os.close(fd)
    except OSError:
        return False
    finally:
        child.communicate(b"\n")
        groups.discard(group)
        groups.close()
    return True


def _settings(parent: Parent, limits: Limits) -> Iterable[tuple[str, str]]:
    if "memory" in parent.controllers and limits.memory_mib is not None:
        most = str(limits.memory_mib * MIB + _OWN_MEMORY)
        if parent.version == 2:
            yield "memory.max", most
            yield "memory.oom.group", "1"
            if (parent.path / "memory.swap.max").exists():
                yield "memory.swap.max", "0"
        else:
            yield "memory.limit_in_bytes", most
            if (parent.path / "memory.memsw.limit_in_bytes").exists():
                yield "memory.memsw.limit_in_bytes", most
    if "pids" in parent.controllers and limits.processes is not None:
        yield "pids.max", str(limits.processes + _OWN_PROCESSES)


def _counter(file: Path, name: str) -> int:
    for line in _lines(file):
        key, _, value = line.partition(" ")
        if key == name and value.isdigit():
            return int(value)
    return 0


def _words(file: Path) -> set[str]:
    return {word for line in _lines(file) for word in line.split()}


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text().splitlines()
    except OSError:
        return []


def described(groups: ControlGroups) -> Mapping[str, str]:
    """By controller, whose limits they are, for a person."""
    return {
        name: f"control groups, version {parent.version}, below {parent.path}"
        for parent in groups.parents
        for name in parent.controllers
    }
