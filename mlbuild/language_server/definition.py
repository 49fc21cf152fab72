"""Where the thing under the cursor is defined."""

from __future__ import annotations

from dataclasses import dataclass

from mlbuild.language_server import labels, names
from mlbuild.language_server.cursor import cursor_at
from mlbuild.language_server.hover import argument_call, word_around
from mlbuild.language_server.signature import Place
from mlbuild.language_server.text import Text
from mlbuild.language_server.workspace import EditedWorkspace
from mlbuild.terms import Label, Target


@dataclass(frozen=True, slots=True)
class Symbol:
    """A name of the language, by the place that defines it."""

    name: str
    place: Place


def definition(workspace: EditedWorkspace, path: str, text: Text, offset: int) -> Place | None:
    """The place of a target's call, a module, a file, or of what a name is bound to."""
    written = labels.at(workspace, path, offset)
    if written is not None:
        return of_label(workspace, written.label, is_load=written.is_load)
    symbol = symbol_at(workspace, path, text, offset)
    if symbol is not None:
        return symbol.place
    start, end = word_around(text.code, offset)
    cursor = cursor_at(text.code, end)
    if start == end or cursor.string_start is not None or cursor.in_comment or cursor.in_text:
        return None
    call = argument_call(text.code, cursor, end)
    dotted = call.function if call is not None else f"{cursor.receiver}.{text.code[start:end]}".lstrip(".")
    called = names.signature_of(workspace, path, dotted, start)
    return None if called is None else called.place


def of_label(workspace: EditedWorkspace, label: Label, *, is_load: bool = False) -> Place | None:
    """Where a label's target is made in its BUILD file (that is the macro's call, if a macro makes it), or the file that it names."""
    if not is_load:
        target = workspace.target(label)
        if target is not None:
            return of_target(workspace, target)
    return Place(label.path, 0) if workspace.folders().kind(label.path) == "file" else None


def of_target(workspace: EditedWorkspace, target: Target) -> Place | None:
    text = workspace.text(target.location.path)
    if text is None:
        return None
    return Place(target.location.path, text.place(target.location.line, target.location.column))


def symbol_at(workspace: EditedWorkspace, path: str, text: Text, offset: int) -> Symbol | None:
    """The name under the cursor: in code, or as a string of a `load`."""
    start, end = word_around(text.code, offset)
    if start == end:
        return None
    name = text.code[start:end]
    cursor = cursor_at(text.code, end)
    if cursor.in_comment or cursor.in_text:
        return None
    if cursor.string_start is not None:
        call = cursor.call
        if call is None or call.function != "load" or call.index == 0:
            return None
        module = names.module_path(workspace, path, call.first)
        place = None if module is None else names.definition(workspace, module, name, 0)
        return None if place is None else Symbol(name, place)
    if cursor.receiver or argument_call(text.code, cursor, end) is not None:
        return None
    place = names.definition(workspace, path, name, start)
    return None if place is None else Symbol(name, place)


def target_at(workspace: EditedWorkspace, path: str, text: Text, offset: int) -> Target | None:
    """The target whose label, or whose name where it is made, is under the cursor."""
    written = labels.at(workspace, path, offset)
    if written is not None:
        return None if written.is_load else workspace.target(written.label)
    package = workspace.package(path) if path.endswith("BUILD.ml") else None
    cursor = cursor_at(text.code, offset)
    call = cursor.call
    if package is None or call is None or call.keyword != "name" or cursor.string_start is None:
        return None
    return package.targets.get(text.code[cursor.string_start : cursor.string_end])
