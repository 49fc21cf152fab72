"""Renames targets and names, if that changes nothing else: the workspace is loaded as it would be, and compared."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from mlbuild.diagnostics import UserError
from mlbuild.lang.compiler.resolve import CONSTANTS
from mlbuild.lang.syntax.scan import KEYWORDS, RESERVED
from mlbuild.language_server import names, references
from mlbuild.language_server.definition import Symbol
from mlbuild.language_server.diagnose import labels_in
from mlbuild.language_server.references import Span
from mlbuild.language_server.workspace import EditedWorkspace
from mlbuild.terms import BadLabel, Label, Select, Selector, Target

Move = Callable[[Label], Label]
_NAME = re.compile(r"[^\W\d]\w*\Z")


class CannotRename(ValueError):
    """The rename would not be sound, or the name is none; the message says why."""


def of_target(workspace: EditedWorkspace, target: Target, name: str) -> Iterator[tuple[Span, str] | None]:
    """Every edit: a span and what it becomes. Nothing: a pause. Raises CannotRename."""
    old = target.label
    if old.repository:
        raise CannotRename(f"`{old}` is of another repository")
    try:
        new = Label.parse(f"//{old.package}:{name}")
    except BadLabel as error:
        raise CannotRename(str(error)) from None
    if name.startswith(".") or '"' in name or "'" in name:
        raise CannotRename(f"`{name}` cannot be the name of a target")
    defined = references.name_of_target(workspace, target)
    if defined is None:
        raise CannotRename(f"the name of `{old}` is not written out: a macro or an expression makes it")
    edits: dict[Span, str] = {defined: name}
    for span in references.of_target(workspace, target):
        if span is None:
            yield None
            continue
        path, start, end = span
        text = workspace.text(path)
        assert text is not None
        edits[span] = respelled(text.code[start:end], old, new)

    def moved(label: Label) -> Label:
        is_it = references.names_target(workspace, label, old)
        return new.sibling(new.name + label.name[len(old.name) :]) if is_it else label

    before: dict[str, Mapping[str, object]] = {}
    for repository, package in workspace.packages():
        yield None
        before[package] = _graph(workspace, repository, package)
    after = workspace.with_edits(_edited(workspace, edits))
    for repository, package in after.packages():
        yield None
        if _graph(after, repository, package) != _renamed(before[package], moved, package):
            raise CannotRename(
                f"`//{package}` would not be the same with another name: the label is also made by an expression or a macro"
            )
    if _registered(after) != [moved(each) for each in _registered(workspace)]:
        raise CannotRename("the registered toolchains would not be the same")
    yield from edits.items()


def respelled(written: str, old: Label, new: Label) -> str:
    """The new label in the spelling of the old one."""
    head, colon, name = written.rpartition(":")
    if colon:
        return f"{head}:{new.name}"
    if written.startswith(("//", "@")):
        return f"{written}:{new.name}"
    return new.name if name == old.name else f":{new.name}"


def of_symbol(workspace: EditedWorkspace, symbol: Symbol, name: str) -> Iterator[tuple[Span, str] | None]:
    """Every edit: a span and what it becomes. Nothing: a pause. Raises CannotRename."""
    if not _NAME.match(name) or name in KEYWORDS or name in RESERVED or name in CONSTANTS or name == "load":
        raise CannotRename(f"`{name}` is no name")
    if symbol.place.path.startswith("external/"):
        raise CannotRename(f"`{symbol.name}` is mlbuild's own")
    meaning = names.lookup(workspace, symbol.place.path, symbol.name, symbol.place.offset)
    if meaning is not None and meaning.what == "parameter":
        raise CannotRename(f"`{symbol.name}` is a parameter: calls may give it by its name")
    edits: dict[Span, str] = {}
    for span in references.of_symbol(workspace, symbol):
        if span is None:
            yield None
        else:
            edits[span] = name
    spans = set(edits)
    after = workspace.with_edits(_edited(workspace, edits))
    moved = _moved(symbol, spans, len(name))
    again: set[Span] = set()
    for span in references.of_symbol(after, Symbol(name, moved.place)):
        if span is None:
            yield None
        else:
            again.add(span)
    if again != {_shifted(span, spans, len(name)) for span in spans}:
        raise CannotRename(f"`{name}` already means something else where `{symbol.name}` is used")
    for path in {path for path, _, _ in spans}:
        yield None
        wrong = {(each.code, each.message) for each in after.mistakes(path)}
        if wrong - {(each.code, each.message) for each in workspace.mistakes(path)}:
            raise CannotRename(f"`{path}` would have mistakes that it does not have now")
    yield from edits.items()


def _moved(symbol: Symbol, spans: set[Span], length: int) -> Symbol:
    place = symbol.place
    path, start, _ = _shifted((place.path, place.offset, place.offset), spans, length)
    return Symbol(symbol.name, type(place)(path, start))


def _shifted(span: Span, spans: set[Span], length: int) -> Span:
    """Where the span is when all spans have the new length."""
    path, start, _ = span
    move = sum(length - (end - begin) for other, begin, end in spans if other == path and begin < start)
    return path, start + move, start + move + length


def _edited(workspace: EditedWorkspace, edits: Mapping[Span, str]) -> dict[str, str]:
    """The texts of the files that the edits change."""
    texts: dict[str, str] = {}
    for (path, start, end), new in sorted(edits.items(), reverse=True):
        if path not in texts:
            text = workspace.text(path)
            assert text is not None
            texts[path] = text.code
        texts[path] = texts[path][:start] + new + texts[path][end:]
    return texts


def _graph(workspace: EditedWorkspace, repository: str, package: str) -> Mapping[str, object]:
    """The package's targets as values, and which of its labels name nothing; the fault's code if it cannot be loaded."""
    try:
        found = workspace.loader().package(repository, package)
    except UserError as error:
        return {"": [each.code for each in error.diagnostics]}
    return {
        name: (
            target.rule.name,
            dict(target.attributes),
            target.visibility,
            target.tags,
            frozenset(
                label
                for value in target.attributes.values()
                for label in labels_in(value)
                if _names_nothing(workspace, label)
            ),
        )
        for name, target in found.targets.items()
    }


def _names_nothing(workspace: EditedWorkspace, label: Label) -> bool:
    try:
        workspace.loader().entry(label)
    except UserError:
        return True
    return False


def _renamed(graph: Mapping[str, object], moved: Move, package: str) -> Mapping[str, object]:
    """The graph of a package as it should be."""
    return {moved(Label("", package, name)).name if name else "": _mapped(each, moved) for name, each in graph.items()}


def _mapped(value: object, moved: Move) -> object:
    """The value with every label moved."""
    if isinstance(value, Label):
        return moved(value)
    if isinstance(value, list):
        return [_mapped(each, moved) for each in value]
    if isinstance(value, tuple):
        return tuple(_mapped(each, moved) for each in value)
    if isinstance(value, frozenset):
        return frozenset(_mapped(each, moved) for each in value)
    if isinstance(value, dict):
        return {_mapped(key, moved): _mapped(each, moved) for key, each in value.items()}
    if isinstance(value, Select):
        return Select(tuple(_mapped(each, moved) for each in value.parts), value.operator)
    if isinstance(value, Selector):
        cases = tuple((_mapped(condition, moved), _mapped(each, moved)) for condition, each in value.cases)
        return Selector(cases, value.no_match_error)
    return value


def _registered(workspace: EditedWorkspace) -> list[Label]:
    try:
        return [each.label for each in workspace.loader().workspace().toolchains]
    except UserError:
        return []
