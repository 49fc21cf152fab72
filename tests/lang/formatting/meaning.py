"""What a text says, whatever its layout: its parse tree without what formatting may change."""

from __future__ import annotations

import re
from typing import Any

from mlbuild.lang.formatting import Kind
from mlbuild.lang.syntax import tree
from mlbuild.lang.syntax.parse import parse

_LABEL = re.compile(r"(?a)((?:@\w+)?//(?:.+/)?([^:/]+)):\2|(@(\w+))//:\4")


def meaning(text: str, kind: Kind) -> Any:
    """Equal for two texts that say the same: up to the order of loads, of named arguments, and of lists that are sorted."""
    meant = _Meaning(kind.is_declarative, "keep sorted" in text.lower())
    return meant.file(parse(text, "file"))


class _Meaning:
    def __init__(self, is_declarative: bool, sorts: bool) -> None:
        self._is_declarative = is_declarative
        self._sorts = is_declarative or sorts

    def file(self, file: tree.File) -> Any:
        loaded: dict[tuple[str, str], str] = {}
        for each in file.statements:
            if isinstance(each, tree.Load):
                loaded.update({(each.module, local): exported for _, local, exported in each.bindings})
        rest = [self._of(each) for each in file.statements if not isinstance(each, tree.Load)]
        return sorted(loaded.items()), rest

    def _of(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._of(each) for each in value]
        if not isinstance(value, tuple):
            return value
        if isinstance(value, tree.Literal):
            return type(value.value).__name__, self._label(value.value)
        if isinstance(value, tree.ListDisplay) and self._sorts:
            return "list", self._unordered(value.items)
        if isinstance(value, tree.Chain):
            return self._chain(value)
        if isinstance(value, tree.Call):
            return "call", self._of(value.function), self._arguments(value.arguments)
        if isinstance(value, tree.Def):
            return "def", value.name, self._of(value.parameters), self._body(value.body)
        if isinstance(value, tree.If):
            return self._if(value)
        if isinstance(value, tree.Unary):
            return "unary", value.operator, self._of(value.operand)
        fields = value[1:] if hasattr(value, "_fields") else value
        return type(value).__name__, *map(self._of, fields)

    def _label(self, value: Any) -> Any:
        if not (self._is_declarative and isinstance(value, str)):
            return value
        match = _LABEL.fullmatch(value)
        return (match[1] or match[3]) if match else value

    def _unordered(self, items: list[Any]) -> Any:
        values = [self._of(each) for each in items]
        strings = sorted({each for each in values if each[0] == "str"})
        return strings, [each for each in values if each[0] != "str"]

    def _chain(self, chain: tree.Chain) -> Any:
        first, rest = self._of(chain.first), [(operator, self._of(right)) for _, operator, right in chain.rest]
        if self._is_declarative and first[0] == "str" and rest[0][0] == "+" and rest[0][1][0] == "str":
            first, rest = ("str", self._label(first[1] + rest[0][1][1])), rest[1:]
        return ("chain", first, rest) if rest else first

    def _arguments(self, arguments: list[tree.Argument]) -> Any:
        order = {"": 0, "=": 1, "*": 2, "**": 3}
        named = self._is_declarative
        in_order = sorted(arguments, key=lambda each: (order[each.kind], each.name if named else ""))
        return [(each.kind, each.name, self._of(each.value)) for each in in_order]

    def _body(self, body: list[Any]) -> Any:
        first = body[0]
        if isinstance(first, tree.ExpressionStatement) and isinstance(first.value, tree.Literal):
            words = str(first.value.value).split()
            return [("docstring", words), *map(self._of, body[1:])]
        return self._of(body)

    def _if(self, value: tree.If) -> Any:
        branches = [(self._of(condition), self._of(body)) for condition, body in value.branches]
        otherwise = value.otherwise
        if len(otherwise) == 1 and isinstance(otherwise[0], tree.If):
            _, more, otherwise_of = self._if(otherwise[0])
            return "if", branches + more, otherwise_of
        return "if", branches, self._of(otherwise)
