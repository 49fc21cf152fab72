"""What the thing under the cursor is."""

from __future__ import annotations

from lsprotocol import types

from mlbuild.lang.runtime.text import repr_value
from mlbuild.lang.syntax import tree
from mlbuild.language_server import documentation, labels, names, receivers
from mlbuild.language_server.cursor import Bracket, Cursor, cursor_at
from mlbuild.language_server.text import Text
from mlbuild.language_server.workspace import EditedWorkspace

LONGEST_VALUE = 500


def hover(workspace: EditedWorkspace, path: str, text: Text, offset: int) -> types.Hover | None:
    """Documentation of a label, a rule, an attribute, a function or a value."""
    written = labels.at(workspace, path, offset)
    if written is not None:
        words = of_label(workspace, written)
        return None if words is None else _shown(words, text.range(written.start, written.end))
    start, end = word_around(text.code, offset)
    if start == end:
        return None
    cursor = cursor_at(text.code, end)
    if cursor.string_start is not None or cursor.in_comment or cursor.in_text:
        return None
    found = _of_word(workspace, path, text.code, cursor, start, end)
    return None if found is None else _shown(found, text.range(start, end))


def word_around(code: str, offset: int) -> tuple[int, int]:
    """From where to where the name goes that the offset is in or behind."""
    start = end = offset
    while start and (code[start - 1].isalnum() or code[start - 1] == "_"):
        start -= 1
    while end < len(code) and (code[end].isalnum() or code[end] == "_"):
        end += 1
    return start, end


def of_label(workspace: EditedWorkspace, written: labels.Written) -> str | None:
    """What a label names."""
    if written.is_load:
        file = workspace.file(written.label.path)
        return None if file is None else f"`{written.label.path}`\n\n{_module_doc(file)}".strip()
    target = workspace.target(written.label)
    if target is not None:
        return documentation.of_target(target, written.label)
    kind = workspace.folders().kind(written.label.path)
    return None if kind is None else f"The {'folder' if kind == 'directory' else 'file'} `{written.label.path}`."


def argument_call(code: str, cursor: Cursor, end: int) -> Bracket | None:
    """The call whose argument the name that ends here names."""
    inner = cursor.inner
    behind = code[end : end + 80].lstrip(" \t")
    if inner is not None and inner.function and not inner.keyword and behind.startswith("=") and behind[:2] != "==":
        return inner
    return None


def _of_word(workspace: EditedWorkspace, path: str, code: str, cursor: Cursor, start: int, end: int) -> str | None:
    name = code[start:end]
    call = argument_call(code, cursor, end)
    if call is not None:
        called = names.signature_of(workspace, path, call.function, call.offset)
        parameter = called.parameter(name) if called is not None else None
        return None if parameter is None or called is None else documentation.of_parameter(parameter, called.name)
    dotted = f"{cursor.receiver}.{name}" if cursor.receiver else name
    called = names.signature_of(workspace, path, dotted, start)
    if called is not None:
        return documentation.of_signature(called)
    if cursor.receiver:
        member = next(
            (each for each in receivers.members(workspace, path, cursor.receiver, start) if each.name == name), None
        )
        return None if member is None else f"```starlark\n(field) {dotted}\n```\n\n{member.doc}".strip()
    meaning = names.lookup(workspace, path, name, start)
    return None if meaning is None else _of_meaning(workspace, path, meaning)


def _of_meaning(workspace: EditedWorkspace, path: str, meaning: names.Meaning) -> str:
    if meaning.what == "parameter" and isinstance(meaning.node, tree.Parameter):
        assert meaning.place is not None
        function = names.functions_at(workspace, path, meaning.place.offset + 1)
        doc = ""
        if function:
            known = names.of_definition(workspace, function[-1], path).parameter(meaning.name)
            doc = known.doc if known is not None else ""
        return f"```starlark\n(parameter) {meaning.name}\n```\n\n{doc}".strip()
    if meaning.value is names.UNKNOWN or meaning.value is None:
        return f"```starlark\n({meaning.what}) {meaning.name}\n```"
    words = repr_value(meaning.value)
    short = words if len(words) <= LONGEST_VALUE else words[:LONGEST_VALUE] + "…"
    return f"```starlark\n({meaning.what}) {meaning.name} = {short}\n```"


def _module_doc(file: tree.File) -> str:
    from mlbuild.language_server.signature import docstring

    return docstring(file.statements)


def _shown(words: str, range: types.Range) -> types.Hover:
    return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, words), range)
