"""Labels in strings: packages, targets, outputs, files, modules; of this package, of others, of other repositories."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol import types

from mlbuild.lang.syntax import tree
from mlbuild.language_server import names
from mlbuild.language_server.cursor import Cursor
from mlbuild.language_server.labels import takes_labels
from mlbuild.language_server.text import Text
from mlbuild.language_server.workspace import REPOSITORY, EditedWorkspace
from mlbuild.loading import BUILD_FILE
from mlbuild.terms import Attribute, Label

_KIND = types.CompletionItemKind


def labels(
    workspace: EditedWorkspace,
    path: str,
    text: Text,
    cursor: Cursor,
    *,
    attribute: Attribute | None = None,
    modules: bool = False,
    is_key: bool = False,
) -> Iterator[types.CompletionItem]:
    """The labels that what is typed can become. In an attribute of labels, a select's condition or a `load`, or if it looks like one."""
    typed = cursor.word
    wanted = modules or is_key or takes_labels(attribute)
    if not wanted and not typed.startswith(("//", "@", ":")):
        return
    start, end = cursor.string_start or 0, cursor.string_end
    seen: set[str] = set()
    for label, kind, detail in _matching(workspace, path, typed, attribute, modules):
        if label in seen:
            continue
        seen.add(label)
        edit = types.TextEdit(text.range(start, end), label)
        yield types.CompletionItem(label, kind=kind, detail=detail, text_edit=edit, filter_text=label)


_Found = tuple[str, types.CompletionItemKind, str]


def _matching(
    workspace: EditedWorkspace, path: str, typed: str, attribute: Attribute | None, modules: bool
) -> Iterator[_Found]:
    if typed.startswith("@") and "//" not in typed:
        yield f"@{REPOSITORY}//", _KIND.Module, "mlbuild's own rules"
        return
    if typed.startswith(("//", "@")):
        prefix, _, rest = typed.partition("//")
        repository = prefix.removeprefix("@")
        if not repository and path.startswith("external/"):
            repository = path.split("/")[1]
        package, colon, _ = rest.partition(":")
        if colon:
            yield from _of_package(workspace, repository, package, f"{prefix}//{package}:", attribute, modules)
        else:
            yield from _packages(workspace, repository, prefix, package, modules)
        return
    repository, package = workspace.package_of(path)
    own = list(_of_package(workspace, repository, package, ":", attribute, modules, path))
    if typed.startswith(":") or modules:
        yield from own
    else:
        # A file is written by its name, a target with a colon.
        yield from (each if each[1] != _KIND.File else (each[0].removeprefix(":"), *each[1:]) for each in own)
    if not typed:
        yield from _packages(workspace, "", "", "", modules)
        yield f"@{REPOSITORY}//", _KIND.Module, "mlbuild's own rules"


def _packages(workspace: EditedWorkspace, repository: str, prefix: str, typed: str, modules: bool) -> Iterator[_Found]:
    """The packages, and of one that is typed whole what is in it."""
    if repository:
        folders = [each.split("/", 2)[2] if each.count("/") > 1 else "" for each in workspace.packages_in(repository)]
    else:
        folders = [name for _, name in workspace.packages()]
    for folder in folders:
        if folder.startswith(typed.rpartition("/")[0]):
            yield f"{prefix}//{folder}" + (":" if modules or not folder else ""), _KIND.Module, "package"
    if typed in folders:
        yield from _of_package(workspace, repository, typed, f"{prefix}//{typed}:", None, modules)


def _of_package(
    workspace: EditedWorkspace,
    repository: str,
    package: str,
    prefix: str,
    attribute: Attribute | None,
    modules: bool,
    path: str = "",
) -> Iterator[_Found]:
    """Targets, outputs and files of a package."""
    if not modules:
        for name, kind in targets_of(workspace, repository, package).items():
            yield prefix + name, _KIND.Reference, kind
    folder = Label(repository, package, "x").package_path
    suffixes = (".bzl",) if modules else attribute.allow_files if attribute is not None else True
    if modules or suffixes:
        for name in files_of(workspace, folder, suffixes if isinstance(suffixes, tuple) else ("",)):
            if f"{folder}/{name}".lstrip("/") != path:
                yield prefix + name, _KIND.File, "module" if modules else "file"


def targets_of(workspace: EditedWorkspace, repository: str, package: str) -> dict[str, str]:
    """Name -> what it is, of the targets and outputs of a package: as loaded, or as far as its file can be read."""
    path = workspace.build_file(repository, package)
    loaded = workspace.package_named(repository, package)
    found = {} if loaded is None else {name: target.rule.name for name, target in loaded.targets.items()}
    for name, target in {} if loaded is None else loaded.outputs.items():
        found.setdefault(name, f"output of {target.label.name}")
    if loaded is None:
        found = dict(workspace.last_targets.get((repository, package), {}))
        found |= {name: kind for name, kind, _ in written_targets(workspace, path)}
    else:
        workspace.last_targets[repository, package] = dict(found)
    return found


def written_targets(workspace: EditedWorkspace, path: str) -> Iterator[tuple[str, str, tree.Call]]:
    """Name, rule and call of the targets whose names are written out in a BUILD file."""
    file = workspace.file(path)
    for statement in file.statements if file is not None else ():
        if not isinstance(statement, tree.ExpressionStatement) or not isinstance(statement.value, tree.Call):
            continue
        call = statement.value
        rule = names.dotted_name(call.function)
        for each in call.arguments:
            if each.name == "name" and isinstance(each.value, tree.Literal) and isinstance(each.value.value, str):
                yield each.value.value, rule, call


def files_of(workspace: EditedWorkspace, folder: str, suffixes: tuple[str, ...]) -> Iterator[str]:
    """The files of a package, in its folders too."""
    folders = workspace.folders()
    stack = [""]
    count = 0
    while stack and count < 2000:
        below = stack.pop()
        inner: list[str] = []
        for name, kind in folders.own_listing(folder, below):
            shown = f"{below}/{name}" if below else name
            if kind == "directory":
                if not name.startswith(".") and name != "__pycache__":
                    inner.append(shown)
            elif name.endswith(suffixes) and name != BUILD_FILE and not name.startswith("."):
                count += 1
                yield shown
        stack += reversed(inner)
