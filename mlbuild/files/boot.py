"""What a loss of power may have taken: it spares no stamp, so what was written shortly before is in doubt after a start."""

from __future__ import annotations

WRITTEN_BACK_NS = 120 * 10**9
"""By then the kernel has written changed bytes to the disk (after about 35 s, if nobody has changed its settings)."""


def boot() -> str:
    """The name of the machine's present run; a machine that does not tell it has but one."""
    try:
        with open("/proc/sys/kernel/random/boot_id") as file:  # noqa: PTH123 (pathlib costs more than a null build has)
            return file.read().strip()
    except OSError:
        return ""


def is_in_doubt(ctime_ns: int, saved_ns: int) -> bool:
    """Whether a file with this ctime may have lost bytes in a run of the machine that still ran at `saved_ns`."""
    return ctime_ns >= saved_ns - WRITTEN_BACK_NS
