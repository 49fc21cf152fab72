"""`mlbuild cache`: what the cache holds, whether it is right, and how it stays small; in words."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mlbuild.diagnostics import ExitCode, fail
from mlbuild.store.upkeep import Collected, Verified, amounts, collect, last_collection, repair, verify
from mlbuild.store.words import cannot_read

if TYPE_CHECKING:
    from mlbuild.config import BuildRequest

Told = tuple[tuple[str, ...], bool]
"""Lines, and whether all is well."""

ROOM = 10
"""A collection after a build leaves one part in so many free, so that not every build has to collect."""


def collect_after_build(folder: Path, limit: int, has_grown: bool) -> None:
    """Keeps the cache below its limit, unless another command is at that. Raises OSError, UserError."""
    last = last_collection(folder)
    if has_grown or last is None or last.limit != limit:
        collect(folder, limit, limit - limit // ROOM, waits=False)


def tell_status(request: BuildRequest) -> Told:
    folder = _folder(request)
    found = amounts(folder)
    last = last_collection(folder)
    when = "never"
    if last is not None:
        day = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(last.time_ns // 10**9))
        when = f"{day}, to {_size(last.limit)}; {_size(last.after)} were left"
    lines = [
        f"cache: {folder}",
        f"blobs: {found.blobs.count}, {_size(found.blobs.size)} ({_size(found.blobs.on_disk)} on disk)",
        f"entries: {found.entries.count}, {_size(found.entries.size)} ({_size(found.entries.on_disk)} on disk)",
        f"staged trees: {found.trees.count} ({_size(found.trees.on_disk)} on disk beside the blobs)",
        f"compiled files: {found.compiled.count} ({_size(found.compiled.on_disk)} on disk)",
        f"set aside: {found.set_aside.count} ({_size(found.set_aside.on_disk)} on disk)",
        f"to be removed when no command needs them: {found.retired.count} ({_size(found.retired.on_disk)} on disk)",
        f"in all: {_size(found.on_disk)} on disk",
        f"limit: {_size(request.cache_limit) if request.cache_limit else 'none'}",
        f"last collected: {when}",
    ]
    return tuple(lines), True


def tell_verified(request: BuildRequest) -> Told:
    if not _folder(request).is_dir():
        return (_nothing(request),), True
    found = verify(_folder(request))
    return (*_findings(found), _verified(found)), not found.findings


def tell_repaired(request: BuildRequest) -> Told:
    if not _folder(request).is_dir():
        return (_nothing(request),), True
    from mlbuild.files.sharing import private_part
    from mlbuild.sandbox import remove_leftovers

    done = repair(_folder(request))
    remove_leftovers(private_part(_folder(request)) / "run")
    left = tuple(f"left: {finding.what} {finding.path}: {why}" for finding, why in done.left)
    count = len(done.verified.findings) - len(left)
    repaired = f"repaired: {_count(count, 'finding')}; what is needed of them is made again by the next build"
    return (*_findings(done.verified), *left, _verified(done.verified), *((repaired,) if count else ())), not left


def tell_collected(request: BuildRequest) -> Told:
    limit = request.cache_limit
    if limit is None:
        raise fail(
            "no-limit",
            "`mlbuild cache gc` needs to be told how big the cache may be",
            hint="write `mlbuild cache gc --disk_cache_max_size=20G`, or the line `build --disk_cache_max_size=20G` "
            "into `.mlbuildrc`: then every build sees to it",
            exit_code=ExitCode.COMMAND_LINE,
        )
    done = collect(_folder(request), limit, limit, waits=True)
    assert done is not None
    return tuple(_collected(done, limit)), True


TASKS: Mapping[str, Callable[[BuildRequest], Told]] = {
    "status": tell_status,
    "verify": tell_verified,
    "repair": tell_repaired,
    "gc": tell_collected,
}


def _folder(request: BuildRequest) -> Path:
    """The one that was asked for, also where builds keep what they make in another. Raises UserError."""
    folder = request.read_only_cache or request.cache_folder
    if folder.exists() and not os.access(folder, os.R_OK | os.X_OK):
        raise cannot_read(folder, PermissionError(errno.EACCES, ""))
    return folder


def _collected(done: Collected, limit: int) -> list[str]:
    nouns = ("file set aside", "compiled file", "entry", "staged tree", "program", "blob")
    removed = [_count(count, noun) for noun, (_, count) in zip(nouns, done.removed, strict=True) if count]
    if removed:
        lines = [f"removed {', '.join(removed)}", f"before: {_size(done.before)} on disk; now: {_size(done.after)}"]
    else:
        lines = [f"nothing to remove: {_size(done.after)} on disk, {_size(limit)} allowed"]
    if done.waiting:
        lines.append(f"{_size(done.waiting)} of them go when the commands that use the cache now have ended")
    if not done.is_alone:
        lines.append("staged trees stayed, with their blobs: another command is using them")
    return lines


def _findings(found: Verified) -> tuple[str, ...]:
    return tuple(f"found: {each.what} {each.path}: {each.why}" for each in found.findings)


def _verified(found: Verified) -> str:
    looked = ", ".join(
        (_count(found.blobs, "blob"), _count(found.entries, "entry"), _count(found.trees, "staged tree"))
    )
    return f"verified: {looked}; {_count(len(found.findings), 'finding') if found.findings else 'all is well'}"


def _nothing(request: BuildRequest) -> str:
    return f"there is no cache yet: {_folder(request)}"


def _count(number: int, noun: str) -> str:
    if number == 1:
        return f"1 {noun}"
    if noun == "file set aside":
        return f"{number} files set aside"
    return f"{number} {noun.removesuffix('y')}ies" if noun == "entry" else f"{number} {noun}s"


def _size(number: int) -> str:
    if number < 1024:
        return f"{number} B"
    size = float(number)
    for unit in ("KiB", "MiB", "GiB"):
        size /= 1024
        if size < 1023.95:
            return f"{size:.1f} {unit}"
    return f"{size / 1024:.1f} TiB"
