"""Outputs that hostile processes change to the last moment: what is kept is what they left, and nothing outside is touched."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import stat
import struct
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, BinaryIO

from mlbuild.files.remove import remove_tree
from mlbuild.reapi import decode_directory, encode_directory
from mlbuild.selftest.campaign import Campaign, Size, Violation, sum_of
from mlbuild.selftest.processes import nothing_survives
from mlbuild.selftest.stage import Stage
from mlbuild.terms import (
    EMPTY,
    Artifact,
    Digest,
    Directory,
    DirectoryNode,
    FetchAction,
    FileNode,
    FileValue,
    Label,
    Spawn,
    SpawnResult,
    SymlinkNode,
    TreeValue,
)

if TYPE_CHECKING:
    from mlbuild.files.staging import TreeStore
    from mlbuild.sandbox import LinuxRunner

RACERS = Path(__file__).with_name("racers.py")
PYTHON = ("../python/lib/ld.so", "--library-path", "../python/lib", "../python/bin/python3", "-I", "-S", "/racers.py")
OUTPUTS = ("deep/er/file", "file", "out")
SECRET = b"nobody may read this"
OUTSIDE = ("a", "b", "file", "d/a", "d/b", "e/a", "er/file", "passwd")
"""What links to the outside would lead to, under the names that outputs have."""

_ALL_EVENTS = 0xFFF

Left = tuple[bytes, bool] | Mapping[str, "Left"] | str
"""What was left at a path: a file's bytes and whether it can be run, a folder, or in a word what else."""


class Blobs:
    """A store in memory, of what was collected."""

    def __init__(self) -> None:
        self.contents: dict[Digest, bytes] = {}

    def get(self, digest: Digest) -> bytes:
        return self.contents[digest]

    def put(self, data: bytes) -> Digest:
        digest = Digest.of(data)
        self.contents[digest] = data
        return digest

    def put_stream(self, source: BinaryIO) -> Digest:
        return self.put(source.read())


def trial(stage: Stage, number: int) -> float:
    """One hostile action or two at once; their folders are collected while they run, too. Gives how often they were."""
    from mlbuild.sandbox import LinuxRunner
    from mlbuild.sandbox.watching import descendants

    dice = Random(number)
    blobs, early = Blobs(), Blobs()
    kept: dict[str, Path] = {}

    def keep(line: str) -> None:
        description, _, path = line.removeprefix("sandbox of ").partition(" kept at ")
        kept[description] = Path(path)

    place = stage.folder / f"{os.getpid()}-races"
    try:
        with _toolchain(stage) as (root, trees), untouched(place / "outside"):
            spawns = [_spawn(root, place / "outside", dice, each) for each in range(dice.choice((1, 1, 1, 2)))]
            runner = LinuxRunner(blobs, trees, place / "run", sandbox_debug=True, say=keep)
            try:
                results, collections = _run(runner, place / "run", spawns, early)
                if len(own := descendants(os.getpid())) > 2:
                    raise Violation(f"when all actions had ended there were still the processes {own}")
                for spawn, result in zip(spawns, results, strict=True):
                    _is_what_was_left(result, kept[spawn.description] / "work", blobs)
            finally:
                runner.close()
            for path in kept.values():
                remove_tree(path)
        nothing_survives()
        for content in (*blobs.contents.values(), *early.contents.values()):
            if SECRET in content:
                raise Violation("what lies outside was read")
    finally:
        remove_tree(place / "outside")
    return collections


def _spawn(root: Digest, outside: Path, dice: Random, number: int) -> Spawn:
    manners = dice.choice(("plain", "hostile"))
    told = (str(dice.randrange(1 << 30)), manners, str(outside), str(dice.choice((0, 1, 5))))
    return Spawn(
        (*PYTHON, *told), (("LD_LIBRARY_PATH", "/python/lib"), ("PYTHONHASHSEED", "0")), root, OUTPUTS, ("out",),
        timeout_seconds=60, description=f"{manners} {number}",
    )  # fmt: skip


def _run(runner: LinuxRunner, folder: Path, spawns: Sequence[Spawn], early: Blobs) -> tuple[list[SpawnResult], int]:
    """Their results; meanwhile their folders are collected as if they had ended, which may fail, and harm nobody."""
    from mlbuild.sandbox.outputs import collect_outputs

    results: dict[int, SpawnResult] = {}
    threads = [
        threading.Thread(target=lambda index=index, spawn=spawn: results.update({index: runner.run(spawn)}))
        for index, spawn in enumerate(spawns)
    ]
    for thread in threads:
        thread.start()
    collections = 0
    while any(thread.is_alive() for thread in threads):
        for work in folder.glob("runs/*/*/work"):
            with contextlib.suppress(OSError):
                collect_outputs(work, spawns[0], early)
                collections += 1
        time.sleep(0.001)
    return [results[index] for index in range(len(spawns))], collections


def _is_what_was_left(result: SpawnResult, work: Path, blobs: Blobs) -> None:
    """Raises Violation unless each output is, to the byte, what is in the folder still; what is refused is odd or not there."""
    if result.exit_code != 0:
        raise Violation(f"it ended with {result.exit_code}: {result.failure}, {blobs.get(result.stderr)!r}")
    collected = dict(result.outputs)
    for path in OUTPUTS:
        left = _left(work, path)
        value = collected.get(path)
        if value is None:
            if (isinstance(left, Mapping) if path == "out" else isinstance(left, tuple)) and not _has_odd(left):
                raise Violation(f"`{path}` was refused, but it is {_short(left)}: {result.failure}")
            continue
        seen = _collected(value, blobs)
        if seen != left:
            raise Violation(f"`{path}` was kept as {_short(seen)}, but what was left is {_short(left)}")


def _left(work: Path, path: str) -> Left:
    """What is there, read without a thought for links, since it is looked at first whether there is one."""
    here = work
    for part in path.split("/"):
        if here != work and not stat.S_ISDIR(here.lstat().st_mode):
            return "nothing"
        here = here / part
        if not os.path.lexists(here):
            return "nothing"
    return _found(here)


def _found(path: Path) -> Left:
    mode = path.lstat().st_mode
    if stat.S_ISREG(mode):
        return path.read_bytes(), bool(mode & 0o111)
    if stat.S_ISDIR(mode):
        return {each.name: _found(each) for each in path.iterdir()}
    return f"link to {path.readlink()}" if stat.S_ISLNK(mode) else "odd"


def _collected(value: FileValue | TreeValue, blobs: Blobs) -> Left:
    if isinstance(value, FileValue):
        return blobs.get(value.digest), value.is_executable
    level = decode_directory(blobs.get(value.digest))
    return {
        **{file.name: (blobs.get(file.digest), file.is_executable) for file in level.files},
        **{link.name: f"link to {link.target}" for link in level.symlinks},
        **{inner.name: _collected(TreeValue(inner.digest), blobs) for inner in level.directories},
    }


def _has_odd(left: Left) -> bool:
    return any(map(_has_odd, left.values())) if isinstance(left, Mapping) else isinstance(left, str)


def _short(left: Left) -> str:
    if isinstance(left, tuple):
        return f"a file of {len(left[0])} bytes ({left[0][:20]!r}…)"
    return (
        left
        if isinstance(left, str)
        else f"a folder with {{{', '.join(f'{k}: {_short(v)}' for k, v in left.items())}}}"
    )


@contextmanager
def untouched(outside: Path) -> Iterator[None]:
    """Makes a folder that nobody may open, read, change or add to meanwhile: the kernel is asked to tell of everything."""
    for name in OUTSIDE:
        (outside / name).parent.mkdir(parents=True, exist_ok=True)
        (outside / name).write_bytes(SECRET)
    libc = ctypes.CDLL(None, use_errno=True)
    events = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        for folder in (outside, *sorted({(outside / name).parent for name in OUTSIDE})):
            if events < 0 or libc.inotify_add_watch(events, os.fsencode(folder), _ALL_EVENTS) < 0:
                raise OSError(ctypes.get_errno(), "inotify")
        yield
        with contextlib.suppress(BlockingIOError):
            raise Violation(f"what lies outside was touched: {_names(os.read(events, 1 << 14))}")
    finally:
        os.close(events)


def _names(events: bytes) -> str:
    """The events' masks and the names that they are about."""
    told: list[str] = []
    while events:
        _, mask, _, size = struct.unpack_from("iIII", events)
        told.append(f"{mask:#x} {events[16 : 16 + size].rstrip(bytes(1)).decode()}")
        events = events[16 + size :]
    return ", ".join(told[:10])


@contextmanager
def _toolchain(stage: Stage) -> Iterator[tuple[Digest, TreeStore]]:
    """The input root of the hostile program, and where its trees are: collected once for all processes."""
    from mlbuild.fetch import HostFetcher
    from mlbuild.files.staging import TreeStore
    from mlbuild.store import DiskStore

    place = stage.folder / "races"
    place.mkdir(exist_ok=True)
    with contextlib.ExitStack() as closing:
        store = DiskStore(place / "store")
        closing.callback(store.close)
        trees = TreeStore(place / "staged", store)
        closing.callback(trees.close)
        with (place / "root").open("a+") as known:
            fcntl.flock(known, fcntl.LOCK_EX)
            known.seek(0)
            if not (told := known.read()):
                label = Label("", "", "races")
                action = FetchAction(label, "interpreter", (), Artifact("python", label, False, True))
                python = HostFetcher(store, str(place / "host")).fetch(action, {})
                mounts = (DirectoryNode("python", python.digest), DirectoryNode("work", EMPTY))
                links = (SymlinkNode("lib", "python/lib"), SymlinkNode("lib64", "python/lib"))
                program = FileNode("racers.py", store.put(RACERS.read_bytes()))
                store.put(b"")
                told = str(store.put(encode_directory(Directory((program,), mounts, links))))
                known.write(told)
        yield Digest.parse(told), trees


CAMPAIGN = Campaign(
    "collection-races",
    "processes in sessions of their own write, rename, swap links and make pipes in the outputs until they are collected: "
    "what is kept is what they left, and nothing outside is read or changed",
    Size(2, 60, 10_000, 15),
    trial,
    measured=sum_of("collections beside these, of actions that still ran"),
)
