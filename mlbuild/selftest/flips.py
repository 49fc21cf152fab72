"""Single bits that flip: in every kind of file that the cache keeps, each shown to its reader, and whole builds after many."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from mlbuild.files.kept import load_kept
from mlbuild.files.remove import remove_tree
from mlbuild.selftest.campaign import Campaign, Size, Violation
from mlbuild.selftest.kills import is_right, write_workspace
from mlbuild.selftest.processes import Command, is_honest
from mlbuild.selftest.stage import Scene, Stage, build

BITS = 1024
"""That one trial flips, one after the other."""
PARTS = 512
"""Trials that go through half a million bits: those of 64 KiB."""

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
    content: bytes
    is_taken: Callable[[], bool]


def every_bit(stage: Stage, number: int) -> None:
    """Flips the bits from `number * BITS` on, of all that a small build keeps; too many numbers begin again."""
    with stage.scene() as scene:
        write_workspace(scene)
        told = build(scene, "//...")
        if told.code != 0:
            raise Violation(f"an undisturbed build ended with {told.code}: {told.said}")
        for kept, bit in _bits(sorted(_kept(scene), key=lambda each: each.path.relative_to(scene.cache)), number):
            harmed = bytearray(kept.content)
            harmed[bit // 8] ^= 1 << bit % 8
            _replace(kept.path, harmed)
            if kept.is_taken():
                raise Violation(f"bit {bit} of {kept.path.relative_to(scene.cache)} was flipped, and nobody noticed")
            _replace(kept.path, kept.content)
            if not kept.is_taken():
                raise Violation(f"{kept.path.relative_to(scene.cache)} is not taken for what it is")


def _bits(every: list[Kept], number: int) -> Iterator[tuple[Kept, int]]:
    """Each file has its share of the trials' bits: no kind is left out, however big the others are."""
    kept = every[number % len(every)]
    total = len(kept.content) * 8
    start = number // len(every) * BITS
    for bit in range(start, start + min(BITS, total)):
        yield kept, bit % total


def _kept(scene: Scene) -> Iterator[Kept]:
    """Everything small that a build has written, with those who read it."""
    from mlbuild.files import last_build, states, tree_list
    from mlbuild.files.output_tree import MAGIC as PLACED
    from mlbuild.seams import BlobMissing
    from mlbuild.store import DiskStore
    from mlbuild.store.entries import decoded
    from mlbuild.terms import Digest

    store = DiskStore(scene.cache)
    store.close()

    def blob(path: Path) -> bool:
        try:
            return Digest.of(store.get(Digest(path.name, path.stat().st_size))).hash == path.name
        except BlobMissing:
            return False

    def entry(path: Path) -> bool:
        try:
            return decoded(path.read_bytes())[0].hash == path.name
        except ValueError:
            return False

    for path in scene.cache.glob("ac/*/*"):
        yield Kept(path, path.read_bytes(), lambda path=path: entry(path))  # type: ignore[misc]
    for path in scene.cache.glob("cas/*/*"):
        if 0 < path.stat().st_size <= 2048 and path.stat().st_nlink == 1:
            yield Kept(path, path.read_bytes(), lambda path=path: blob(path))  # type: ignore[misc]
    magics = {"last-build": last_build.MAGIC, "files": states.MAGIC, "placed": PLACED}
    for path in scene.cache.glob("state/*/*"):
        if (magic := magics.get(path.name)) is not None:
            yield Kept(path, path.read_bytes(), lambda path=path, magic=magic: load_kept(str(path), magic) is not None)  # type: ignore[misc]
    for path in scene.cache.glob("staged/trees/*.list"):
        yield Kept(path, path.read_bytes(), lambda path=path: tree_list.load(path) is not None)  # type: ignore[misc]


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


def _replace(path: Path, content: bytes | bytearray) -> None:
    """A new file: what was set aside for its flaw stays away."""
    new = path.with_name("beside")
    new.write_bytes(content)
    new.replace(path)


CAMPAIGNS = (
    Campaign(
        "bit-flips",
        f"any one bit flips in any file that a build keeps ({BITS} bits a trial): who reads the file does not take it",
        Size(1, PARTS, 16 * PARTS, 22),
        every_bit,
    ),
    Campaign(
        "flips-in-builds",
        "bits flip in many files of the cache, their times unchanged: builds are right, and nobody has to repair",
        Size(1, 45, 2_000, 12),
        in_builds,
    ),
)
