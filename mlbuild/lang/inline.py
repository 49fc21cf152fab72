"""From the tree to Python's `ast`: what is done inline, where a test of a class decides, and text from constant templates."""

from __future__ import annotations

import ast
from bisect import bisect_right
from typing import Any, TypeVar

from mlbuild.lang import tree

N = TypeVar("N", bound=ast.AST)

LOAD = ast.Load()
LONG = 60
"""What is longer is not nested."""

_ARITHMETIC: dict[str, type[ast.operator]] = {
    "+": ast.Add, "-": ast.Sub, "*": ast.Mult, "%": ast.Mod, "//": ast.FloorDiv,
}  # fmt: skip
_SMALL = 1 << 62


class Inline:
    """Makes nodes with places; `no_walrus` says whether temporaries cannot be bound where the lowering is."""

    def __init__(self, text: str) -> None:
        self.temporaries = 0
        self.no_walrus = 0
        self._lines = [0]
        position = text.find("\n")
        while position >= 0:
            self._lines.append(position + 1)
            position = text.find("\n", position + 1)

    def expression(self, node: tree.Expression) -> ast.expr:
        """The lowered expression."""
        raise NotImplementedError

    def kind(self, node: tree.Expression) -> str | None:
        """The native type of the value, where it can be told."""
        raise NotImplementedError

    # Nodes with places
    def at(self, node: N, offset: int) -> N:
        line = bisect_right(self._lines, offset)
        column = offset - self._lines[line - 1]
        place: Any = node
        place.lineno = place.end_lineno = line
        place.col_offset = column
        place.end_col_offset = column + 1
        return node

    def constant(self, value: Any, offset: int) -> ast.Constant:
        return self.at(ast.Constant(value), offset)

    def named(self, name: str, offset: int, context: ast.expr_context = LOAD) -> ast.Name:
        return self.at(ast.Name(name, context), offset)

    def call(self, offset: int, function: str, *args: ast.expr) -> ast.Call:
        return self.at(ast.Call(self.named(function, offset), list(args), []), offset)

    def integers(self, operator: str, helper: str, a: ast.expr, b: ast.expr, offset: int) -> ast.expr:
        """The operation inline where both are small enough integers, else by the helper."""
        python = _ARITHMETIC.get(operator)
        number = b.value if isinstance(b, ast.Constant) and type(b.value) is int else None
        if python is None or self.is_other(a) or self.is_other(b):
            return self.call(offset, helper, a, b)
        if operator in ("%", "//") and (number is None or number < 1):
            return self.call(offset, helper, a, b)
        guarded = self.both_integers(a, b, offset)
        if guarded is None:
            return self.call(offset, helper, a, b)
        guard, a, b = guarded
        if operator == "*":
            # Products are bounded in size: those of small factors need no look at it.
            small = [
                self.at(
                    ast.Compare(
                        self.constant(-_SMALL, offset), [ast.Lt(), ast.Lt()], [x, self.constant(_SMALL, offset)]
                    ),
                    offset,
                )
                for x in (a, b)
                if not isinstance(x, ast.Constant)
            ]
            if number is not None and not -_SMALL < number < _SMALL:
                return self.call(offset, helper, a, b)
            guard = self.at(ast.BoolOp(ast.And(), [guard, *small]), offset)
        elif operator in ("+", "-") and not isinstance(a, ast.Constant) and not isinstance(b, ast.Constant):
            # With one small operand a sum grows no faster than by counting; else the helper looks at its size.
            bounds = [self.constant(-_SMALL, offset), b, self.constant(_SMALL, offset)]
            small = [self.at(ast.Compare(bounds[0], [ast.Lt(), ast.Lt()], bounds[1:]), offset)]
            guard = self.at(ast.BoolOp(ast.And(), [guard, *small]), offset)
        fast = self.at(ast.BinOp(a, python(), b), offset)
        return self.at(ast.IfExp(guard, fast, self.call(offset, helper, a, b)), offset)

    def both_integers(self, a: ast.expr, b: ast.expr, offset: int) -> tuple[ast.expr, ast.expr, ast.expr] | None:
        """A test that both are integers, which evaluates them in order, and the two as they can be named after it."""
        classes: list[ast.expr] = []
        again: list[ast.expr] = []
        for each in (a, b):
            if isinstance(each, ast.Constant):
                again.append(each)
                continue
            value = each
            if not isinstance(each, ast.Name):
                if self.no_walrus:
                    return None
                self.temporaries += 1
                name = f"+t{self.temporaries}"
                value = self.at(ast.NamedExpr(self.named(name, offset, ast.Store()), each), offset)
                each = self.named(name, offset)
            classes.append(self.at(ast.Attribute(value, "__class__", LOAD), offset))
            again.append(each)
        if not classes:
            return None
        last = self.named("+class int", offset)
        guard = self.at(ast.Compare(classes[0], [ast.Is() for _ in classes], [*classes[1:], last]), offset)
        return guard, again[0], again[1]

    # Text from constant templates
    def percent(self, template: str, operand: tree.Expression, offset: int) -> ast.expr:
        parts = template.split("%")
        if any(part[:1] not in ("s", "d") for part in parts[1:]) or len(parts) > LONG:
            return self._percent_slowly(template, operand, offset)
        operands: list[tree.Expression] = [operand]
        if isinstance(operand, tree.TupleDisplay):
            operands = operand.items
        if not operands or len(operands) != len(parts) - 1 or not all(map(self._is_pure, operands[1:])):
            return self._percent_slowly(template, operand, offset)
        pieces = [parts[0], *(part[1:] for part in parts[1:])]
        may_be_tuple = not isinstance(operand, tree.TupleDisplay) and self.kind(operand) in (None, "tuple")
        if may_be_tuple and not isinstance(operand, tree.Name):
            return self._percent_slowly(template, operand, offset)
        made = self._joined(pieces, ["+text" if part[0] == "s" else "+decimal" for part in parts[1:]], operands, offset)
        if not may_be_tuple:
            return made
        # A tuple would be taken apart.
        kind = self.at(ast.Attribute(self.expression(operand), "__class__", LOAD), offset)
        guard = self.at(ast.Compare(kind, [ast.IsNot()], [self.named("+class tuple", offset)]), offset)
        return self.at(ast.IfExp(guard, made, self._percent_slowly(template, operand, offset)), offset)

    def _percent_slowly(self, template: str, operand: tree.Expression, offset: int) -> ast.expr:
        return self.call(offset, "+%", self.constant(template, offset), self.expression(operand))

    def format(self, node: tree.Call, template: str) -> ast.expr | None:
        """`"...{}...".format(...)`, if it has as many fields without name as there are arguments."""
        pieces = template.split("{}")
        values = [argument.value for argument in node.arguments]
        if len(pieces) - 1 != len(values) or any("{" in piece or "}" in piece for piece in pieces):
            return None
        if any(argument.kind for argument in node.arguments) or not all(map(self._is_pure, values[1:])):
            return None
        return self._joined(pieces, ["+text"] * len(values), values, node.offset) if len(values) < LONG else None

    def _joined(
        self, pieces: list[str], converters: list[str], operands: list[tree.Expression], offset: int
    ) -> ast.expr:
        values: list[ast.expr] = [self.constant(pieces[0], offset)]
        for piece, converter, operand in zip(pieces[1:], converters, operands, strict=True):
            converted = self.call(offset, converter, self.expression(operand))
            values.append(self.at(ast.FormattedValue(converted, -1, None), offset))
            values.append(self.constant(piece, offset))
        kept = [value for value in values if not isinstance(value, ast.Constant) or value.value]
        return self.call(offset, "+sized", self.at(ast.JoinedStr(kept), offset))

    def _is_pure(self, node: tree.Expression) -> bool:
        """Whether to evaluate the expression later changes nothing but which of two errors is told."""
        return isinstance(node, tree.Name | tree.Literal)

    def is_other(self, lowered: ast.expr) -> bool:
        """Whether the value is surely no integer."""
        if isinstance(lowered, ast.Constant):
            return lowered.value.__class__ is not int
        return isinstance(lowered, ast.List | ast.Tuple | ast.Dict | ast.ListComp | ast.DictComp | ast.Lambda)
