"""What a file or a workspace holds, for outlines and for going to a target by its name."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol import types

from mlbuild.lang.compiler.resolve import bindings
from mlbuild.lang.syntax import tree
from mlbuild.lang.syntax.scan import COMMENT, scan
from mlbuild.language_server.complete_labels import written_targets
from mlbuild.language_server.definition import of_target
from mlbuild.language_server.signature import Place
from mlbuild.language_server.text import Text
from mlbuild.language_server.workspace import EditedWorkspace
from mlbuild.loading import BUILD_FILE

_KIND = types.SymbolKind
MOST = 500
"""So many targets are told at most, of those that fit what was asked."""


def of_file(workspace: EditedWorkspace, path: str, text: Text) -> list[types.DocumentSymbol]:
    """Targets with their rules; in modules functions and globals."""
    file = workspace.file(path)
    if file is None:
        return []
    found: list[types.DocumentSymbol] = []
    seen: set[str] = set()
    if path.rpartition("/")[2] == BUILD_FILE:
        for name, rule, call in written_targets(workspace, path):
            seen.add(name)
            found.append(_symbol(text, name, rule, _KIND.Object, call.offset, _end(file, call.offset), call.offset))
        package = workspace.package(path)
        for target in package.targets.values() if package is not None else ():
            if target.label.name not in seen:
                start = text.place(target.location.line, target.location.column)
                end = max(_end(file, start), start)
                found.append(_symbol(text, target.label.name, target.rule.name, _KIND.Object, start, end, start))
    for statement in file.statements:
        if isinstance(statement, tree.Def):
            start = text.code.rfind("def", 0, statement.offset)
            found.append(
                _symbol(
                    text,
                    statement.name,
                    "function",
                    _KIND.Function,
                    start,
                    _end(file, statement.offset),
                    statement.offset,
                )
            )
        elif isinstance(statement, tree.Assign):
            is_rule = isinstance(statement.value, tree.Call) and statement.value.function[1:] in (
                ("rule",),
                ("provider",),
            )
            for name, offset in bindings((statement,)):
                kind = _KIND.Class if is_rule else _KIND.Variable
                found.append(_symbol(text, name, "", kind, offset, _end(file, offset), offset))
    return sorted(found, key=lambda each: (each.range.start.line, each.range.start.character, each.name))


def of_workspace(workspace: EditedWorkspace, query: str) -> Iterator[tuple[str, str, Place] | None]:
    """Label, rule and place of every target whose label has the letters of the query in their order. Nothing: a pause."""
    count = 0
    for repository, name in workspace.packages():
        yield None
        package = workspace.package_named(repository, name)
        for target in package.targets.values() if package is not None else ():
            if count < MOST and fits(query, str(target.label)):
                place = of_target(workspace, target)
                if place is not None:
                    count += 1
                    yield str(target.label), target.rule.name, place


def fits(query: str, label: str) -> bool:
    """Whether the letters of the query stand in the label in their order."""
    letters = iter(label.lower())
    return all(each in letters for each in query.lower())


def folds(text: Text) -> list[types.FoldingRange]:
    """Brackets and blocks of several lines, and comments of several lines."""
    found: dict[tuple[int, int], types.FoldingRange] = {}
    tokens = scan(text.code)
    opened: list[int] = []
    comments: list[int] = []
    for index, kind in enumerate(tokens.kinds):
        start = tokens.starts[index]
        if kind in ("LPAREN", "LBRACKET", "LBRACE"):
            opened.append(text.line_of(start))
        elif kind in ("RPAREN", "RBRACKET", "RBRACE") and opened:
            first, last = opened.pop(), text.line_of(start) - 1
            if last > first:
                found.setdefault((first, last), types.FoldingRange(first, last))
        elif kind == COMMENT and tokens.texts[index].startswith("#"):
            comments.append(text.line_of(start))
    run: list[int] = []
    for line in [*comments, -2]:
        if run and line != run[-1] + 1:
            if len(run) > 1:
                found[run[0], run[-1]] = types.FoldingRange(run[0], run[-1], kind=types.FoldingRangeKind.Comment)
            run = []
        run.append(line)
    return [found[key] for key in sorted(found)]


def fold_functions(workspace: EditedWorkspace, path: str, text: Text) -> list[types.FoldingRange]:
    """The functions of a module."""
    file = workspace.file(path)
    found: list[types.FoldingRange] = []
    for each in file.statements if file is not None else ():
        if file is not None and isinstance(each, tree.Def):
            first, last = text.line_of(each.offset), text.line_of(_end(file, each.offset))
            if last > first:
                found.append(types.FoldingRange(first, last))
    return found


def _end(file: tree.File, offset: int) -> int:
    """Where the statement ends that the offset is in."""
    following = len(file.text)
    for each in file.statements:
        start = file.text.rfind("\n", 0, each.offset) + 1
        if start > offset:
            following = start
            break
    lines = file.text[offset:following].rstrip().split("\n")
    while len(lines) > 1 and lines[-1].startswith("#"):
        lines.pop()
    return offset + len("\n".join(lines).rstrip())


def _symbol(
    text: Text, name: str, detail: str, kind: types.SymbolKind, start: int, end: int, at: int
) -> types.DocumentSymbol:
    return types.DocumentSymbol(
        name or "?", kind, text.range(start, max(start, end)), text.range(at, min(at + len(name), max(at, end))), detail
    )
