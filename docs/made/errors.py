"""The page of error codes: every place in the source that makes a diagnostic, read with `ast`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from docs.made.markdown import table

CODE = re.compile(r"[a-z]+(-[a-z0-9]+)+|syntax|frozen|fail|recursion|misplaced|redefined")
PLACES = (("mlbuild", "mlbuild"), ("rules", "tools of the rules"))


@dataclass(frozen=True, order=True)
class Message:
    """What one place in the source says. `…` stands for what is known only then."""

    code: str
    text: str
    hint: str
    room: str


def page(root: Path) -> str:
    """The whole page as Markdown."""
    return "\n".join(_lines(sorted(set(messages(root))))) + "\n"


def messages(root: Path) -> Iterator[Message]:
    """All diagnostics of the source whose code and text are written out."""
    for folder, name in PLACES:
        for path in sorted((root / folder).rglob("*.py")):
            room = path.relative_to(root / folder).parts[0].removesuffix(".py") if folder == "mlbuild" else name
            for node in ast.walk(ast.parse(path.read_bytes())):
                if room != "testing" and isinstance(node, ast.Call) and (found := _message(node, room)) is not None:
                    yield found


def _message(call: ast.Call, room: str) -> Message | None:
    given = dict(zip(("code", "message", "hint"), call.args, strict=False))
    given |= {each.arg: each.value for each in call.keywords if each.arg in ("code", "message", "hint")}
    code, text = given.get("code"), _text(given.get("message"))
    if not (isinstance(code, ast.Constant) and isinstance(code.value, str) and CODE.fullmatch(code.value)):
        return None
    if text is None or " " not in text or not _makes_diagnostics(call.func):
        return None
    return Message(code.value, text, _text(given.get("hint")) or "", room)


def _makes_diagnostics(function: ast.expr) -> bool:
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name in ("fail", "error", "of", "Diagnostic", "ToolError", "FetchError") or name.endswith(
        ("_error", "_fail")
    )


def _text(node: ast.expr | None) -> str | None:
    """The text of an expression, as far as it is written out."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = [each.value if isinstance(each, ast.Constant) else "…" for each in node.values]
        return "".join(map(str, parts))
    if isinstance(node, ast.BinOp):
        sides = _text(node.left), _text(node.right)
        return "".join(each or "…" for each in sides)
    if isinstance(node, ast.IfExp):
        return _text(node.body) or _text(node.orelse)
    return None


def _lines(found: list[Message]) -> Iterator[str]:
    yield "# Errors\n"
    yield "Made from the source by `docs/make_reference.py`. A message begins with its place and its code,"
    yield "`data/BUILD.ml:3:1: error[no-such-target]: …`. The code stays when the words get better: search for it here."
    yield "`…` stands for a name, a number or a place.\n"
    rows = [(f"`{each.code}`", _escaped(each.text), _escaped(each.hint)) for each in found]
    yield from table(("code", "says", "hint"), dict.fromkeys(rows))


def _escaped(text: str) -> str:
    return re.sub(r"([*_<])(?=[^`]*(?:`[^`]*`[^`]*)*$)", r"\\\1", text)
