"""The writable exec root of one spawn: real folders where outputs go, links to the read-only inputs beside them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from mlbuild.terms import ORDINARY, Digest, Directory


class OutputBlocked(Exception):
    """An output cannot be written, since an input file lies where its folder must be; the message says which."""


def make_work_folder(
    place: Path,
    inputs: Digest,
    outputs: Iterable[str],
    directory: Callable[[Digest], Directory],
    seen: str = ORDINARY.inputs,
) -> tuple[str, ...]:
    """Makes the folder `place` the exec root of a spawn, and says which folders in it are real.

    `seen` is where the spawn finds its inputs.
    What the inputs hold at an output's own path is not shown, except an empty folder, which is made.
    """
    outputs = frozenset(outputs)
    real = {"", *(above for output in outputs for above in _above(output))}
    levels: dict[str, Directory | None] = {}
    for path in sorted(real):
        level = levels[path] = _level(path, inputs, levels, directory)
        (place / path).mkdir()
        if level is None:
            continue
        prefix = f"{path}/" if path else ""
        for name in (*(file.name for file in level.files), *(link.name for link in level.symlinks)):
            if prefix + name in real:
                raise OutputBlocked(f"`{prefix}{name}` is an input file, but outputs go into a folder of that name")
            if prefix + name not in outputs:
                os.symlink(f"{seen}/{prefix}{name}", place / path / name)
        for child in level.directories:
            if prefix + child.name not in real | outputs:
                os.symlink(f"{seen}/{prefix}{child.name}", place / path / child.name)
    made = set(real)
    for output in sorted(outputs - real):
        above, _, name = output.rpartition("/")
        beside = levels[above]
        if beside and any(child.name == name and _is_empty(directory(child.digest)) for child in beside.directories):
            (place / output).mkdir()
            made.add(output)
    return tuple(sorted(made))


def _level(
    path: str, inputs: Digest, levels: dict[str, Directory | None], directory: Callable[[Digest], Directory]
) -> Directory | None:
    """What the inputs hold at a path; its folder is in `levels` already."""
    if not path:
        return directory(inputs)
    above, _, name = path.rpartition("/")
    outer = levels[above]
    child = next((each for each in outer.directories if each.name == name), None) if outer else None
    return directory(child.digest) if child else None


def _above(path: str) -> Iterable[str]:
    while path := path.rpartition("/")[0]:
        yield path


def _is_empty(level: Directory) -> bool:
    return not (level.files or level.directories or level.symlinks)
