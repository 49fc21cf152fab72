"""Several commands at once: in one workspace, in several on one cache, with collections and repairs between them."""

from __future__ import annotations

import shutil
import time
from random import Random

from mlbuild.diagnostics import ExitCode
from mlbuild.selftest.campaign import Campaign, Size, Violation
from mlbuild.selftest.kills import is_right, leftovers, write_workspace
from mlbuild.selftest.processes import Command, is_honest, nothing_survives
from mlbuild.selftest.stage import Scene, Stage

SMALL = "--disk_cache_max_size=1M"
"""Less than the shell alone takes: nearly everything may go."""


def trial(stage: Stage, number: int) -> None:
    dice = Random(number)
    with stage.scene() as scene:
        write_workspace(scene)
        scenes = [scene]
        for other in range(dice.randrange(3)):
            folder = scene.folder.parent / f"workspace-{other}"
            shutil.copytree(scene.folder, folder)
            scenes.append(Scene(folder, scene.cache))
        commands: list[tuple[Scene, tuple[str, ...], Command]] = []

        def start(where: Scene, *words: str) -> None:
            commands.append((where, words, Command(stage.main, where, *words)))
            time.sleep(dice.random() * 0.1)

        for _ in range(dice.randrange(2, 4)):
            start(dice.choice(scenes), "build", "//...", *dice.choice(((), (), (SMALL,), ("--noblock_for_lock",))))
            if dice.random() < 0.5:
                start(scene, "cache", *dice.choice((("gc", SMALL), ("gc", SMALL), ("verify",), ("repair",))))
        said = ""
        for where, words, command in commands:
            ended = command.wait()
            said += f"{' '.join(words)} in {where.folder.name} ended with {ended.code}:\n{ended.said}\n"
            is_honest(ended)
            _is_expected(where, words, ended.code, said)
        nothing_survives()
        if dice.random() < 0.5:
            scene.write("in.txt", b"one\ntwo\n")
        for where in scenes:
            ended = Command(stage.main, where, "build", "//...").wait()
            is_honest(ended)
            if ended.code != 0:
                raise Violation(f"alone again it ended with {ended.code}:\n{ended.said}\nbefore: {said}")
            is_right(where, said)
        if left := leftovers(scene):
            raise Violation(f"left over: {', '.join(left)}\n{said}")
        ended = Command(stage.main, scene, "cache", "verify").wait()
        if ended.code != 0:
            raise Violation(f"the cache does not verify\n{said}")


def _is_expected(where: Scene, words: tuple[str, ...], code: int, said: str) -> None:
    if code == ExitCode.LOCK_HELD and "--noblock_for_lock" in words:
        return
    if code != 0:
        raise Violation(f"{' '.join(words)} ended with {code}:\n{said}")
    if words[0] == "build":
        is_right(where, said)


CAMPAIGN = Campaign(
    "together",
    "builds at once in one workspace and in several, beside collections and repairs of their cache: all are right",
    Size(1, 40, 5_000, 14),
    trial,
)
