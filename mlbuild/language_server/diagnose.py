"""What is wrong with a file: what can be said of its text, and what loading its package says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lsprotocol import types

from mlbuild.diagnostics import Diagnostic, Location, UserError
from mlbuild.lang.syntax import tree
from mlbuild.language_server import labels, names
from mlbuild.language_server.text import Text
from mlbuild.language_server.workspace import EditedWorkspace
from mlbuild.loading import BUILD_FILE, WORKSPACE_FILE, Package
from mlbuild.loading.package import repository_and_folder
from mlbuild.records import replace
from mlbuild.terms import Label, Select, Selector, Target

SOURCE = "mlbuild"


def diagnose(workspace: EditedWorkspace, path: str) -> tuple[Diagnostic, ...]:
    """All mistakes of the file. What loading says comes once the text is right: it would say the same of a text that is wrong."""
    found = workspace.mistakes(path)
    return found or tuple(dict.fromkeys(_of_loading(workspace, path)))


def shown(found: Iterable[Diagnostic], text: Text, path: str) -> list[types.Diagnostic]:
    """As the editor takes them: each at the place of this file that is to blame."""
    result: list[types.Diagnostic] = []
    for each in found:
        location = place_in(each, path)
        offset = text.place(location.line, location.column) if location is not None else 0
        message = "\n".join([each.message, *each.notes])
        if each.location is not None and location != each.location:
            message += f"\nat {each.location}"
        if each.hint:
            message += f"\nhint: {each.hint}"
        result.append(
            types.Diagnostic(
                text.extent(offset), message, types.DiagnosticSeverity.Error, code=each.code, source=SOURCE,
                data={"hint": each.hint} if each.hint else None,
            )
        )  # fmt: skip
    return result


def place_in(found: Diagnostic, path: str) -> Location | None:
    """The place in this file: the error's own, or that of the call that led to it."""
    if found.location is not None and found.location.path == path:
        return found.location
    return next((each.location for each in reversed(found.frames) if each.location.path == path), None)


def _of_loading(workspace: EditedWorkspace, path: str) -> Iterator[Diagnostic]:
    name = path.rpartition("/")[2]
    loader = workspace.loader()
    try:
        if path == WORKSPACE_FILE:
            loader.workspace()
        elif name == BUILD_FILE:
            yield from _unknown_labels(workspace, path, loader.package(*repository_and_folder(path.rpartition("/")[0])))
        elif path.endswith(".bzl"):
            loader.module(path)
    except UserError as error:
        for each in error.diagnostics:
            if place_in(each, path) is None:
                yield from _at_load(workspace, path, each)
            else:
                yield each


def _at_load(workspace: EditedWorkspace, path: str, found: Diagnostic) -> Iterator[Diagnostic]:
    """An error of a file that this one loads, at the `load` that leads there."""
    file = workspace.file(path)
    if file is None or found.location is None:
        yield found
        return
    for statement in file.statements:
        if isinstance(statement, tree.Load):
            module = names.module_path(workspace, path, statement.module)
            if module == found.location.path or (module is not None and _fails(workspace, module)):
                line = file.text.count("\n", 0, statement.offset) + 1
                message = f"`{statement.module}` cannot be loaded: {found.message} ({found.location})"
                yield replace(found, message=message, location=Location(path, line, 1), frames=())
                return
    yield found


def _fails(workspace: EditedWorkspace, module: str) -> bool:
    try:
        workspace.loader().module(module)
    except UserError:
        return True
    return False


def _unknown_labels(workspace: EditedWorkspace, path: str, package: Package) -> Iterator[Diagnostic]:
    """Labels of the package's targets that name nothing, at the places where they are written."""
    loader = workspace.loader()
    written: dict[Label, list[labels.Written]] | None = None
    for target in package.targets.values():
        for label in dict.fromkeys(label for value in target.attributes.values() for label in labels_in(value)):
            try:
                loader.entry(label)
            except UserError as error:
                if written is None:
                    written = {}
                    for each in labels.written_in(workspace, path):
                        written.setdefault(each.label, []).append(each)
                place = _place(workspace, path, target, written.get(label, []))
                yield from (
                    replace(each, location=place, frames=target.frames if each.location is None else each.frames)
                    if each.location is None or each.location.path != path
                    else each
                    for each in error.diagnostics
                )


def _place(workspace: EditedWorkspace, path: str, target: Target, written: list[labels.Written]) -> Location:
    """Where a target's label stands: in its call, else anywhere in the file, else the call itself."""
    file = workspace.file(path)
    if file is None or not written:
        return target.location
    start = _offset(file.text, target.location)
    statement_end = next((each.offset for each in file.statements if each.offset > start), len(file.text))
    best = next((each for each in written if start <= each.start < statement_end), written[0])
    line = file.text.count("\n", 0, best.start) + 1
    return Location(path, line, best.start - file.text.rfind("\n", 0, best.start))


def _offset(text: str, location: Location) -> int:
    start = 0
    for _ in range(location.line - 1):
        start = text.find("\n", start) + 1
    return start


def labels_in(value: object) -> Iterator[Label]:
    """The labels that a value of an attribute holds."""
    if isinstance(value, Label):
        yield value
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from labels_in(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from labels_in(key)
            yield from labels_in(each)
    elif isinstance(value, Select):
        for part in value.parts:
            if isinstance(part, Selector):
                for condition, each in part.cases:
                    yield from labels_in(condition)
                    yield from labels_in(each)
            else:
                yield from labels_in(part)
