"""Builds that are killed, at random moments and before every call that changes a disk, and those that are told to end."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping
from random import Random

from mlbuild.diagnostics import ExitCode
from mlbuild.selftest import interception
from mlbuild.selftest.campaign import Campaign, Size, Violation, seconds_of
from mlbuild.selftest.interception import KILL, MUTATING, Call, Interception
from mlbuild.selftest.processes import PATIENCE, Command, Ended, is_honest, nothing_survives
from mlbuild.selftest.random_builds import files_below
from mlbuild.selftest.stage import Scene, Stage

BUILD_FILE = """
load("//:rules.bzl", "each", "folder")
genrule(name = "a", srcs = ["in.txt"], outs = ["a.txt"], cmd = "cat $< > $@; echo a >> $@")
genrule(name = "b", srcs = [":a.txt"], outs = ["b.txt"], cmd = "sleep 0.01; cat $< > $@; echo b >> $@")
folder(name = "c", srcs = [":a.txt"], word = "c")
each(name = "d", srcs = [":c"], word = "d")
"""
OUTPUTS: Mapping[str, Mapping[str, bytes]] = {
    "a.txt": {"": b"one\ntwo\na\n"},
    "b.txt": {"": b"one\ntwo\na\nb\n"},
    "c.dir": {"0": b"one\n", "1": b"two\n", "2": b"a\n", "3": b"c\n"},
    "d.dir": {"0": b"one\nd\n", "1": b"two\nd\n", "2": b"a\nd\n", "3": b"c\nd\n"},
}
"""What the workspace of these trials gives, written out."""
ACTIONS = 7


def write_workspace(scene: Scene) -> None:
    from mlbuild.selftest.graphs import RULES

    scene.write("WORKSPACE.ml", b'workspace(name = "selftest")\n')
    scene.write("rules.bzl", RULES.read_bytes())
    scene.write("BUILD.ml", BUILD_FILE.encode())
    scene.write("in.txt", b"one\ntwo\n")
    # The first build makes this folder and waits for the clock; random builds try that, these save the time.
    (scene.folder / "mlbuild-out").mkdir(exist_ok=True)


def is_right(scene: Scene, said: str) -> None:
    """Raises Violation unless every output is there as it should be."""
    for path, wanted in OUTPUTS.items():
        seen = dict(files_below(scene.folder / "mlbuild-out" / path))
        if seen != wanted:
            raise Violation(f"{path} holds {seen}, but it should {wanted}\n{said}")


def recovers(stage: Stage, scene: Scene, before: str, *, may_warn: bool = False) -> float:
    """The same command again is right, runs nothing that is in the cache, leaves nothing behind; what is kept verifies.

    Gives the seconds that it took.
    """
    from mlbuild.store.upkeep import verify

    sources = {path: (scene.folder / path).read_bytes() for path in ("BUILD.ml", "in.txt", "rules.bzl", "WORKSPACE.ml")}
    known = len(list((scene.cache / "ac").glob("*/*")))
    began = time.monotonic()
    ended = Command(stage.main, scene, "build", "//...").wait()
    seconds = time.monotonic() - began
    said = f"{before}\nand then:\n{ended.said}"
    is_honest(ended)
    if ended.code != 0:
        raise Violation(f"the same command again ended with {ended.code}: {said}")
    is_right(scene, said)
    if "damaged" in ended.said and not may_warn:
        raise Violation(f"something was found damaged: {said}")
    if {path: (scene.folder / path).read_bytes() for path in sources} != sources:
        raise Violation(f"sources have changed: {said}")
    made = len(list((scene.cache / "ac").glob("*/*")))
    ran = _count_ran(ended)
    if ran > made - known and not may_warn:
        raise Violation(f"{ran} actions ran, but only {made - known} were not in the cache: {said}")
    nothing_survives()
    if left := leftovers(scene):
        raise Violation(f"left over after the next build: {', '.join(left)}: {said}")
    if findings := verify(scene.cache).findings:
        raise Violation(f"the cache does not verify: {findings}: {said}")
    return seconds


def leftovers(scene: Scene) -> list[str]:
    """What no command should leave behind when it has ended, and the next should remove when it could not.

    A file `NAME.new` is the next writer's: there is never more than one of a name.
    """
    cache = scene.cache
    found = [*(cache / "tmp").glob("*"), *(cache / "run" / "runs").glob("*"), *(cache / "staged").glob("*/.*")]
    found += [*(scene.folder / "mlbuild-out").glob(".*"), *(cache / "lang").glob(".*")]
    found += [*(cache / "state").glob("*/*.*"), *(cache / "host").glob("*.json.*")]
    return sorted(str(path.relative_to(scene.folder.parent)) for path in found if path.suffix != ".new")


def _count_ran(ended: Ended) -> int:
    for line in ended.said.splitlines():
        if line.startswith("INFO: ") and " action" in line and " ran" in line:
            return int(line.partition(" ran")[0].rpartition(" ")[2])
    raise Violation(f"it did not say how many actions ran:\n{ended.said}")


def killed_at_random(stage: Stage, number: int) -> float:
    dice = Random(number)
    length = _length(stage)
    with stage.warm_scene(write_workspace) as scene:
        said = ""
        for _ in range(dice.choice((1, 1, 1, 3))):
            command = Command(stage.main, scene, "build", "//...", f"--jobs={dice.choice((1, 2, 4))}")
            time.sleep(dice.random() * dice.choice((0.3, 1.0, 1.1)) * length)
            command.send(signal.SIGKILL)
            ended = command.wait()
            if ended.code != -signal.SIGKILL:
                is_honest(ended)
            said = f"killed:\n{ended.said}"
            nothing_survives()
        return recovers(stage, scene, said)


def _length(stage: Stage) -> float:
    """The seconds that an undisturbed build takes."""
    if "length" not in stage.notes:
        with stage.warm_scene(write_workspace) as scene:
            began = time.monotonic()
            Command(stage.main, scene, "build", "//...").wait()
            stage.notes["length"] = int((time.monotonic() - began) * 1e6)
    return stage.notes["length"] / 1e6


def killed_at_a_call(stage: Stage, number: int) -> float:
    with stage.scene() as scene:
        write_workspace(scene)
        count, ended = intercepted(stage, scene, lambda index, call: KILL if index == number else 0)
        if count <= number and ended.code != 0:
            raise Violation(f"it ended with {ended.code} by itself:\n{ended.said}")
        return recovers(stage, scene, f"killed before its call {number}:\n{ended.said}")


def intercepted(
    stage: Stage, scene: Scene, decide: Callable[[int, Call], int], names: frozenset[str] = MUTATING, *,
    counts: Callable[[Call], bool] = lambda call: call.writes,
) -> tuple[int, Ended]:  # fmt: skip
    """A build of which each call that counts is decided on, and how many there were. What it started has died too."""
    interception_ = Interception(names)
    command = Command(stage.main, scene, "build", "//...", prepare=interception_.install)
    seen = 0

    def asked(call: Call) -> int:
        nonlocal seen
        if not counts(call):
            return 0
        seen += 1
        return decide(seen - 1, call)

    is_over = interception_.watch(command.pid, asked, lambda: os.kill(command.pid, signal.SIGKILL), PATIENCE)
    if not is_over:
        command.send(signal.SIGKILL)
        nothing_survives()
        raise Violation(f"it, or something that it started, has not ended after {PATIENCE:.0f} s")
    ended = command.wait()
    nothing_survives()
    return seen, ended


def calls_of_a_build(stage: Stage) -> int:
    """How many calls of an undisturbed build change a disk."""
    if "calls" not in stage.notes:
        with stage.scene() as scene:
            write_workspace(scene)
            count, ended = intercepted(stage, scene, lambda index, call: 0)
            if ended.code != 0:
                raise Violation(f"an undisturbed build ended with {ended.code}:\n{ended.said}")
            is_right(scene, ended.said)
            stage.notes["calls"] = count
    return stage.notes["calls"]


def told_to_end(stage: Stage, number: int) -> float:
    """By Ctrl-C, by `kill`, by a terminal that closes; once or twice. Gives the seconds until it had ended."""
    dice = Random(number)
    length = _length(stage)
    sent = dice.choice((signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
    with stage.warm_scene(write_workspace) as scene:
        command = Command(stage.main, scene, "build", "//...", f"--jobs={dice.choice((1, 4))}")
        time.sleep(0.01 + dice.random() * length)
        began = time.monotonic()
        command.send(sent)
        if dice.random() < 0.3:
            time.sleep(dice.random() * 0.02)
            command.send(sent)
        ended = command.wait()
        seconds = time.monotonic() - began
        nothing_survives()
        is_honest(ended)
        if ended.code not in (ExitCode.SUCCESS, ExitCode.INTERRUPTED):
            raise Violation(f"after {sent.name} it ended with {ended.code}:\n{ended.said}")
        # On a machine with more work than processors everything takes so much longer.
        if seconds > 2 * max(1.0, os.getloadavg()[0] / len(os.sched_getaffinity(0))):
            raise Violation(f"it took {seconds:.1f} s to end after {sent.name}:\n{ended.said}")
        if left := leftovers(scene):
            raise Violation(f"left over: {', '.join(left)}\n{ended.said}")
        if left := sorted(map(str, (scene.folder.parent / "tmp").iterdir())):
            raise Violation(f"left over: {', '.join(left)}\n{ended.said}")
        recovers(stage, scene, f"told to end:\n{ended.said}")
        return seconds


CAMPAIGNS = (
    Campaign(
        "kills",
        "killed at random moments, once or again and again: the next build is right, runs nothing twice, leaves nothing",
        Size(2, 300, 10_000, 20),
        killed_at_random,
        measured=seconds_of("the build after it"),
    ),
    Campaign(
        "kills-at-calls",
        "killed before any one of the calls by which it changes a disk: the same",
        Size(2, 100, 1_000_000, 15),
        killed_at_a_call,
        interception.lacking,
        calls_of_a_build,
        seconds_of("the build after it"),
    ),
    Campaign(
        "signals",
        "Ctrl-C, SIGTERM and SIGHUP, once or twice: it ends within 2 s, nothing survives, no file is left, and the same",
        Size(1, 60, 3_000, 10),
        told_to_end,
        measured=seconds_of("to end"),
    ),
)
