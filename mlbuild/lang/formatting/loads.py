"""`load` statements: at the top, one for a module, in order."""

from __future__ import annotations

from functools import cmp_to_key
from itertools import groupby

from mlbuild.lang.formatting.marks import is_said_anywhere
from mlbuild.lang.formatting.nodes import Call, CommentBlock, File, Load, Name, Node, String

_LAST_PACKAGE = "\x7f"


def move_loads_up(file: File) -> None:
    """Loads come before all but the file's docstring, comments and `workspace()`."""
    if is_said_anywhere(file, "disable=load-on-top"):
        return
    first = next((index for index, each in enumerate(file.statements) if not _may_precede_loads(each)), None)
    if first is None:
        return
    rest = file.statements[first:]
    loads = [each for each in rest if isinstance(each, Load)]
    file.statements[first:] = [*loads, *(each for each in rest if not isinstance(each, Load))]


def merge_loads(file: File) -> None:
    """What is loaded from one module is loaded by one statement."""
    first_of: dict[str, Load] = {}
    kept: list[Node] = []
    for each in file.statements:
        if isinstance(each, Load):
            first = first_of.setdefault(each.module.value, each)
            words = "disable=same-origin-load"
            if first is not each and not first.has_comment(words) and not each.has_comment(words):
                first.bindings += each.bindings
                for part in (each, each.module):
                    first.take_comments(part)
                first.close.before += each.close.before
                continue
        kept.append(each)
    file.statements = kept


def sort_loads(file: File) -> None:
    """Neighbouring loads by their labels: other repositories, absolute labels, relative ones."""
    if is_said_anywhere(file, "disable=out-of-order-load"):
        return
    found: list[Node] = []
    for are_loads, run in groupby(file.statements, lambda each: isinstance(each, Load)):
        neighbours = list(run)
        found += sorted(neighbours, key=_load_order) if are_loads else neighbours
    file.statements = found


def sort_loaded_names(loads: list[Load]) -> None:
    """Names that keep theirs first, then renamed ones; of two for one name the last stays."""
    for load in loads:
        in_order = sorted(load.bindings, key=lambda pair: (pair[0].name != pair[1].name, pair[0].name))
        load.bindings = []
        for pair in in_order:
            if load.bindings and load.bindings[-1][0].name == pair[0].name:
                for name, dropped in zip(pair, load.bindings.pop(), strict=True):
                    name.take_comments(dropped)
            load.bindings.append(pair)


def _may_precede_loads(statement: Node) -> bool:
    is_workspace = (
        isinstance(statement, Call) and isinstance(statement.function, Name) and statement.function.name == "workspace"
    )
    return is_workspace or isinstance(statement, Load | String | CommentBlock)


def _precedes(first: str, second: str) -> bool:
    """Whether a load of the first label comes before one of the second."""
    if first.startswith("@") != second.startswith("@"):
        return first.startswith("@")
    repository, package, target = _label_parts(first)
    other_repository, other_package, other_target = _label_parts(second)
    if repository != other_repository:
        return repository < other_repository
    if (not package) != (not other_package):
        return not package
    if package != other_package:
        return _path_precedes(package, other_package)
    return _path_precedes(target, other_target)


def _order(first: Node, second: Node) -> int:
    assert isinstance(first, Load) and isinstance(second, Load)
    if _precedes(first.module.value, second.module.value):
        return -1
    return 1 if _precedes(second.module.value, first.module.value) else 0


_load_order = cmp_to_key(_order)


def _path_precedes(first: str, second: str) -> bool:
    """Folder by folder, whatever the case; case decides between what is equal but for it."""
    if first == second:
        return False
    theirs = second.split("/")
    for index, mine in enumerate(first.split("/")):
        if index >= len(theirs):
            return False
        if mine.lower() != theirs[index].lower():
            return mine.lower() < theirs[index].lower()
    return first <= second


def _label_parts(label: str) -> tuple[str, str, str]:
    """Repository, package and target. The package of a relative label comes after every other."""
    if not label.startswith(("@", "//")):
        return "", _LAST_PACKAGE, label.lstrip(":")
    repository, rest = "", label
    if label.startswith("@"):
        repository, slash, rest = label.lstrip("@").partition("/")
        if not slash:
            return repository, "", repository
        rest = "/" + rest
    package, _, target = rest.partition(":")
    package = package.removeprefix("//")
    if target:
        return repository, package, target
    if rest.startswith("//"):
        return repository, package, _last_part(package)
    return repository, "", rest


def _last_part(path: str) -> str:
    trimmed = path.rstrip("/")
    return trimmed.rpartition("/")[2] or ("/" if path else ".")
