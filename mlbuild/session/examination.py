"""`mlbuild doctor`: what this machine can promise, found out by trying."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from typing import TYPE_CHECKING

import mlbuild

if TYPE_CHECKING:
    from mlbuild.config import BuildRequest

GIB = 1 << 30
_CONTROL_GROUPS = (
    "run mlbuild in a part of the control groups that is yours: `systemd-run --user --scope -p Delegate=yes`, or in a"
    " container as root with /sys/fs/cgroup writable"
)


def examine(request: BuildRequest) -> tuple[str, ...]:
    """One line a finding: `ok` or `no`, what, and what to do about it."""
    from mlbuild.sandbox import Limits, keeping, probe

    lines = [f"mlbuild {mlbuild.__version__}, Python {platform.python_version()} ({sys.executable})"]
    status = probe(request.private_folder)
    lines.append(f"{'ok' if status.is_hermetic else 'no'}: sandbox: {status.summary}")
    if status.remedy:
        lines.append(f"    try: {status.remedy}")
    if status.is_hermetic:
        kept = keeping()
        lines += [f"ok: limit of {each.thing}: {each.how}" for each in kept]
        if not all(each.is_by_kernel for each in kept):
            lines.append(f"    try: {_CONTROL_GROUPS}")
        usual = Limits()
        lines.append(
            f"ok: limit of the disk: watched; actions are ended before the last {usual.reserve_mib} MiB are taken;"
            f" /tmp {usual.tmp_mib} MiB, /dev/shm {usual.shared_memory_mib} MiB"
        )
    lines.append(f"ok: {os.cpu_count()} cores, {request.jobs} jobs, {request.memory_mib} MiB for actions")
    folder = request.cache_folder
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    writable = os.access(folder, os.W_OK)
    lines.append(
        f"{'ok' if free > GIB and writable else 'no'}: cache {request.cache_folder}: {free / GIB:.1f} GiB free"
    )
    if not writable:
        lines.append("    try: make the folder writable, or name another with --disk_cache")
    return tuple(lines)
