"""The answer to a build with nothing to do: what is kept after a build, and how it is told again.

Decides nothing by itself: `files.last_build` says whether what was seen then still holds.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import mlbuild
from mlbuild.diagnostics import ExitCode
from mlbuild.files import last_build
from mlbuild.files.boot import boot
from mlbuild.files.last_build import Witness
from mlbuild.seams import EventSink
from mlbuild.terms import Label
from mlbuild.terms.event import BuildFinished, TargetCompleted, TestFinished

Told = TargetCompleted | TestFinished


def question(*parts: object) -> str:
    """All of an invocation that decides its answer, as one text.

    The machine's present run is a part of it: after a loss of power a file may look as it did and have lost its bytes.
    """
    return repr((mlbuild.__version__, boot(), *parts))


def own_code() -> Iterator[Witness]:
    """mlbuild itself: another version of any module may answer otherwise."""
    for folder, folders, files in os.walk(Path(mlbuild.__file__).parent):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted(files):
            if name.endswith((".py", ".lark")):
                yield last_build.witness(str(Path(folder) / name), "file")


def remember(
    state: Path,
    asked: str,
    witnesses: Iterable[Witness],
    began_ns: int,
    now_ns: int,
    told: Iterable[Told],
    actions: int,
) -> bool:
    """Keeps what was told, for the next build that asks the same. Says whether it could.

    `actions` are those that had a key: the next build counts them as cached.
    """
    return last_build.remember(
        str(state), asked, witnesses, began_ns, now_ns, (actions, tuple(_to_values(each) for each in told))
    )


def answer(state: Path, asked: str, sink: EventSink, began: float, now: float) -> bool:
    """Tells the last build's answer again, if it still holds. All actions count as cached."""
    kept = last_build.recall(str(state), asked)
    if kept is None:
        return False
    actions, told = kept
    assert isinstance(actions, int) and isinstance(told, tuple)
    for values in told:
        sink.emit(_from_values(values))
    sink.emit(BuildFinished(ExitCode.SUCCESS, now - began, actions=actions, cached=actions))
    return True


def _to_values(event: Told) -> tuple[object, ...]:
    if isinstance(event, TargetCompleted):
        return ("target", str(event.label), event.outputs, event.reports)
    return ("test", str(event.label), event.log_path, event.log)


def _from_values(values: tuple[object, ...]) -> Told:
    match values:
        case ("target", str(label), tuple(outputs), tuple(reports)):
            return TargetCompleted(Label.parse(label), True, outputs, reports)
        case ("test", str(label), str(log_path), str(log)):
            return TestFinished(Label.parse(label), "PASSED", True, 0.0, log_path, log)
    raise ValueError("a state of another version passed its check")
