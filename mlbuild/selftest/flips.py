"""Single bits that flip: in every kind of file that the cache keeps, each shown to its reader, and whole builds after many."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

from mlbuild.files.kept import load_kept
from mlbuild.files.remove import remove_tree
from mlbuild.selftest.campaign import Campaign, Size, Violation, sum_of
from mlbuild.selftest.kills import is_right, write_workspace
from mlbuild.selftest.processes import Command, is_honest
from mlbuild.selftest.stage import Scene, Stage, build

BITS = 1024
"""That one trial flips, one after the other."""
SMALL, BIG = 2 << 10, 64 << 10
"""Bytes of the blobs that are tried bit by bit: beside the small state of a build, and with all of it."""

KINDS = {
    "blobs": "cas/*/*",
    "results": "ac/*/*",
    "compiled modules": "lang/*",
    "what was collected from the host": "host/*",
    "state of the workspace": "state/*/*",
    "state of the sandbox": "run/sandbox-status",
    "lists of staged trees": "staged/trees/*.list",
    "staged programs": "staged/programs/*",
    "staged trees": "staged/trees/*/*/*",
}


@dataclass(frozen=True, slots=True)
class Kept:
    """A file of the cache, and whether its reader takes it as it lies there for what it was."""

    path: Path
    size: int
    is_taken: Callable[[], bool]


def in_small_files(stage: Stage, number: int) -> float:
    return _every_bit(stage, number, _small)


def in_big_files(stage: Stage, number: int) -> float:
    return _every_bit(stage, number, _big)


def _every_bit(stage: Stage, number: int, choose: Callable[[Scene], Iterator[Kept]]) -> float:
    """Flips bits of one file of what a small build keeps, each alone; gives how many."""
    scene = stage.standing("built", write_workspace)
    kept, start = _parts(scene, choose)[number]
    name = kept.path.relative_to(scene.cache)
    content = kept.path.read_bytes()
    if not kept.is_taken():
        raise Violation(f"{name} is not taken for what it is")
    end = min(start + BITS, kept.size * 8)
    for bit in range(start, end):
        _write(kept.path, bit // 8, content[bit // 8] ^ 1 << bit % 8)
        if kept.is_taken():
            raise Violation(f"bit {bit} of {name} was flipped, and nobody noticed")
        if kept.path.exists():
            _write(kept.path, bit // 8, content[bit // 8])
        else:  # it was set aside
            _restore(kept.path, content)
    if (scene.cache / "quarantine").exists():
        remove_tree(scene.cache / "quarantine")
    if not kept.is_taken():
        raise Violation(f"{name} is not taken any more for what it is")
    return end - start


def _write(path: Path, place: int, byte: int) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.pwrite(descriptor, bytes((byte,)), place)
    finally:
        os.close(descriptor)


def _restore(path: Path, content: bytes) -> None:
    new = path.with_name("beside")
    new.write_bytes(content)
    new.replace(path)


def _parts(scene: Scene, choose: Callable[[Scene], Iterator[Kept]]) -> list[tuple[Kept, int]]:
    """Where each trial begins."""
    every = sorted(choose(scene), key=lambda kept: kept.path.relative_to(scene.cache))
    return [(kept, start) for kept in every for start in range(0, kept.size * 8, BITS)]


def _parts_in_small_files(stage: Stage) -> int:
    return len(_parts(stage.standing("built", write_workspace), _small))


def _parts_in_big_files(stage: Stage) -> int:
    return len(_parts(stage.standing("built", write_workspace), _big))


def _small(scene: Scene) -> Iterator[Kept]:
    """Results, small blobs, and what is known of the workspace and of staged trees; each with its own reader."""
    from mlbuild.files import last_build, states, tree_list
    from mlbuild.files.output_tree import MAGIC as PLACED
    from mlbuild.store.entries import decoded
    from mlbuild.store.flushed import MAGIC as FLUSHED
    from mlbuild.store.notes import load_note

    def entry(path: Path) -> bool:
        try:
            return decoded(path.read_bytes())[0].hash == path.name
        except ValueError:
            return False

    def state(path: Path, magic: bytes) -> bool:
        return load_kept(str(path), magic) is not None

    def listing(path: Path) -> bool:
        return tree_list.load(path) is not None

    for path in scene.cache.glob("ac/*/*"):
        yield Kept(path, path.stat().st_size, partial(entry, path))
    yield from _blobs(scene, 1, SMALL)
    magics = {"last-build": last_build.MAGIC, "files": states.MAGIC, "placed": PLACED}
    for path in scene.cache.glob("state/*/*"):
        if (magic := magics.get(path.name)) is not None:
            yield Kept(path, path.stat().st_size, partial(state, path, magic))
    flushed = scene.cache / "flushed"
    yield Kept(flushed, flushed.stat().st_size, lambda: load_note(flushed, FLUSHED) is not None)
    for path in scene.cache.glob("staged/trees/*.list"):
        yield Kept(path, path.stat().st_size, partial(listing, path))


def _big(scene: Scene) -> Iterator[Kept]:
    """Compiled files, and bigger blobs."""
    from mlbuild.lang import PrivateFolder

    folder = PrivateFolder(scene.cache / "lang", "")

    def compiled(name: str) -> bool:
        return folder.read(name) is not None

    for path in scene.cache.glob("lang/*"):
        yield Kept(path, path.stat().st_size, partial(compiled, path.name))
    yield from _blobs(scene, SMALL + 1, BIG)


def _blobs(scene: Scene, least: int, most: int) -> Iterator[Kept]:
    from mlbuild.seams import BlobMissing
    from mlbuild.store import DiskStore
    from mlbuild.terms import Digest

    store = DiskStore(scene.cache)
    store.close()

    def blob(digest: Digest) -> bool:
        try:
            return Digest.of(store.get(digest)) == digest
        except BlobMissing:
            return False

    for path in scene.cache.glob("cas/*/*"):
        size = path.stat().st_size
        if least <= size <= most and path.stat().st_nlink == 1:
            yield Kept(path, size, partial(blob, Digest(path.name, size)))


def in_builds(stage: Stage, number: int) -> None:
    """One bit in each of many files flips, their times unchanged; then a build of what was built, and one of new things."""
    dice = Random(number)
    kind = sorted(KINDS)[number % len(KINDS)]
    with stage.scene(is_shared=False) as scene:
        write_workspace(scene)
        if (told := build(scene, "//...")).code != 0:
            raise Violation(f"an undisturbed build ended with {told.code}: {told.said}")
        share = dice.choice((0.02, 0.2, 1.0))
        names = [str(path.relative_to(scene.cache)) for path in _harmed(scene.cache, KINDS[kind], dice, share)]
        said = f"a bit flipped in each of {len(names)} files of {kind}: {names[:5]}…\n"
        if dice.random() < 0.7:
            remove_tree(scene.folder / "mlbuild-out")
        for _ in range(2):
            ended = Command(stage.main, scene, "build", "//...").wait()
            is_honest(ended)
            if ended.code != 0:
                raise Violation(f"{said}the build ended with {ended.code}:\n{ended.said}")
            is_right(scene, said + ended.said)
            # The same words in another order of actions: everything that follows from them is new.
            build_file = (scene.folder / "BUILD.ml").read_text(encoding="utf-8")
            scene.write("BUILD.ml", build_file.replace("cat $<", "cat  $<").encode())


def _harmed(cache: Path, pattern: str, dice: Random, share: float) -> Iterator[Path]:
    for path in sorted(cache.glob(pattern)):
        if path.is_symlink() or not path.is_file() or not path.stat().st_size or dice.random() >= share:
            continue
        before = path.stat()
        path.chmod(0o644)
        with path.open("r+b") as file:
            place = dice.randrange(before.st_size)
            file.seek(place)
            (byte,) = file.read(1)
            file.seek(place)
            file.write(bytes((byte ^ 1 << dice.randrange(8),)))
        path.chmod(before.st_mode & 0o7777)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        yield path


CAMPAIGNS = (
    Campaign(
        "bit-flips",
        f"any one bit flips in any small file that a build keeps ({BITS} bits a trial): who reads the file does not take it",
        Size(4, 1_000, 1_000_000, 12),
        in_small_files,
        points=_parts_in_small_files,
        measured=sum_of("bits"),
    ),
    Campaign(
        "bit-flips-in-big",
        f"the same in compiled files, and in blobs of up to {BIG >> 10} KiB",
        Size(2, 100, 1_000_000, 10),
        in_big_files,
        points=_parts_in_big_files,
        measured=sum_of("bits"),
    ),
    Campaign(
        "flips-in-builds",
        "bits flip in many files of the cache, their times unchanged: builds are right, and nobody has to repair",
        Size(1, 45, 2_000, 12),
        in_builds,
    ),
)
