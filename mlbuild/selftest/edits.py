"""What happens to a workspace, its outputs and its cache between two builds; each kind from one number."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random

from mlbuild.files.remove import remove_tree
from mlbuild.records import record, replace
from mlbuild.selftest.graphs import PACKAGES, WORDS, Workspace, sources_of, text_of
from mlbuild.selftest.stage import Scene


@record
class Edit:
    """A kind, and the number that decides what it does to the workspace that it meets."""

    kind: str
    number: int


def edit_of(dice: Random) -> Edit:
    return Edit(dice.choice(tuple(KINDS)), dice.randrange(1 << 30))


def apply(edit: Edit, workspace: Workspace, scene: Scene) -> Workspace:
    """The workspace afterwards; it is written down, file by file and only what has changed."""
    after = KINDS[edit.kind](workspace, scene, Random(edit.number))
    before = sources_of(workspace)
    now = sources_of(after)
    for path in before.keys() - now.keys():
        (scene.folder / path).unlink()
    for path, content in now.items():
        if before.get(path) != content:
            _write(scene.folder / path, content, keeps_time=edit.kind == "equal size, time kept")
    return after


def write_all(workspace: Workspace, scene: Scene) -> None:
    for path, content in sources_of(workspace).items():
        scene.write(path, content)


def _nothing(workspace: Workspace, scene: Scene, dice: Random) -> Workspace:
    return workspace


def _content(workspace: Workspace, scene: Scene, dice: Random) -> Workspace:
    return workspace.with_file(_any_file(workspace, dice), text_of(dice))


def _equal_size(workspace: Workspace, scene: Scene, dice: Random) -> Workspace:
    path = _any_file(workspace, dice)
    content = workspace.files[path].replace(b"a", b"o").replace(b"e", b"a").replace(b"7", b"1")
    return workspace.with_file(path, content)


def _touch(workspace: Workspace, scene: Scene, dice: Random) -> Workspace:
    (scene.folder / _any_file(workspace, dice)).touch()
    return workspace


def _replace_by_equal(workspace: Workspace, scene: Scene, dice: Random) -> Workspace:
    """Another file of the same content, as `git checkout` leaves it."""
    place = scene.folder / _any_file(workspace, dice)
    beside = place.with_name("beside")
    shutil.copyfile(place, beside)
    beside.replace(place)
    return workspace


def _add(workspace: Workspace, scene: Scene, dice: Random) -> Workspace:
    path = f"{dice.choice(PACKAGES)}/data/{dice.randrange(6)}".lstrip("/")
    return workspace.with_file(path, text_of(dice))


def _remove(workspace: Workspace, scene: Scene, dice: Random) -> Workspace:
    matched = workspace.matched(dice.choice(PACKAGES))
    return workspace.without_file(dice.choice(matched)) if matched else workspace


def _rename(workspace: Workspace, scene: Scene, dice: Random) -> Workspace:
    package = dice.choice(PACKAGES)
    if not (matched := workspace.matched(package)):
        return workspace
    old = dice.choice(matched)
    new = f"{package}/data/{dice.randrange(6)}".lstrip("/")
    (scene.folder / old).rename(scene.folder / new)
    if new != old:
        (scene.folder / old).touch()  # so that what follows finds it to remove
    return workspace.without_file(old).with_file(new, workspace.files[old])


def _word(workspace: Workspace, scene: Scene, dice: Random) -> Workspace:
    return workspace.with_step(replace(dice.choice(workspace.steps), word=dice.choice(WORDS)))


def _refusal(workspace: Workspace, scene: Scene, dice: Random) -> Workspace:
    step, word = dice.choice(workspace.steps), dice.choice(("never", "ant", "bee7"))
    return workspace.with_step(replace(step, refuses=word) if dice.random() < 0.5 else replace(step, withholds=word))


def _source(workspace: Workspace, scene: Scene, dice: Random) -> Workspace:
    step = dice.choice([each for each in workspace.steps if each.kind != "each"] or workspace.steps)
    return workspace if step.kind == "each" else workspace.with_step(replace(step, globs=not step.globs))


def _output(workspace: Workspace, scene: Scene, dice: Random) -> Workspace:
    """An output is harmed in one of many ways."""
    if not (outputs := _files(scene.folder / "mlbuild-out")):
        return workspace
    place = dice.choice(outputs)
    before = place.stat()
    how = dice.randrange(8)
    place.chmod(0o644)
    if how == 0:
        place.unlink()
    elif how == 1:
        place.write_bytes(b"harmed\n")
    elif how == 2:
        place.write_bytes(bytes(byte ^ 1 for byte in place.read_bytes()))
        place.chmod(before.st_mode)
        os.utime(place, ns=(before.st_atime_ns, before.st_mtime_ns))
    elif how == 3:
        place.unlink()
        place.mkdir()
        (place / "inside").write_bytes(b"")
    elif how == 4:
        place.chmod(0o777)
    elif how == 5:
        (place.parent / "beside").write_bytes(b"")
    elif how == 6:
        place.unlink()
        place.symlink_to(scene.folder / "WORKSPACE.ml")
    else:
        remove_tree(scene.folder / "mlbuild-out")
    return workspace


def _entries(workspace: Workspace, scene: Scene, dice: Random) -> Workspace:
    for place in _files(scene.cache / "ac"):
        if dice.random() < 0.4:
            place.unlink()
    return workspace


def _blobs(workspace: Workspace, scene: Scene, dice: Random) -> Workspace:
    for place in _files(scene.cache / "cas"):
        if dice.random() < 0.2:
            place.unlink()
    return workspace


def _state(workspace: Workspace, scene: Scene, dice: Random) -> Workspace:
    for place in _files(scene.cache / "state"):
        if dice.random() < 0.5 and place.name != "lock":
            place.unlink()
    return workspace


KINDS: Mapping[str, Callable[[Workspace, Scene, Random], Workspace]] = {
    "nothing": _nothing,
    "content": _content,
    "equal size": _equal_size,
    "equal size, time kept": _equal_size,
    "touch": _touch,
    "replaced by its equal": _replace_by_equal,
    "add": _add,
    "remove": _remove,
    "rename": _rename,
    "word": _word,
    "refusal": _refusal,
    "source": _source,
    "output": _output,
    "output again": _output,
    "entries": _entries,
    "blobs": _blobs,
    "state": _state,
}
FORGETS = frozenset({"entries", "blobs"})
"""After these, what has run before may have to run again."""


def _any_file(workspace: Workspace, dice: Random) -> str:
    return dice.choice(sorted(workspace.files))


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]


def _write(place: Path, content: bytes, *, keeps_time: bool) -> None:
    before = None
    with contextlib.suppress(FileNotFoundError):
        before = place.stat()
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    if keeps_time and before is not None:
        os.utime(place, ns=(before.st_atime_ns, before.st_mtime_ns))
