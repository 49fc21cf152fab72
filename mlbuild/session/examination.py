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
_BUBBLEWRAP = "use a newer kernel or bubblewrap, or run mlbuild outside of this container"


def examine(request: BuildRequest) -> tuple[str, ...]:
    """One line a finding: `ok`, `watched` or `no`, what, and what to do about it."""
    from mlbuild.sandbox import keeping, probe, protections

    lines = [f"mlbuild {mlbuild.__version__}, Python {platform.python_version()} ({sys.executable})"]
    status = probe(request.private_folder)
    lines.append(f"{'ok' if status.is_hermetic else 'no'}: sandbox: {status.summary}")
    if status.remedy:
        lines.append(f"    try: {status.remedy}")
    if status.is_hermetic:
        seen = protections(status)
        lines += [f"{'ok' if each.is_kept else 'no'}: sandbox, {each.thing}: {each.how}" for each in seen]
        if not all(each.is_kept for each in seen):
            lines.append(f"    try: {_BUBBLEWRAP}")
        kept = keeping()
        for each in kept:
            lines.append(f"{'watched' if each.is_watched else 'ok'}: limit of {each.thing}: {each.how}")
            if each.remedy:
                lines.append(f"    try: {each.remedy}")
    lines.append(
        "no sandbox is used with --sandbox=none: actions reach all that you can; memory, processes and the disk are watched,"
        " time is kept, other limits are not"
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
