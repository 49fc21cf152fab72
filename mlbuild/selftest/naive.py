"""The builder that never caches: every step from its sources, each time anew. What it says is right by definition."""

from __future__ import annotations

from collections.abc import Mapping

from mlbuild.selftest.graphs import MOST_MEMBERS, Step, Workspace

Made = Mapping[str, bytes]
"""A file as `{"": content}`, a folder by the names of its files."""


def build(workspace: Workspace) -> dict[str, Made | None]:
    """What each step gives, by its name; nothing for one that fails, or that needs one that does."""
    made: dict[str, Made | None] = {}
    for step in workspace.steps:
        needed = [made[name] for name in step.steps]
        given = [each for each in needed if each is not None]
        made[step.name] = None if len(given) < len(needed) else carried_out(step, joined(workspace, step, given), given)
    return made


def carried_out(step: Step, text: bytes, given: list[Made]) -> Made | None:
    word = step.word.encode() + b"\n"
    if step.kind == "each":
        return {name: content + word for name, content in given[0].items()}
    if step.kind == "folder":
        lines = (text + word).splitlines(keepends=True)[:MOST_MEMBERS]
        return {str(number): line for number, line in enumerate(lines)}
    is_refused = step.refuses.encode() in text or step.withholds.encode() in text
    return None if is_refused else {"": text + word}


def joined(workspace: Workspace, step: Step, given: list[Made]) -> bytes:
    """All that a step reads, in its order: other steps' outputs, files, what the glob matches."""
    paths = (*step.files, *(workspace.matched(step.package) if step.globs else ()))
    folders = [content for made in given for _, content in sorted(made.items())]
    return b"".join((*folders, *(workspace.files[path] for path in paths)))


def actions(workspace: Workspace) -> set[tuple[object, ...]]:
    """All that decides each action that has to succeed: two of the same need to run once only."""
    made = build(workspace)
    found: set[tuple[object, ...]] = set()
    for step in workspace.steps:
        own = made[step.name]
        if own is None:
            continue
        if step.kind == "each":
            (source,) = step.steps
            before = made[source]
            assert before is not None
            origin = next(each.output for each in workspace.steps if each.name == source)
            found |= {("each", step.output, step.word, origin, name, text) for name, text in before.items()}
            continue
        read = tuple((name, tuple(sorted((made[name] or {}).items()))) for name in step.steps)
        paths = (*step.files, *(workspace.matched(step.package) if step.globs else ()))
        files = tuple((path, workspace.files[path]) for path in paths)
        found.add((step.kind, step.output, step.word, step.refuses, step.withholds, read, files))
    return found
