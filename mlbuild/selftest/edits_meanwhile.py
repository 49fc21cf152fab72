"""Sources that change while a build hashes, stages and uses them: what is remembered under a key is what the key's inputs give."""

from __future__ import annotations

import mmap
import os
import time
from random import Random

from mlbuild.selftest.campaign import Campaign, Size, Violation, sum_of
from mlbuild.selftest.processes import Command, is_honest, nothing_survives
from mlbuild.selftest.stage import Scene, Stage

BUILD_FILE = b"""
genrule(name = "one", srcs = ["in.txt"], outs = ["one.txt"], cmd = "sleep 0.0$(WAIT); cat $< $< > $@")
genrule(name = "two", srcs = ["in.txt", ":one.txt"], outs = ["two.txt"], cmd = "cat $(SRCS) > $@")
genrule(name = "three", srcs = glob(["data/*"]), outs = ["three.txt"], cmd = "cat $(SRCS) > $@")
"""
SIZE = 3000


def trial(stage: Stage, number: int) -> float:
    """Edits go on for as long as a build; then whatever it has remembered is looked up by the state that was left.

    Gives how many edits there were.
    """
    dice = Random(number)
    with stage.scene() as scene:
        scene.write("WORKSPACE.ml", b'workspace(name = "selftest")\n')
        scene.write("BUILD.ml", BUILD_FILE.replace(b"$(WAIT)", b"%d" % dice.randrange(3)))
        states = [_text(dice, letter) for letter in b"abc"]
        scene.write("in.txt", states[0])
        scene.write("data/1", states[0])
        command = Command(stage.main, scene, "build", "//...", "--jobs=2")
        edits = 0
        pause = dice.choice((0.0, 0.001, 0.01, 0.05))
        time.sleep(dice.random() * 0.2)
        while not command.poll():
            _edit(scene, dice, states)
            edits += 1
            time.sleep(dice.random() * pause)
        ended = command.wait()
        is_honest(ended)
        nothing_survives()
        said = f"{edits} edits during the build:\n{ended.said}"
        if ended.code == 0:
            _is_of_one_state(scene, states, said)
        # Each state in turn: what is kept under its keys must be what it gives.
        for state in dice.sample(states, len(states)):
            scene.write("in.txt", state)
            for path in sorted((scene.folder / "data").iterdir()):
                path.unlink()
            scene.write("data/1", state)
            ended = Command(stage.main, scene, "build", "//...").wait()
            is_honest(ended)
            if ended.code != 0:
                raise Violation(f"without edits it ended with {ended.code}:\n{ended.said}\nbefore: {said}")
            seen = [(scene.folder / "mlbuild-out" / f"{name}.txt").read_bytes() for name in ("one", "two", "three")]
            if seen != [state * 2, state * 3, state]:
                raise Violation(
                    f"a result is kept under the key of other inputs: {_short(seen)} for {state[:9]!r}: {said}"
                )
        return edits


def _edit(scene: Scene, dice: Random, states: list[bytes]) -> None:
    """Another of the states, by one of the ways in which programs write; some keep size and time."""
    place = scene.folder / dice.choice(("in.txt", "in.txt", "data/1"))
    state = dice.choice(states)
    how = dice.randrange(5)
    if how == 0:
        place.write_bytes(state)
    elif how == 1:
        new = scene.folder.parent / "new"
        new.write_bytes(state)
        new.replace(place)
    elif how == 2:
        before = place.stat()
        with place.open("r+b") as file:
            file.write(state)
        os.utime(place, ns=(before.st_atime_ns, before.st_mtime_ns))
    elif how == 3 and place.stat().st_size == SIZE:
        with place.open("r+b") as file, mmap.mmap(file.fileno(), SIZE) as view:
            view[:] = state
    else:
        _add_or_remove(scene, dice, state)


def _add_or_remove(scene: Scene, dice: Random, state: bytes) -> None:
    other = scene.folder / "data" / dice.choice(("0", "2"))
    if other.exists():
        other.unlink()
    else:
        other.write_bytes(state)


def _is_of_one_state(scene: Scene, states: list[bytes], said: str) -> None:
    """A file may be caught between two states, but all who read it have read the same."""
    one, two = ((scene.folder / "mlbuild-out" / f"{name}.txt").read_bytes() for name in ("one", "two"))
    half = len(one) // 2
    if one[:half] != one[half:] or two != one[:half] + one:
        raise Violation(f"one build has used two states of a file: {_short([one, two])}: {said}")


def _text(dice: Random, letter: int) -> bytes:
    """As long as the others; no part of one is a part of another."""
    return b"".join(b"%c%08d\n" % (letter, dice.randrange(10**8)) for _ in range(SIZE // 10))


def _short(contents: list[bytes]) -> str:
    return ", ".join(f"{content[:20]!r}… ({len(content)} bytes)" for content in contents)


CAMPAIGN = Campaign(
    "edits-meanwhile",
    "sources are edited all the while they are hashed, staged and used: no result is kept under the key of other inputs",
    Size(1, 100, 10_000, 15),
    trial,
    measured=sum_of("edits"),
)
