"""Text in, formatted text out."""

from __future__ import annotations

from typing import Any

from mlbuild.lang.check import too_deep
from mlbuild.lang.errors import StarlarkError
from mlbuild.lang.formatting.comments import attach_comments
from mlbuild.lang.formatting.concrete import ConcreteBuilder
from mlbuild.lang.formatting.kinds import Kind
from mlbuild.lang.formatting.nodes import File
from mlbuild.lang.formatting.printer import Printer
from mlbuild.lang.formatting.rewrite import rewrite
from mlbuild.lang.syntax.automaton import automaton
from mlbuild.lang.syntax.parse import drive, parse
from mlbuild.lang.syntax.scan import scan
from mlbuild.lang.syntax.source import Source

_MOST_PASSES = 8


def format_text(text: str, kind: Kind, path: str = "") -> str:
    """The text of a file in its one form. Raises StarlarkError, with `path` in it, if it is not Starlark."""
    try:
        parse(text, path)
        text = text.replace("\r\n", "\n")
        for _ in range(_MOST_PASSES):
            # A comment in the middle of an expression may move to a line of its own, and so open what is around it.
            formatted = _formatted_once(text, kind, path)
            if formatted == text:
                break
            text = formatted
        return text
    except RecursionError:
        raise StarlarkError(too_deep(path)) from None


def _formatted_once(text: str, kind: Kind, path: str) -> str:
    file = concrete_tree(text, path)
    rewrite(file, kind)
    return Printer(kind).file(file)


def concrete_tree(text: str, path: str = "") -> File:
    """The concrete tree of a text that is Starlark."""
    tokens = scan(text)
    builder = ConcreteBuilder(tokens)
    statements: Any = drive(automaton(), tokens, builder, Source(path, text))
    statements.take_gap()
    found = statements.found
    last_line = found[-1].last_line if found else 1
    file = File(0, found[-1].end if found else 0, 1, last_line, found, text, builder.has_parentheses)
    attach_comments(file, tokens, builder.lines)
    return file
