"""The call that is being written: what it takes, and which argument the cursor is at."""

from __future__ import annotations

from lsprotocol import types

from mlbuild.language_server import documentation, names
from mlbuild.language_server.cursor import cursor_at
from mlbuild.language_server.signature import Signature
from mlbuild.language_server.text import Text
from mlbuild.language_server.workspace import EditedWorkspace


def signature_help(workspace: EditedWorkspace, path: str, text: Text, offset: int) -> types.SignatureHelp | None:
    cursor = cursor_at(text.code, offset)
    call = cursor.call
    if call is None or cursor.in_comment or cursor.in_text:
        return None
    called = names.signature_of(workspace, path, call.function, call.offset)
    if called is None:
        return None
    words = [str(each) for each in called.parameters]
    parameters = [
        types.ParameterInformation(
            word, types.MarkupContent(types.MarkupKind.Markdown, documentation.of_parameter(each, called.name))
        )
        for word, each in zip(words, called.parameters, strict=True)
    ]
    shown = types.SignatureInformation(
        f"{called.name}({', '.join(words)})",
        types.MarkupContent(types.MarkupKind.Markdown, called.doc),
        parameters,
    )
    return types.SignatureHelp([shown], 0, _active(called, call.keyword, call.index))


def _active(called: Signature, keyword: str, index: int) -> int | None:
    """The number of the argument that is being written."""
    for number, each in enumerate(called.parameters):
        if keyword and (each.name == keyword or each.stars == "**"):
            return number
        if not keyword and each.stars == "*":
            return number
    if keyword or index >= len(called.parameters) or called.parameters[index].is_named:
        return None
    return index
