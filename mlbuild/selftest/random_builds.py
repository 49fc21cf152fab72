"""Random workspaces, edits and failures: after each build, what is told as done is what the naive builder gives."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

from mlbuild.diagnostics import ExitCode
from mlbuild.records import record, replace
from mlbuild.selftest import naive
from mlbuild.selftest.campaign import Campaign, Size, Violation
from mlbuild.selftest.edits import FORGETS, Edit, apply, edit_of, write_all
from mlbuild.selftest.graphs import Workspace, workspace_of
from mlbuild.selftest.stage import Scene, Stage, Told, build
from mlbuild.terms.event import ActionFinished, TargetCompleted

SHRINKING_SECONDS = 30.0


@record
class Story:
    """A workspace, and what happens to it; each edit is followed by a build with its own flags and patterns."""

    workspace: Workspace
    edits: tuple[Edit, ...]


def story_of(number: int) -> Story:
    dice = Random(number)
    return Story(workspace_of(dice), (Edit("nothing", 0), *(edit_of(dice) for _ in range(dice.randrange(3, 9)))))


def trial(stage: Stage, number: int) -> None:
    story = story_of(number)
    try:
        tell(stage, story)
    except Violation as violation:
        smallest, seen = shrunk(stage, story, str(violation))
        edits = "\n".join(f"{edit.kind} ({edit.number})" for edit in smallest.edits)
        steps = "\n".join(map(str, smallest.workspace.steps))
        raise Violation(f"{seen}\nafter these edits, each followed by a build:\n{edits}\nof\n{steps}") from None


def tell(stage: Stage, story: Story) -> None:
    """Raises Violation at the first build that is not right."""
    with stage.scene() as scene:
        workspace = story.workspace
        write_all(workspace, scene)
        have_run: set[tuple[object, ...]] = set()
        keys: set[str] = set()
        for edit in story.edits:
            workspace = apply(edit, workspace, scene)
            if edit.kind in FORGETS:
                have_run, keys = set(), set()
            dice = Random(edit.number)
            steps = workspace.steps
            patterns = ("//...",) if dice.random() < 0.7 else (dice.choice(steps).label,)
            flags = ("--keep_going",) if dice.random() < 0.5 else ()
            told = build(scene, *patterns, flags=flags)
            check(workspace, scene, told, patterns, bool(flags))
            _check_runs(workspace, told, have_run, keys)


def check(workspace: Workspace, scene: Scene, told: Told, patterns: tuple[str, ...], keeps_going: bool) -> None:
    """What is said as done is right and there, and no more and no less is said than is so."""
    made = naive.build(workspace)
    labels = {step.label: step for step in workspace.steps}
    asked = set(labels) if patterns == ("//...",) else set(patterns)
    done = {str(event.label) for event in told.events if isinstance(event, TargetCompleted) and event.is_success}
    possible = {label for label in asked if made[labels[label].name] is not None}
    wanted = ExitCode.SUCCESS if possible == asked else ExitCode.BUILD_FAILED
    if told.code != wanted:
        raise Violation(f"the build ended with {told.code}, not {int(wanted)}:\n{told.said}")
    if not done <= possible or ((keeps_going or wanted == 0) and done != possible):
        raise Violation(f"told as done: {sorted(done)}; those that can be: {sorted(possible)}\n{told.said}")
    for label in sorted(done):
        step = labels[label]
        seen = dict(files_below(scene.folder / step.output))
        if seen != made[step.name]:
            raise Violation(f"{step.output} holds {seen}, but it should {made[step.name]}\n{told.said}")


def _check_runs(workspace: Workspace, told: Told, have_run: set[tuple[object, ...]], keys: set[str]) -> None:
    """Nothing ran that had run before, by its key or by what a person would call the same."""
    ran = [event for event in told.events if isinstance(event, ActionFinished) and event.how == "ran"]
    for event in ran:
        if str(event.key) in keys:
            raise Violation(f"{event.mnemonic} {event.owner.short} ran again with the key {event.key}")
        keys.add(str(event.key))
    needed = naive.actions(workspace) - have_run
    count = sum(event.mnemonic in ("Genrule", "Folder", "Each") for event in ran)
    if count > len(needed):
        names = [f"{event.mnemonic} {event.owner.short}" for event in ran]
        raise Violation(f"{count} actions ran, where {len(needed)} had anything new: {names}")
    have_run |= set(_done(workspace, needed, Counter(event.owner.short for event in ran)))


def _done(workspace: Workspace, needed: set[tuple[object, ...]], ran: Counter[str]) -> Iterator[tuple[object, ...]]:
    """The needed actions that have run: all of a target's or, where the build ended before that, as if none."""
    labels = {step.output: step.label for step in workspace.steps}
    wanted = Counter(labels[str(each[1])] for each in needed)
    for each in needed:
        label = labels[str(each[1])]
        if ran[label] >= wanted[label]:
            yield each


def files_below(place: Path) -> Iterator[tuple[str, bytes]]:
    """A file as `("", content)`, those of a folder by their paths; a link as what it says."""
    if place.is_symlink():
        yield "", b"-> " + os.fsencode(place.readlink())
    elif place.is_file():
        yield "", place.read_bytes()
    else:
        for path in sorted(place.rglob("*")):
            if path.is_symlink() or not path.is_dir():
                yield str(path.relative_to(place)), path.read_bytes() if not path.is_symlink() else b"->"


def shrunk(stage: Stage, story: Story, seen: str) -> tuple[Story, str]:
    """The smallest story found, in bounded time, that violates the claim too, and what is seen then."""
    deadline = time.monotonic() + SHRINKING_SECONDS
    is_smaller = True
    while is_smaller:
        is_smaller = False
        for smaller in _smaller(story):
            if time.monotonic() > deadline:
                return story, seen
            try:
                tell(stage, smaller)
            except Violation as violation:
                story, seen, is_smaller = smaller, str(violation), True
                break
            except Exception:  # a story that lost what it needs is no story
                continue
    return story, seen


def _smaller(story: Story) -> Iterator[Story]:
    for index in range(len(story.edits)):
        yield replace(story, edits=story.edits[:index] + story.edits[index + 1 :])
    steps = story.workspace.steps
    for step in reversed(steps):
        if len(steps) > 1 and not any(step.name in each.steps for each in steps):
            left = tuple(each for each in steps if each is not step)
            yield replace(story, workspace=replace(story.workspace, steps=left))


CAMPAIGN = Campaign(
    "random-builds",
    "after any edits and failures, what is told as done is what a builder gives that never caches; nothing runs twice",
    Size(3, 150, 20_000, 20),
    trial,
)
