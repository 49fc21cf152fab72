"""A machine that refuses: any call of a build fails, once or from then on, and a cache whose disk fills up."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from mlbuild.diagnostics import ExitCode
from mlbuild.selftest import interception
from mlbuild.selftest.campaign import Campaign, Size, Violation
from mlbuild.selftest.interception import Call
from mlbuild.selftest.kills import intercepted, is_right, recovers, write_workspace
from mlbuild.selftest.processes import Command, Ended, is_honest
from mlbuild.selftest.stage import Scene, Stage, environ

_MAKES = frozenset({"mkdir", "mkdirat", "rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat"})
_WRITES = frozenset({"write", "pwrite64", "ftruncate", "copy_file_range"})
_CHANGES = _MAKES | {"unlink", "unlinkat", "rmdir", "chmod", "fchmod", "fchmodat", "utimensat", "chown", "fchownat"}
_OPENS = frozenset({"openat", "open"})

REFUSALS: Mapping[str, frozenset[str]] = {
    "ENOSPC": _MAKES | _WRITES | {"openat creating"},
    "EDQUOT": _MAKES | _WRITES | {"openat creating"},
    "EIO": _CHANGES | _WRITES | _OPENS | {"read", "syncfs", "fsync", "getdents64"},
    "EMFILE": _OPENS | {"pipe2", "socketpair", "memfd_create"},
    "EROFS": _CHANGES | {"openat creating"},
    "EACCES": _MAKES | _OPENS | {"unlink", "unlinkat", "rmdir"},
    "ENOMEM": _OPENS | {"mkdir", "clone", "clone3", "vfork", "fork"},
}
"""Which calls fail with what. Reading has more reasons to fail than the disk: those of pipes are left out."""


PAGES, FILES = 400, 250
"""As many as a build needs, and some more."""


def calls_of(refusal: str) -> frozenset[str]:
    names = REFUSALS[refusal]
    return (names | {"openat", "open"} if "openat creating" in names else names) - {"openat creating"}


def counts(refusal: str, call: Call) -> bool:
    """Whether the call may fail like this: one of mlbuild itself, and for a descriptor that leads to a file."""
    names = REFUSALS[refusal]
    if call.name in _OPENS and call.name not in names:
        return call.is_own and call.writes
    if call.name in ("write", "read") and call.arguments[0] <= 2:
        return False
    return call.is_own


def refused(stage: Stage, number: int) -> None:
    refusal, index, is_lasting = _point(stage, number)
    code = getattr(errno, refusal)
    named: list[str] = []

    def decide(seen: int, call: Call) -> int:
        if seen == index or (is_lasting and seen > index):
            named.append(call.name)
            return int(code)
        return 0

    with stage.warm_scene(write_workspace) as scene:
        _, ended = intercepted(stage, scene, decide, calls_of(refusal), counts=lambda call: counts(refusal, call))
        first = named[0] if named else "nothing"
        said = f"{refusal} at call {index} ({first}){' and from then on' if is_lasting else ''}:\n{ended.said}"
        _is_in_order(scene, ended, said)
        recovers(stage, scene, said, may_warn=True)


def points(stage: Stage) -> int:
    """Every call that may fail, for each way to fail: once, and from then on."""
    return 2 * sum(_count(stage, refusal) for refusal in REFUSALS)


def _point(stage: Stage, number: int) -> tuple[str, int, bool]:
    left, is_lasting = number // 2, bool(number % 2)
    for refusal in REFUSALS:
        if left < (count := _count(stage, refusal)):
            return refusal, left, is_lasting
        left -= count
    raise ValueError(f"there is no point {number}")


def _count(stage: Stage, refusal: str) -> int:
    if refusal not in stage.notes:
        with stage.warm_scene(write_workspace) as scene:
            count, ended = intercepted(
                stage, scene, lambda index, call: 0, calls_of(refusal), counts=lambda call: counts(refusal, call)
            )
            is_honest(ended)
            stage.notes[refusal] = count
    return stage.notes[refusal]


def full(stage: Stage, number: int) -> None:
    """The cache's disk has room for so many pages or, from `PAGES` on, files more than it holds before the build."""
    with _disk(stage) as place, stage.scene(place=place, is_shared=False) as scene:
        write_workspace(scene)
        environ(scene)  # makes the home
        held = os.statvfs(place)
        if number < PAGES:
            used = (held.f_blocks - held.f_bfree) * held.f_frsize
            room = f"{number} pages"
            _mount_again(place, f"size={used + number * os.sysconf('SC_PAGE_SIZE')}")
        else:
            room = f"{number - PAGES} files"
            _mount_again(place, f"nr_inodes={held.f_files - held.f_ffree + number - PAGES}")
        ended = Command(stage.main, scene, "build", "//...").wait()
        said = f"with room for {room}:\n{ended.said}"
        _is_in_order(scene, ended, said)
        _mount_again(place, f"size={1 << 30},nr_inodes={1 << 20}")
        recovers(stage, scene, said, may_warn=True)


def _is_in_order(scene: Scene, ended: Ended, said: str) -> None:
    """It ended by itself, either right or with words of its own for what is the matter."""
    is_honest(ended)
    if ended.code == ExitCode.SUCCESS:
        is_right(scene, said)
    elif ended.code not in (ExitCode.BUILD_FAILED, ExitCode.ENVIRONMENT):
        raise Violation(f"it ended with {ended.code}: {said}")


MS_REMOUNT, MS_PRIVATE, MS_REC, CLONE_NEWNS = 32, 1 << 18, 1 << 14, 0x20000


def cannot_mount() -> str | None:
    """Why no file system can be mounted here, if so."""
    if os.geteuid() != 0:
        return "only root can mount a small disk"
    pid = os.fork()
    if pid == 0:
        try:
            own_mounts()
            os._exit(0)
        except OSError:
            os._exit(1)
    return None if os.waitpid(pid, 0)[1] == 0 else "this machine lets nobody mount a small disk"


@contextlib.contextmanager
def _disk(stage: Stage) -> Iterator[Path]:
    """A file system of this process's own."""
    own_mounts()
    place = stage.folder / f"disk-{os.getpid()}"
    place.mkdir(exist_ok=True)
    mount("tmpfs", place, "tmpfs", 0, "size=1g,nr_inodes=1m,mode=0700")
    try:
        yield place
    finally:
        ctypes.CDLL(None).umount2(os.fsencode(place), 2)


def _mount_again(place: Path, options: str) -> None:
    mount("tmpfs", place, "tmpfs", MS_REMOUNT, options)


def own_mounts() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    mount("none", Path("/"), None, MS_REC | MS_PRIVATE, None)


def mount(source: str, place: Path, kind: str | None, flags: int, options: str | None) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    words = [word.encode() if word is not None else None for word in (kind, options)]
    if libc.mount(source.encode(), os.fsencode(place), words[0], ctypes.c_ulong(flags), words[1]) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(place))


CAMPAIGNS = (
    Campaign(
        "refusals",
        "any one call fails, once or from then on, with ENOSPC, EDQUOT, EIO, EMFILE, EROFS, EACCES or ENOMEM: "
        "a right build or an error in words, and the next is right",
        Size(0, 500, 1_000_000, 20),
        refused,
        interception.lacking,
        points,
    ),
    Campaign(
        "full-disk",
        "the cache's disk has room for any number of pages, or of files, less than a build needs: the same",
        Size(2, 50, PAGES + FILES, 8),
        full,
        cannot_mount,
        lambda stage: PAGES + FILES,
    ),
)
