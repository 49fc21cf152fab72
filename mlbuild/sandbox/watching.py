"""Looks now and then at what an action uses: at the disk always, at memory and processes where the kernel sets no limit.

What is watched can be exceeded between two looks; the kernel's limits cannot.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

from mlbuild.sandbox.limits import (
    DISK_NEARLY_FULL,
    MIB,
    OUT_OF_MEMORY,
    TOO_MANY_PROCESSES,
    TOO_MUCH_WRITTEN,
    Limits,
)

INTERVAL = 0.1
"""Seconds between two looks; an action that ends sooner costs none."""
_DISK_INTERVAL = 0.5
_DEEPEST = 200
_WORTH_ENDING = 64 * MIB
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Watch:
    """One action, by its first process and its working folder."""

    def __init__(self, limits: Limits, work: Path, *, memory: bool, processes: bool) -> None:
        self._limits = limits
        self._work = work
        self._memory = limits.memory_mib if memory else None
        self._processes = limits.processes if processes else None
        free = _free(work)
        self._reserve = min(limits.reserve_mib * MIB, free // 4)
        self._next_disk = 0.0

    def look(self, pid: int) -> str:
        """The limit that is exceeded, or nothing."""
        if self._memory is not None or self._processes is not None:
            processes = descendants(pid)
            if self._processes is not None and sum(map(_threads, processes)) > self._processes:
                return TOO_MANY_PROCESSES
            if self._memory is not None and memory_of(processes, self._memory * MIB) > self._memory * MIB:
                return OUT_OF_MEMORY
        return self._look_at_disk()

    def _look_at_disk(self) -> str:
        now = time.monotonic()
        if now < self._next_disk:
            return ""
        is_short = _free(self._work) < self._reserve
        reason = ""
        if is_short or self._limits.written_mib is not None:
            written = used_by(self._work)
            if self._limits.written_mib is not None and written > self._limits.written_mib * MIB:
                reason = TOO_MUCH_WRITTEN
            elif is_short and written > _WORTH_ENDING:
                reason = DISK_NEARLY_FULL
        ended = time.monotonic()
        self._next_disk = ended + max(_DISK_INTERVAL, 10 * (ended - now))
        return reason


def descendants(pid: int) -> list[int]:
    """The process and all below it, as far as they still live."""
    found: list[int] = []
    waiting = [pid]
    while waiting:
        here = waiting.pop()
        found.append(here)
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{here}/task"):
                with contextlib.suppress(OSError):
                    waiting += map(int, Path(f"/proc/{here}/task/{task}/children").read_bytes().split())
    return found


def processes_of(user: int) -> int:
    """How many processes and threads a user has on the whole machine."""
    count = 0
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError):
                if os.stat(f"/proc/{name}").st_uid == user:
                    count += len(os.listdir(f"/proc/{name}/task"))
    return count


def memory_of(processes: list[int], limit: int) -> int:
    """What they hold, in bytes. Shared pages count once, which is looked at only when it matters."""
    resident = sum(map(_resident, processes))
    return resident if resident <= limit else sum(map(_proportional, processes))


def used_by(folder: Path) -> int:
    """The bytes on the disk of all below a folder; no link is followed."""
    seen: set[tuple[int, int]] = set()
    try:
        root = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return 0
    return _used_below(root, seen, 0)


def _used_below(fd: int, seen: set[tuple[int, int]], depth: int) -> int:
    total = 0
    try:
        for name in os.listdir(fd):
            try:
                state = os.stat(name, dir_fd=fd, follow_symlinks=False)
                if (state.st_dev, state.st_ino) in seen:
                    continue
                seen.add((state.st_dev, state.st_ino))
                total += state.st_blocks * 512
                if state.st_mode & 0o170000 == 0o040000 and depth < _DEEPEST:
                    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
                    total += _used_below(os.open(name, flags, dir_fd=fd), seen, depth + 1)
            except OSError:
                continue
    finally:
        os.close(fd)
    return total


def _free(folder: Path) -> int:
    state = os.statvfs(folder)
    return state.f_bavail * state.f_frsize


def _threads(pid: int) -> int:
    try:
        return len(os.listdir(f"/proc/{pid}/task"))
    except OSError:
        return 0


def _resident(pid: int) -> int:
    try:
        _, resident, _, *_ = Path(f"/proc/{pid}/statm").read_bytes().split()
    except (OSError, ValueError):
        return 0
    return int(resident) * _PAGE


def _proportional(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_bytes().splitlines():
            if line.startswith(b"Pss:"):
                return int(line.split()[1]) * 1024
    except PermissionError:
        return _resident(pid)
    except (OSError, ValueError):
        return 0
    return 0
