"""From the tree to Python's `ast`: text that is put together, as f-strings."""

from __future__ import annotations

import ast

from mlbuild.lang.compiler.inline import LOAD, LONG, Inline
from mlbuild.lang.compiler.kinds import Value
from mlbuild.lang.syntax import tree

FREE = 32
"""Text of so many characters costs nothing."""
_FEW = 2
"""So many texts are put together before their size is looked at."""


class Templates(Inline):
    """Lowers `%`, `format`, `str` and `+` of text."""

    def percent(self, template: str, operand: tree.Expression, offset: int) -> ast.expr:
        """`template % operand`."""
        found = _conversions(template)
        if found is None:
            return self._percent_slowly(template, operand, offset)
        pieces, conversions = found
        operands = operand.items if isinstance(operand, tree.TupleDisplay) else [operand]
        if not operands or len(operands) != len(conversions) or not all(map(self.facts.is_quiet, operands[1:])):
            return self._percent_slowly(template, operand, offset)
        lowered = [self.expression(each) for each in operands]
        values = [self.facts.value(each) for each in operands]
        if isinstance(operand, tree.TupleDisplay) or values[0].kind not in (None, "never", "tuple"):
            return self.joined(pieces, conversions, lowered, values, offset)
        taken = self.taken(lowered[0], offset)
        if values[0].kind == "tuple" or taken is None:
            return self._percent_slowly(template, operand, offset)
        # A tuple would be taken apart.
        kind = self.at(ast.Attribute(taken[0], "__class__", LOAD), offset)
        guard = self.compared(offset, kind, ast.IsNot(), self.named("+class tuple", offset))
        made = self.joined(pieces, conversions, [taken[1]], values, offset)
        return self.choice(offset, guard, made, self.call(offset, "+%", self.constant(template, offset), taken[1]))

    def _percent_slowly(self, template: str, operand: tree.Expression, offset: int) -> ast.expr:
        return self.call(offset, "+%", self.constant(template, offset), self.expression(operand))

    def format(self, node: tree.Call, template: str) -> ast.expr | None:
        """`"...{}...".format(...)`, if it has as many fields without name as there are arguments."""
        pieces = template.split("{}")
        operands = [argument.value for argument in node.arguments]
        if len(pieces) - 1 != len(operands) or any("{" in piece or "}" in piece for piece in pieces):
            return None
        if any(argument.kind for argument in node.arguments) or not all(map(self.facts.is_quiet, operands[1:])):
            return None
        if len(operands) >= LONG:
            return None
        values = [self.facts.value(each) for each in operands]
        return self.joined(
            pieces, ["s"] * len(values), [self.expression(each) for each in operands], values, node.offset
        )

    def text_of(self, node: tree.Expression, offset: int) -> ast.expr:
        """`str(value)`."""
        value, lowered = self.facts.value(node), self.expression(node)
        if value.kind == "str":
            return lowered
        if value.kind in ("small", "medium"):
            return self.at(ast.JoinedStr([self.at(ast.FormattedValue(lowered, ord("s"), None), offset)]), offset)
        return self.call(offset, "+text", lowered)

    def concatenated(
        self, helper: str, a: ast.expr, b: ast.expr, left: Value, right: Value, offset: int
    ) -> ast.expr | None:
        """`a + b` if it is surely, or most likely, of two texts."""
        if left.kind != "str" and right.kind != "str":
            return None
        if helper == "++=":
            return self._appended(a, b, left, right, offset)
        if left.kind == right.kind:
            return self.joined(["", "", ""], ["s", "s"], [a, b], [left, right], offset)
        if left.kind not in ("str", None) or right.kind not in ("str", None):
            return None
        known, unknown = (a, b) if left.kind == "str" else (b, a)
        if isinstance(known, ast.Constant) or (isinstance(known, ast.Name) and isinstance(unknown, ast.Name)):
            taken = self.taken(unknown, offset)
            if taken is None:
                return None
            guard = self.is_class(taken[0], "str", offset)
            a, b = (known, taken[1]) if left.kind == "str" else (taken[1], known)
        else:
            both = self.taken(a, offset), self.taken(b, offset)
            if both[0] is None or both[1] is None:
                return None
            classes: list[ast.expr] = [
                self.at(ast.Attribute(each[0], "__class__", LOAD), offset) for each in both if each
            ]
            last = self.named("+class str", offset)
            guard = self.at(ast.Compare(classes[0], [ast.Is(), ast.Is()], [classes[1], last]), offset)
            a, b = both[0][1], both[1][1]
        text = Value("str")
        made = self.joined(["", "", ""], ["s", "s"], [a, b], [text, text], offset)
        return self.choice(offset, guard, made, self.call(offset, helper, a, b))

    def _appended(self, a: ast.expr, b: ast.expr, left: Value, right: Value, offset: int) -> ast.expr | None:
        """`a += b`: of a long text the helper knows whether the old one is free again."""
        if left.kind != right.kind or not isinstance(a, ast.Name) or not isinstance(b, ast.Name | ast.Constant):
            return None
        short = self.compared(offset, self.call(offset, "+native len", a), ast.LtE(), self.constant(FREE, offset))
        made = self.joined(["", "", ""], ["s", "s"], [a, b], [left, right], offset)
        return self.choice(offset, short, made, self.call(offset, "++=", a, b))

    def joined(
        self, pieces: list[str], conversions: list[str], operands: list[ast.expr], values: list[Value], offset: int
    ) -> ast.expr:
        """The pieces with the operands between them, of a size that is looked at."""
        parts: list[ast.expr] = [self.constant(pieces[0], offset)]
        texts = 0
        for piece, conversion, operand, value in zip(pieces[1:], conversions, operands, values, strict=True):
            added = self._part(conversion, operand, value, offset, texts < _FEW)
            texts += sum(isinstance(each, ast.FormattedValue) and each.conversion < 0 for each in added)
            parts += added
            parts.append(self.constant(piece, offset))
        bounded = texts == 0
        made = self.at(ast.JoinedStr(_merged(parts)), offset)
        return made if bounded else self.sized(made, offset)

    def sized(self, text: ast.expr, offset: int) -> ast.expr:
        """The text, if it is not too long; a long one is charged."""
        if self.no_walrus:
            return self.call(offset, "+sized", text)
        name = self.temporary()
        bound = self.at(ast.NamedExpr(self.named(name, offset, ast.Store()), text), offset)
        length = self.call(offset, "+native len", bound)
        short = self.compared(offset, length, ast.LtE(), self.constant(FREE, offset))
        again = self.named(name, offset)
        return self.choice(offset, short, again, self.call(offset, "+sized", again))

    def _part(self, conversion: str, operand: ast.expr, value: Value, offset: int, few: bool) -> list[ast.expr]:
        """What the operand adds to an f-string. Long texts are paid for before they are put together, but for a `few`."""
        if conversion == "s" and isinstance(operand, ast.Constant) and isinstance(operand.value, str):
            return [operand]
        if conversion == "s" and value.kind == "str" and few:
            return self._spread(operand) or [self.at(ast.FormattedValue(operand, -1, None), offset)]
        if value.kind in ("small", "medium"):
            return [self.at(ast.FormattedValue(operand, ord("s"), None), offset)]
        helper = "+text" if conversion == "s" else "+decimal"
        converted: ast.expr = self.call(offset, helper, operand)
        if conversion == "s" and isinstance(operand, ast.Name) and few:
            converted = self.choice(offset, self.is_class(operand, "str", offset), operand, converted)
        return [self.at(ast.FormattedValue(converted, -1, None), offset)]

    def _spread(self, operand: ast.expr) -> list[ast.expr] | None:
        """The parts of a text that was put together just before: the whole will be looked at instead of it."""
        match operand:
            case ast.JoinedStr():
                return operand.values if len(operand.values) < LONG else None
            case ast.IfExp(
                test=ast.Compare(left=ast.Call(func=ast.Name(id="+native len"), args=[ast.NamedExpr() as bound]))
            ):
                whole = bound.value
                return whole.values if isinstance(whole, ast.JoinedStr) and _texts(whole) < _FEW else None
        return None


def _conversions(template: str) -> tuple[list[str], list[str]] | None:
    """The pieces between conversions by `%s` and `%d`, and the letters of these; nothing if there are others."""
    pieces, conversions, position = [""], list[str](), 0
    while (found := template.find("%", position)) >= 0:
        letter = template[found + 1 : found + 2]
        pieces[-1] += template[position:found]
        if letter == "%":
            pieces[-1] += "%"
        elif letter in ("s", "d") and len(conversions) < LONG:
            conversions.append(letter)
            pieces.append("")
        else:
            return None
        position = found + 2
    pieces[-1] += template[position:]
    return pieces, conversions


def _merged(parts: list[ast.expr]) -> list[ast.expr]:
    """Constants side by side made one; none that is empty."""
    merged: list[ast.expr] = []
    for part in parts:
        if isinstance(part, ast.Constant):
            if not part.value:
                continue
            last = merged[-1] if merged else None
            if isinstance(last, ast.Constant):
                merged[-1] = ast.copy_location(ast.Constant("".join((str(last.value), str(part.value)))), last)
                continue
        merged.append(part)
    return merged


def _texts(joined: ast.JoinedStr) -> int:
    return sum(isinstance(each, ast.FormattedValue) and each.conversion < 0 for each in joined.values)
