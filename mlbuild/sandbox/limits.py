"""What an action may use at most, and the words for one that wanted more."""

from __future__ import annotations

from mlbuild.records import record, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlbuild.terms import Spawn

MIB = 1 << 20
LOG_LIMIT = 64 * MIB
"""What is kept of each of the two streams that an action prints to."""

EACH_PROCESS = {
    "RLIMIT_CORE": 0,
    "RLIMIT_NOFILE": 4096,
    "RLIMIT_STACK": 8 * MIB,
    "RLIMIT_FSIZE": 256 << 30,
}
"""The kernel's limits of one process, by their names in `resource`."""

OUT_OF_MEMORY, TOO_MANY_PROCESSES, TOO_MUCH_WRITTEN, DISK_NEARLY_FULL = "memory", "processes", "written", "disk"


@record
class Limits:
    """The bounds of one action, all its processes taken together. Nothing of a kind: no bound of that kind.

    `memory_mib` counts what processes hold and, where control groups keep it, what lies in `/tmp` and `/dev/shm`
    (which are never bigger than it); `processes` counts threads too;
    `written_mib` is what may lie in the working folder; `reserve_mib` is what must stay free on the disk below it.
    """

    memory_mib: int | None = None
    processes: int | None = 2048
    written_mib: int | None = None
    reserve_mib: int = 1024
    tmp_mib: int = 4096
    shared_memory_mib: int = 1024

    def of(self, spawn: Spawn) -> Limits:
        """These, with the memory that a spawn's rule says that it is ended at."""
        asked = spawn.resources.memory_limit_mib
        return self if asked is None else replace(self, memory_mib=asked)

    @property
    def tmp_bytes(self) -> int:
        """The size of `/tmp`: it is memory, so it cannot be bigger than that."""
        return min(self.tmp_mib, self.memory_mib or self.tmp_mib) * MIB

    @property
    def shared_memory_bytes(self) -> int:
        return min(self.shared_memory_mib, self.memory_mib or self.shared_memory_mib) * MIB


DEFAULT = Limits()
NONE = Limits(processes=None, reserve_mib=0)


def in_words(reason: str, limits: Limits) -> str | None:
    """Why an action was ended, when it was for a limit."""
    if reason == OUT_OF_MEMORY:
        return f"out of memory: the action used more than {limits.memory_mib} MiB (`memory_mib`)"
    if reason == TOO_MANY_PROCESSES:
        return f"too many processes: the action wanted more than {limits.processes} processes and threads at once"
    if reason == TOO_MUCH_WRITTEN:
        return f"too much written: the action's working folder held more than {limits.written_mib} MiB"
    if reason == DISK_NEARLY_FULL:
        return "disk nearly full: the action was ended before what it wrote took the last free space of the disk"
    return None
