"""Where a target or a name is used, in all files of a workspace. A generator of pauses: other questions are answered meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

from mlbuild.lang.syntax import tree
from mlbuild.language_server import labels, names
from mlbuild.language_server.complete_labels import files_of, written_targets
from mlbuild.language_server.definition import Symbol
from mlbuild.language_server.signature import Place
from mlbuild.language_server.workspace import EditedWorkspace
from mlbuild.loading import WORKSPACE_FILE
from mlbuild.terms import Label, Target

Span = tuple[str, int, int]
"""A file, and from where to where in it."""


def files(workspace: EditedWorkspace) -> Iterator[str]:
    """All files of the language in the workspace."""
    if workspace.text(WORKSPACE_FILE) is not None:
        yield WORKSPACE_FILE
    packages = workspace.packages()
    for repository, package in packages:
        yield workspace.build_file(repository, package)
    for _, package in packages or (("", ""),):
        for name in files_of(workspace, package, (".bzl",)):
            yield f"{package}/{name}" if package else name


def of_target(workspace: EditedWorkspace, target: Target) -> Iterator[Span | None]:
    """Every label of the target or of a part of it: from its beginning to the target's name's end. Nothing: a pause."""
    label = target.label
    for path in tuple(files(workspace)):
        yield None
        text = workspace.text(path)
        # A label of another package names the package; only in its own package may a label be the name alone.
        is_near = f"{path.rpartition('/')[0]}/".startswith(f"{label.package}/" if label.package else "")
        if text is None or label.name not in text.code or not (is_near or f"//{label.package}" in text.code):
            continue
        for written in labels.written_in(workspace, path):
            if not written.is_load and names_target(workspace, written.label, label):
                beyond = len(written.label.name) - len(label.name)
                yield path, written.start, written.end - beyond


def names_target(workspace: EditedWorkspace, label: Label, target: Label) -> bool:
    """Whether a label is that of the target, or of a part of it."""
    if label == target:
        return True
    is_below = (label.repository, label.package) == (target.repository, target.package)
    if not is_below or not label.name.startswith(target.name + "."):
        return False
    found = workspace.target(label)
    return (
        found is not None
        and found.label == target
        and label not in dict(found.implicit_outputs).values()
        and label.name not in _outputs(workspace, target)
    )


def _outputs(workspace: EditedWorkspace, target: Label) -> frozenset[str]:
    package = workspace.package_named(target.repository, target.package)
    return frozenset() if package is None else frozenset(package.outputs)


def name_of_target(workspace: EditedWorkspace, target: Target) -> Span | None:
    """Where the target's name is written out, if it is."""
    path = target.location.path
    file = workspace.file(path)
    for name, _, call in written_targets(workspace, path):
        if file is not None and name == target.label.name:
            for each in call.arguments:
                if each.name == "name":
                    start = each.value.offset + 1
                    return path, start, start + len(name)
    return None


def of_symbol(workspace: EditedWorkspace, symbol: Symbol) -> Iterator[Span | None]:
    """Every use of a name, its definition too, through every `load`. Nothing: a pause."""
    home = workspace.file(symbol.place.path)
    if home is None:
        return
    is_global = not names.functions_at(workspace, symbol.place.path, symbol.place.offset) or any(
        isinstance(each, tree.Def) and each.offset == symbol.place.offset for each in home.statements
    )
    paths = [symbol.place.path]
    if is_global and symbol.place.path.endswith(".bzl"):
        paths += [each for each in files(workspace) if each != symbol.place.path]
    for path in paths:
        yield None
        text = workspace.text(path)
        file = workspace.file(path) if text is not None and symbol.name in text.code else None
        if file is not None:
            for start, name in sorted(set(_uses(workspace, path, file, symbol.place))):
                yield path, start, start + len(name)


def _uses(workspace: EditedWorkspace, path: str, file: tree.File, place: Place) -> Iterator[tuple[int, str]]:
    for statement in file.statements:
        if isinstance(statement, tree.Load):
            for offset, local, exported in statement.bindings:
                if names.definition(workspace, path, local, statement.offset) == place:
                    yield from _binding(file.text, offset, local, exported)
            continue
        for offset, name in names_in(statement):
            if names.definition(workspace, path, name, offset) == place:
                yield offset, name


def _binding(text: str, offset: int, local: str, exported: str) -> Iterator[tuple[int, str]]:
    """The exported name in a `load`, which stands in quotes; the local one is another name's beginning."""
    quote = min((text.find(each, offset) for each in "\"'" if text.find(each, offset) >= 0), default=-1)
    if quote >= 0 and text.startswith(exported, quote + 1):
        yield quote + 1, exported


def names_in(node: object) -> Iterator[tuple[int, str]]:
    """All names of a part of a tree that are bound or used, with their places."""
    stack = [node]
    while stack:
        each = stack.pop()
        if isinstance(each, tree.Name):
            yield each.offset, each.name
        elif isinstance(each, tree.Def):
            yield each.offset, each.name
            stack += [*each.parameters, *each.body]
        elif isinstance(each, tree.Parameter):
            if each.name:
                yield each.offset, each.name
            stack.append(each.default)
        elif isinstance(each, (tuple, list)):
            stack.extend(reversed(each))
