"""What a campaign has shown, and how it is told: the number of trials, the seed, the date, the machine."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterator

import mlbuild
from mlbuild.records import record


@record
class Figure:
    """One campaign's. `violations` are the trials' numbers with what was seen; `skipped` is what the machine lacks."""

    name: str
    claim: str
    done: int
    planned: int
    seconds: float
    violations: tuple[tuple[int, str], ...] = ()
    skipped: str = ""
    measured: str = ""


def machine() -> str:
    """Where and with what the figures were got."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return (
        f"mlbuild {mlbuild.__version__}, Python {platform.python_version()}, {platform.system()} {platform.release()} "
        f"{platform.machine()}, {len(os.sched_getaffinity(0))} processors, {memory:.0f} GiB, "
        f"{'root' if os.getuid() == 0 else 'an ordinary user'}"
    )


def told(figure: Figure) -> Iterator[str]:
    """The lines of one figure."""
    if figure.skipped:
        yield f"skipped: {figure.name}: {figure.skipped}"
        return
    of = f" of {figure.planned} (time was up)" if figure.done < figure.planned else ""
    count = len(figure.violations)
    yield f"{'no' if count else 'ok'}: {figure.name}: {count} violations in {figure.done}{of}, {figure.seconds:.1f} s"
    yield f"    {figure.claim}"
    if figure.measured:
        yield f"    {figure.measured}"
    for number, seen in figure.violations:
        yield f"    violation: mlbuild selftest --only={figure.name} --seed={number} --count=1"
        yield from (f"        {line}" for line in seen.rstrip().splitlines())


def heading(seed: int) -> Iterator[str]:
    yield f"{time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime())}, seed {seed}"
    yield machine()
