"""The page of error codes: every place in the source that makes a diagnostic, read with `ast`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from docs.made.markdown import table

CODE = re.compile(r"[a-z]+(-[a-z0-9]+)+|syntax|indentation|frozen|fail|recursion|misplaced|redefined")
SENTENCES = {"foreign.py": "not-starlark", "characters.py": "syntax"}
"""Files that hold tables of sentences with their hints, all of one code."""
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
            if room != "testing":
                yield from _of_file(ast.parse(path.read_bytes()), room, SENTENCES.get(path.name))


def _of_file(file: ast.Module, room: str, code: str | None) -> Iterator[Message]:
    for scope in ast.walk(file):
        if isinstance(scope, ast.FunctionDef):
            variables = _variables(scope)
            for node in ast.walk(scope):
                if isinstance(node, ast.Call):
                    yield from _messages(node, room, variables)
        elif isinstance(scope, ast.Tuple) and code is not None and len(scope.elts) == 2:
            text, hint = map(_text, scope.elts)
            if isinstance(scope.elts[0], ast.Constant) and text and " " in text:
                yield Message(code, text, hint or "", room)


def _variables(function: ast.FunctionDef) -> dict[str, list[ast.expr]]:
    """What the function assigns to `message` and `hint`, in its order."""
    found: dict[str, list[ast.expr]] = {"message": [], "hint": []}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, value = node.targets[0], node.value
            if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
                pairs = list(zip(target.elts, value.elts, strict=True))
            else:
                pairs = [(target, value)]
            for name, each in pairs:
                if isinstance(name, ast.Name) and name.id in found:
                    found[name.id].append(each)
    return found


def _messages(call: ast.Call, room: str, variables: dict[str, list[ast.expr]]) -> Iterator[Message]:
    if not _makes_diagnostics(call.func):
        return
    is_place = isinstance(call.func, ast.Attribute) and getattr(call.func.value, "id", "") == "place"
    names = ("message", "hint", "at", "code") if is_place else ("code", "message", "hint")
    given = dict(zip(names, call.args, strict=False))
    given |= {each.arg: each.value for each in call.keywords if each.arg in ("code", "message", "hint")}
    if is_place:
        is_foreign = isinstance(call.func, ast.Attribute) and call.func.attr == "foreign"
        given.setdefault("code", ast.Constant("not-starlark" if is_foreign else "syntax"))
    code = given.get("code")
    if not (isinstance(code, ast.Constant) and isinstance(code.value, str) and CODE.fullmatch(code.value)):
        return
    texts, hints = (_written(given.get(name), variables) for name in ("message", "hint"))
    for index, text in enumerate(texts):
        hint = hints[index] if len(hints) == len(texts) else hints[0] if hints else None
        if text is not None and " " in text:
            yield Message(code.value, text, hint or "", room)


def _written(node: ast.expr | None, variables: dict[str, list[ast.expr]]) -> list[str | None]:
    if isinstance(node, ast.Name) and node.id in variables:
        return [_text(each) for each in variables[node.id]]
    return [_text(node)]


def _makes_diagnostics(function: ast.expr) -> bool:
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name in ("fail", "error", "of", "Diagnostic", "ToolError", "FetchError", "foreign") or name.endswith(
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
