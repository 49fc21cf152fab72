"""Syntax errors in words. Each of the usual mistakes has a sentence of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from mlbuild.diagnostics import Diagnostic, Location
from mlbuild.lang.errors import StarlarkError

if TYPE_CHECKING:
    from mlbuild.lang.scan import Tokens

NO_WHILE = "`while` loops do not exist in Starlark", "use `for` over a `range` that is long enough, with `break`"
_WORDS = {
    "class": ("classes do not exist in Starlark", "use `struct(...)` or a provider"),
    "import": ("`import` does not exist in Starlark", 'use `load("//package:file.bzl", "name")`'),
    "from": ("`import` does not exist in Starlark", 'use `load("//package:file.bzl", "name")`'),
    "try": (
        "`try` does not exist in Starlark: errors cannot be caught",
        "test before, for example with `in` or `type()`",
    ),
    "except": (
        "`try` does not exist in Starlark: errors cannot be caught",
        "test before, for example with `in` or `type()`",
    ),
    "finally": ("`try` does not exist in Starlark: errors cannot be caught", None),
    "raise": ("`raise` does not exist in Starlark", 'use `fail("message")`'),
    "assert": ("`assert` does not exist in Starlark", 'use `if not condition: fail("message")`'),
    "with": ("`with` does not exist in Starlark", None),
    "yield": ("generators do not exist in Starlark", "build and return a list"),
    "del": ("`del` does not exist in Starlark", "use `.pop()` or `.remove()`"),
    "global": ("`global` does not exist in Starlark: functions cannot rebind globals", "return the new value instead"),
    "nonlocal": (
        "`nonlocal` does not exist in Starlark: functions cannot rebind outer names",
        "keep the state in a list or dict",
    ),
    "async": ("`async` does not exist in Starlark", None),
    "await": ("`await` does not exist in Starlark", None),
    "is": ("`is` does not exist in Starlark", "compare with `==` or `!=`"),
}
_CHARACTERS = {
    "!": ("`!` is not an operator", "write `not`, or `!=` to compare"),
    "@": ("decorators do not exist in Starlark", "call the function on the other: `f = decorate(f)`"),
    "?": ("`? :` does not exist in Starlark", "write `a if condition else b`"),
    "$": ("`$` is not an operator", None),
    "`": ("backticks are not quotes", 'use `"`'),
    "\\": ("`\\` must be the last character of its line", None),
}
_PUNCTUATION = {
    "NEWLINE": "end of line",
    "INDENT": "indentation",
    "DEDENT": "end of the block",
    "$END": "end of file",
}
_STARTS = frozenset(("NAME", "INTEGER", "FLOAT", "STRING", "LPAREN", "LBRACKET", "LBRACE", "NOT", "LAMBDA", "TILDE"))
_OPENING = {"LPAREN": "(", "LBRACKET": "[", "LBRACE": "{"}


class Fix(NamedTuple):
    """What to read instead, so that the rest of the statement can be read: tokens by kind and text."""

    offset: int
    removed: int
    inserted: tuple[tuple[str, str], ...]


class SyntaxMistake(StarlarkError):
    """What keeps a statement from being read: where, and how to go on if that is known."""

    offset = 0
    fix: Fix | None = None


class Source:
    """A file's text, for places and excerpts."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.mistakes: list[Diagnostic] = []
        """What does not keep the file from being parsed."""
        self._text = text

    def location(self, offset: int) -> Location:
        """The place of the character."""
        offset = min(offset, len(self._text))
        line = self._text.count("\n", 0, offset) + 1
        return Location(self.path, line, offset - self._text.rfind("\n", 0, offset))

    def diagnostic(self, code: str, message: str, offset: int, hint: str | None = None) -> Diagnostic:
        """A diagnostic that points at the character."""
        offset = min(offset, len(self._text))
        start, end = self._text.rfind("\n", 0, offset) + 1, self._text.find("\n", offset)
        line = self._text[start : end if end >= 0 else None].rstrip("\r")
        return Diagnostic(code, message, location=self.location(offset), source_line=line, hint=hint)

    def error(self, code: str, message: str, offset: int, hint: str | None = None) -> SyntaxMistake:
        """The error that points at the character."""
        mistake = SyntaxMistake(self.diagnostic(code, message, offset, hint))
        mistake.offset = offset
        return mistake


def explain(
    source: Source,
    tokens: Tokens,
    index: int,
    kind: str,
    row: Mapping[str, object],
    brackets: list[tuple[str, int]],
) -> SyntaxMistake:
    """Why the token cannot stand here; `row` has the tokens that could."""
    at_end = index >= len(tokens.texts)
    offset = len(tokens.text.rstrip()) if at_end else tokens.starts[index]
    text = "" if at_end else tokens.texts[index]
    previous = index - 1
    while previous >= 0 and tokens.kinds[previous] in ("#", "\n"):
        previous -= 1
    before = tokens.texts[previous] if previous >= 0 else ""
    before_kind = tokens.kinds[previous] if previous >= 0 else ""

    def error(message: str, hint: str | None = None, at: int = offset, code: str = "syntax") -> SyntaxMistake:
        return source.error(code, message, at, hint)

    if kind == "bad":
        return _bad(source, tokens, index, text.strip(" \t"), offset)
    if kind == "WHILE":
        return error(*NO_WHILE, code="not-starlark")
    if kind == "RESERVED":
        if text in _WORDS:
            message, hint = _WORDS[text]
            return error(message, hint, code="not-starlark")
        return error(f"syntax error at '{text}': it is a reserved word", "choose another name")
    if before_kind == "RESERVED" and before in _WORDS:
        message, hint = _WORDS[before]
        return error(message, hint, tokens.starts[previous], "not-starlark")
    adjacent = previous >= 0 and not at_end and tokens.starts[previous] + len(before) == offset
    if kind == "STRING" and before_kind == "NAME" and adjacent:
        return _bad_prefix(source, before, tokens.starts[previous])
    if before_kind in ("INTEGER", "FLOAT") and kind in ("NAME", "INTEGER", "FLOAT") and adjacent:
        hint = "numbers have no `_` between digits" if text.startswith("_") else None
        message = f"syntax error at '{_shown(text)}': invalid number literal `{_shown(before + text)}`"
        return error(message, hint, tokens.starts[previous], "invalid-literal")
    if kind == "STRING" and before_kind == "STRING":
        return error("strings next to each other are not joined in Starlark", "join them with `+`", code="not-starlark")
    if kind in ("RPAREN", "RBRACKET", "RBRACE") and not brackets:
        return error(f"syntax error at '{text}': there is no bracket to close")
    if kind in ("RPAREN", "RBRACKET", "RBRACE") and not row and brackets:
        opened = brackets[-1]
        return error(
            f"syntax error at '{text}': it does not close '{_OPENING[opened[0]]}' of line {source.location(tokens.starts[opened[1]]).line}"
        )
    if at_end and brackets:
        opened = brackets[-1]
        return error(f"'{_OPENING[opened[0]]}' was never closed", None, tokens.starts[opened[1]])
    if kind == "INDENT":
        return error("unexpected indentation", "start the line where the one before starts", code="indentation")
    if "INDENT" in row:
        return error(
            "expected an indented block after `:`", "indent the next line, or write `pass`", code="indentation"
        )
    if kind == "EQUAL":
        return _equal(source, offset, brackets, "NEWLINE" in row)
    if kind == "COLON" and not at_end and tokens.texts[index + 1 : index + 2] == ["="]:
        return error("`:=` does not exist in Starlark", "assign on a line of its own", code="not-starlark")
    annotated = (
        kind == "COLON" and before_kind == "NAME" and (brackets[-1][0] == "LPAREN" if brackets else "NEWLINE" in row)
    )
    if annotated or kind == "ARROW":
        message = "type annotations can stand only at the parameters and the result of a `def`"
        return error(message, "take the annotation away", code="not-starlark")
    if kind == "IF" and before == "else":
        return error("`else if` does not exist in Starlark", "write `elif`", code="not-starlark")
    if kind == "NAME" and before_kind == "NAME" and before in ("print", "exec", "elseif", "elsif"):
        hint = "write `elif`" if before.startswith("els") else f"write `{before}(...)`"
        return error(f"syntax error at '{text}'", hint)
    if text == before and text in ("&", "|", "+", "-"):
        words = {"&": "write `and`", "|": "write `or`", "+": "write `x += 1`", "-": "write `x -= 1`"}
        return error(f"`{text}{text}` is not an operator", words[text])
    if kind == "STARSTAR":
        return error("`**` is not an operator in Starlark", "multiply, for powers", code="not-starlark")
    if "COMMA" in row and kind in _STARTS and brackets:
        return error(
            f"missing comma before '{_shown(text)}'", "put a comma after the item before", code="missing-comma"
        )
    if "COMMA" in row and brackets and kind == "COLON":
        return error("syntax error at ':'", "a dict's entries are `key: value`, in `{}`; a list has no keys")
    if "COLON" in row and kind in ("NEWLINE", "$END"):
        return error("missing `:` at the end of the line", None, offset)
    if kind == "FOR" and brackets and "COMMA" in row:
        return error("generator expressions do not exist in Starlark", "write `[... for ...]`", code="not-starlark")
    what = "newline" if kind == "NEWLINE" else _PUNCTUATION.get(kind) or _shown(text)
    return error(f"syntax error at '{what}': expected {_expected(row)}")


def misplaced_loads(source: Source, tokens: Tokens) -> Iterator[SyntaxMistake]:
    """Where `load` is not the first word of its statement: it is no name."""
    kinds = tokens.kinds
    index = -1
    for _ in range(tokens.texts.count("load")):
        index = tokens.texts.index("load", index + 1)
        previous = index - 1
        while previous >= 0 and kinds[previous] == "#":
            previous -= 1
        before = kinds[previous] if previous >= 0 else "\n"
        after = kinds[index + 1] if index + 1 < len(kinds) else "\n"
        if before == "DOT" or (before in ("COMMA", "LPAREN", "\n") and after == "EQUAL" and _in_brackets(kinds, index)):
            continue
        if before not in ("\n", "SEMICOLON", "COLON") or after != "LPAREN":
            hint = 'write `load("//package:file.bzl", "name")`'
            yield source.error("bad-load", "`load` is a statement of its own", tokens.starts[index], hint)


def _in_brackets(kinds: list[str], index: int) -> bool:
    before = kinds[:index]
    return sum(map(before.count, _OPENING)) > sum(map(before.count, ("RPAREN", "RBRACKET", "RBRACE")))


def _equal(source: Source, offset: int, brackets: list[tuple[str, int]], ends_line: bool) -> SyntaxMistake:
    if brackets and brackets[-1][0] == "LPAREN":
        hint = "the name of a keyword argument is a plain name; use `==` to compare"
    elif brackets:
        hint = "use `:` between key and value; use `==` to compare"
    else:
        hint = "assign to one target on a line" if ends_line else "use `==` to compare"
    return source.error("syntax", "syntax error at '=': an assignment cannot stand here", offset, hint)


def _bad_prefix(source: Source, prefix: str, offset: int) -> SyntaxMistake:
    if prefix.lower() in ("f", "fr", "rf"):
        message, hint = "f-strings do not exist in Starlark", 'use `"...{}...".format(value)` or `"...%s..." % value`'
    elif prefix.lower() in ("r", "b", "br", "rb"):
        message, hint = f"string prefix `{prefix}` is not lower case", f"write `{prefix.lower()}`"
    elif prefix in ("u", "U"):
        message, hint = "`u` strings do not exist in Starlark", "take the prefix away: all strings are Unicode"
    else:
        message, hint = f"missing operator between `{prefix}` and the string", None
    return source.error("not-starlark", message, offset, hint)


def _bad(source: Source, tokens: Tokens, index: int, text: str, offset: int) -> SyntaxMistake:
    first = text[0]
    if first in "\"'":
        message = "unclosed string literal"
        hint: str | None = f"end it with `{first}` on the same line, or use `{first * 3}`"
        if text.startswith(first * 3):
            hint = f"end it with `{first * 3}`"
        return source.error("unclosed-string", message, offset, hint)
    if first.isdigit() or first == ".":
        rest = tokens.texts[index + 1] if index + 1 < len(tokens.texts) else ""
        hint = "numbers have no `_` between digits" if "_" in text or rest.startswith("_") else None
        return source.error("invalid-literal", f"invalid number literal `{_shown(text)}`", offset, hint)
    if first in _CHARACTERS:
        message, hint = _CHARACTERS[first]
        return source.error("syntax", message, offset, hint)
    if first in "\ufeff\u200b\u00a0":
        return source.error("syntax", f"invisible character U+{ord(first):04X}", offset, "delete it")
    if first in "“”‘’":
        return source.error("syntax", f"`{first}` is not a quote", offset, 'use `"`')
    return source.error("syntax", f"invalid character: '{_shown(first)}'", offset)


def _shown(text: str) -> str:
    first = text.split("\n")[0]
    return first if len(first) <= 40 else first[:37] + "..."


_NAMES = {
    "COLON": "`:`", "COMMA": "`,`", "RPAREN": "`)`", "RBRACKET": "`]`", "RBRACE": "`}`", "LPAREN": "`(`", "IN": "`in`",
    "ELSE": "`else`", "EQUAL": "`=`", "NEWLINE": "end of line", "NAME": "a name", "$END": "end of file",
    "DEDENT": "end of the block",
}  # fmt: skip


def _expected(row: Mapping[str, object]) -> str:
    if "INTEGER" in row:
        return "an expression" if "RETURN" not in row else "a statement"
    names = [name for kind, name in _NAMES.items() if kind in row]
    if not names or len(names) > 4:
        return "something else"
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " or " + names[-1]
