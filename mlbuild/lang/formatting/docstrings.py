"""Docstrings of functions: indented as their function, without spaces at the ends of lines."""

from __future__ import annotations

from mlbuild.lang.formatting.nodes import Def, File, For, If, Node, String, While
from mlbuild.lang.formatting.strings import is_long, value_of

_INDENT = 4


def indent_docstrings(file: File) -> None:
    """Moves the lines of a docstring with its first, which moves with the function."""
    waiting: list[tuple[list[Node], int]] = [(file.statements, 0)]
    while waiting:
        statements, level = waiting.pop()
        for each in statements:
            if isinstance(each, Def):
                _indent_docstring(each, file.text, (level + 1) * _INDENT)
            if isinstance(each, Def | For | While | If):
                waiting.append((each.body, level + 1))
            if isinstance(each, If):
                is_chain = len(each.otherwise) == 1 and isinstance(each.otherwise[0], If)
                waiting.append((each.otherwise, level if is_chain else level + 1))


def _indent_docstring(function: Def, text: str, indentation: int) -> None:
    docstring = function.body[0]
    if not (isinstance(docstring, String) and is_long(docstring.token)):
        return
    difference = indentation - (docstring.start - text.rfind("\n", 0, docstring.start) - 1)
    first, *lines = docstring.token.split("\n")
    moved = [_moved(line, difference) for line in lines]
    token = "\n".join([first, *(line.rstrip(" ") for line in moved[:-1]), *moved[-1:]])
    if token != docstring.token:
        docstring.token, docstring.value = token, value_of(token)


def _moved(line: str, difference: int) -> str:
    if difference > 0:
        return " " * difference + line
    blank = len(line) - len(line.lstrip(" "))
    return line[min(blank, -difference) :] if line.strip(" ") or blank > -difference else line
