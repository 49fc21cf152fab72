"""What a hint says, done: `did you mean` as an edit."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lsprotocol import types

from mlbuild.language_server.diagnose import SOURCE
from mlbuild.language_server.text import Text

_HINT = re.compile(r"\nhint: (?:did you mean|write) `([^`\n]+)`\??$")
_WRONG = re.compile(r"`([^`\n]*)`|'([^'\n]*)'")
_LABELS = ("no-such-target", "no-such-file", "no-such-package", "crosses-package")


def mends(uri: str, text: Text, found: Iterable[types.Diagnostic]) -> list[types.CodeAction]:
    """An action for each mistake whose hint names what to write instead."""
    actions: list[types.CodeAction] = []
    for each in found:
        hint = _HINT.search(each.message)
        if each.source != SOURCE or hint is None:
            continue
        edit = _edit(text, each, hint[1], each.message[: hint.start()])
        if edit is not None:
            actions.append(
                types.CodeAction(
                    f"Write `{edit.new_text}`",
                    types.CodeActionKind.QuickFix,
                    [each],
                    True,
                    edit=types.WorkspaceEdit({uri: [edit]}),
                )
            )
    return actions


def _edit(text: Text, found: types.Diagnostic, right: str, message: str) -> types.TextEdit | None:
    start, end = text.offset(found.range.start), text.offset(found.range.end)
    there = text.code[start:end]
    if found.code in _LABELS:
        if not there.startswith(("//", ":", "@")) and "." not in there and "/" not in there:
            return None
        return types.TextEdit(found.range, _label(there, right, str(found.code)))
    wrong = [one or two for one, two in _WRONG.findall(message.partition("\n")[0])]
    for word in reversed(wrong):
        if there in (word, f'"{word}"', f"'{word}'"):
            return types.TextEdit(found.range, there.replace(word, right))
        match = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)").search(text.code, start)
        if match and match.start() - start < 2000:
            return types.TextEdit(text.range(match.start(), match.end()), right)
    return None


def _label(there: str, right: str, code: str) -> str:
    """The right label in the spelling of the wrong one."""
    if code == "no-such-package" and ":" in there:
        return f"{right}:{there.partition(':')[2]}"
    if there.startswith(":") and ":" in right:
        return ":" + right.rpartition(":")[2]
    if not there.startswith(("//", "@")) and ":" in right:
        return right.rpartition(":")[2]
    return right
