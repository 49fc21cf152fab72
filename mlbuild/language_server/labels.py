"""Strings that are labels: which they are, where they stand, and what they name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mlbuild.diagnostics import UserError
from mlbuild.lang.literals import string_value
from mlbuild.lang.syntax import tree
from mlbuild.lang.syntax.scan import scan
from mlbuild.language_server import names
from mlbuild.language_server.signature import Signature
from mlbuild.language_server.workspace import EditedWorkspace
from mlbuild.loading.package import repository_and_folder
from mlbuild.terms import Attribute, BadLabel, Label

ABSOLUTE = ("//", "@", ":")
_LABELS = frozenset(
    ("label", "label_list", "label_keyed_string_dict", "string_keyed_label_dict", "output", "output_list")
)
_LOCATION = re.compile(r"\$\((?:location|locations|execpath|execpaths|rootpath|rootpaths) ([^)]+)\)")


@dataclass(frozen=True, slots=True)
class Written:
    """A label as it stands in a file: `start` and `end` are those of its text, without quotes."""

    start: int
    end: int
    text: str
    label: Label
    is_load: bool = False


def takes_labels(attribute: Attribute | None) -> bool:
    return attribute is not None and attribute.kind in _LABELS


def resolve(workspace: EditedWorkspace, path: str, text: str) -> Label | None:
    """The label as seen from the file."""
    try:
        return workspace.loader().label_in(path, text)
    except (BadLabel, UserError):
        return None


def written_in(workspace: EditedWorkspace, path: str) -> tuple[Written, ...]:
    """Every label that stands in the file, in the order of the file."""
    file = workspace.file(path)
    if file is None:
        return ()
    ends = string_tokens(file.text)
    found: dict[int, Written] = {}
    for offset, text, is_load in _candidates(workspace, path, file):
        token = ends.get(offset)
        if token is None or string_value_or_nothing(token) != text:
            continue
        start = offset + token.index(token[-1]) + 1
        if token.endswith(('"""', "'''")) and len(token) >= 6:
            start = offset + token.index(token[-3:]) + 3
        if "\\" in token:
            continue
        for inner in (_LOCATION.finditer(text)) if "$(" in text else ():
            label = resolve(workspace, path, inner[1])
            if label is not None:
                found[start + inner.start(1)] = Written(start + inner.start(1), start + inner.end(1), inner[1], label)
        label = None if "$(" in text else resolve(workspace, path, text)
        if label is not None and not text.endswith((":__pkg__", ":__subpackages__")) and "visibility:" not in text:
            found[start] = Written(start, start + len(text), text, label, is_load)
    return tuple(found[start] for start in sorted(found))


def at(workspace: EditedWorkspace, path: str, offset: int) -> Written | None:
    """The label that the offset is in."""
    return next((each for each in written_in(workspace, path) if each.start <= offset <= each.end), None)


def string_tokens(text: str) -> dict[int, str]:
    """The strings of a file by where they start."""
    tokens = scan(text)
    return {tokens.starts[index]: tokens.texts[index] for index, kind in enumerate(tokens.kinds) if kind == "STRING"}


def string_value_or_nothing(token: str) -> str | bytes | None:
    try:
        return string_value(token)
    except ValueError:
        return None


def _candidates(workspace: EditedWorkspace, path: str, file: tree.File) -> Iterator[tuple[int, str, bool]]:
    """Strings that are labels because of where they stand, or because they look like it: offset, text, of a `load`."""
    for statement in file.statements:
        if isinstance(statement, tree.Load):
            yield from ((offset, statement.module, True) for offset in _module_offset(file.text, statement))
            continue
        stack: list[tuple[object, bool, Signature | None]] = [(statement, False, None)]
        while stack:
            node, is_label, _ = stack.pop()
            match node:
                case tree.Literal():
                    if isinstance(node.value, str) and _is_label(node.value, is_label):
                        yield node.offset, node.value, False
                case tree.Call():
                    stack += _of_call(workspace, path, node, is_label)
                case tree.Conditional():
                    stack += [
                        (node.condition, False, None),
                        (node.then, is_label, None),
                        (node.otherwise, is_label, None),
                    ]
                case tree.DictDisplay():
                    stack += [(part, is_label, None) for entry in node.entries for part in entry]
                case tree.Index() | tree.Compare():
                    stack += [(each, False, None) for each in node[1:]]
                case tuple() | list():
                    stack += [(each, is_label, None) for each in node if isinstance(each, (tuple, list))]
                case _:
                    pass


def _of_call(
    workspace: EditedWorkspace, path: str, node: tree.Call, is_label: bool
) -> Iterator[tuple[object, bool, Signature | None]]:
    function = names.dotted_name(node.function)
    if function == "select":
        for argument in node.arguments:
            if isinstance(argument.value, tree.DictDisplay):
                for key, value in argument.value.entries:
                    yield key, True, None
                    yield value, is_label, None
        return
    called = names.signature_of(workspace, path, function, node.offset) if function else None
    if function in ("register_toolchains", "Label"):
        yield from ((each.value, True, None) for each in node.arguments)
        return
    if function in ("exports_files", "glob", "subpackages"):
        yield from ((each.value, function == "exports_files", None) for each in node.arguments)
        return
    yield node.function, False, None
    for argument in node.arguments:
        parameter = called.parameter(argument.name) if called is not None and argument.name else None
        attribute = None if parameter is None else parameter.attribute
        if attribute is not None and attribute.kind == "label_keyed_string_dict":
            yield from _entries(argument.value, keys=True)
        elif attribute is not None and attribute.kind == "string_keyed_label_dict":
            yield from _entries(argument.value, keys=False)
        else:
            yield argument.value, takes_labels(attribute), None


def _entries(node: tree.Expression, *, keys: bool) -> Iterator[tuple[object, bool, Signature | None]]:
    if isinstance(node, tree.DictDisplay):
        for key, value in node.entries:
            yield key, keys, None
            yield value, not keys, None
    else:
        yield node, True, None


def _is_label(text: str, is_label: bool) -> bool:
    if is_label:
        return bool(text) and "\n" not in text
    if _LOCATION.search(text):
        return True
    if not text.startswith(ABSOLUTE) or len(text) < 2 or "\n" in text or " " in text:
        return False
    return text.startswith("//") or ("//" in text if text.startswith("@") else True)


def _module_offset(text: str, load: tree.Load) -> Iterator[int]:
    """Where the module's name stands in a `load`."""
    tokens = scan(text[load.offset : load.offset + 2000])
    for index, kind in enumerate(tokens.kinds):
        if kind == "STRING":
            yield load.offset + tokens.starts[index]
            return


def package_prefix(path: str) -> tuple[str, str]:
    """The repository and the folder of a file."""
    return repository_and_folder(path.rpartition("/")[0])
