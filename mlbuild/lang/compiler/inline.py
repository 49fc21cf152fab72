"""From the tree to Python's `ast`: nodes with places, and arithmetic done inline where kinds are known or a look at a class tells."""

from __future__ import annotations

import ast
from bisect import bisect_right
from typing import Any, TypeVar

from mlbuild.lang.compiler.facts import Facts
from mlbuild.lang.compiler.kinds import INTS, SMALL, Value
from mlbuild.lang.syntax import tree

N = TypeVar("N", bound=ast.AST)

LOAD = ast.Load()
LONG = 60
"""What is longer is not nested."""

_ARITHMETIC: dict[str, type[ast.operator]] = {
    "+": ast.Add, "-": ast.Sub, "*": ast.Mult, "%": ast.Mod, "//": ast.FloorDiv,
    "&": ast.BitAnd, "|": ast.BitOr, "^": ast.BitXor,
}  # fmt: skip
_BOUNDED = frozenset(("small", "medium")), frozenset(("small",))
"""Of sums and of products, the kinds of integers that need no look at their size."""
_TESTED = frozenset(("+", "-", "*", "%", "//"))


class Inline:
    """Makes nodes with places; `no_walrus` says whether temporaries cannot be bound where the lowering is."""

    def __init__(self, text: str, facts: Facts) -> None:
        self.facts = facts
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

    def method(self, offset: int, receiver: ast.expr, name: str, *args: ast.expr) -> ast.Call:
        """A call of CPython's own method: the receiver's class is known."""
        return self.at(ast.Call(self.at(ast.Attribute(receiver, name, LOAD), offset), list(args), []), offset)

    def compared(self, offset: int, a: ast.expr, operator: ast.cmpop, b: ast.expr) -> ast.Compare:
        return self.at(ast.Compare(a, [operator], [b]), offset)

    def choice(self, offset: int, test: ast.expr, then: ast.expr, otherwise: ast.expr) -> ast.IfExp:
        return self.at(ast.IfExp(test, then, otherwise), offset)

    def temporary(self) -> str:
        self.temporaries += 1
        return f"+t{self.temporaries}"

    def taken(self, value: ast.expr, offset: int) -> tuple[ast.expr, ast.expr] | None:
        """The value where it is first wanted, and as it can be named afterwards."""
        if isinstance(value, ast.Constant | ast.Name):
            return value, value
        if self.no_walrus:
            return None
        name = self.temporary()
        bound = self.at(ast.NamedExpr(self.named(name, offset, ast.Store()), value), offset)
        return bound, self.named(name, offset)

    def is_class(self, value: ast.expr, kind: str, offset: int) -> ast.expr:
        """Whether the value is of the native type."""
        found = self.at(ast.Attribute(value, "__class__", LOAD), offset)
        return self.compared(offset, found, ast.Is(), self.named("+class " + kind, offset))

    # Arithmetic
    def arithmetic(
        self, operator: str, helper: str, a: ast.expr, b: ast.expr, left: Value, right: Value, offset: int
    ) -> ast.expr:
        """The operation inline where both are numbers for which Python's means the same, else by the helper."""
        python = _ARITHMETIC.get(operator)
        number = b.value if isinstance(b, ast.Constant) and type(b.value) is int else None
        slow = self.call(offset, helper, a, b)
        if python is None or (operator in ("%", "//") and (number is None or number < 1)):
            return slow
        if left.kind == right.kind == "float" and operator in ("+", "-", "*"):
            return self.at(ast.BinOp(a, python(), b), offset)
        # Integers are bounded in size: products of small factors need no look at it, and with one small part a sum grows no
        # faster than by counting.
        large = [index for index, value in enumerate((left, right)) if value.kind not in _BOUNDED[operator == "*"]]
        if operator in ("+", "-"):
            large = large[1:]
        elif operator != "*":
            large = []
        if left.kind in INTS and right.kind in INTS and not large:
            return self.at(ast.BinOp(a, python(), b), offset)
        if operator not in _TESTED or not may_be_integer(left) or not may_be_integer(right):
            return slow
        tested = self.both_integers(a, b, left, right, offset)
        if tested is None:
            return slow
        guard, a, b = tested
        guards = [] if guard is None else [guard]
        for index in large:
            low, high = self.constant(-SMALL, offset), self.constant(SMALL, offset)
            guards.append(self.at(ast.Compare(low, [ast.Lt(), ast.Lt()], [(a, b)[index], high]), offset))
        fast = self.at(ast.BinOp(a, python(), b), offset)
        if not guards:
            return fast
        guard = guards[0] if len(guards) == 1 else self.at(ast.BoolOp(ast.And(), guards), offset)
        return self.choice(offset, guard, fast, self.call(offset, helper, a, b))

    def both_integers(
        self, a: ast.expr, b: ast.expr, left: Value, right: Value, offset: int
    ) -> tuple[ast.expr | None, ast.expr, ast.expr] | None:
        """A test that both are integers, which evaluates them in order, and the two as they can be named after it."""
        classes: list[ast.expr] = []
        again: list[ast.expr] = []
        for each, value in ((a, left), (b, right)):
            simple = isinstance(each, ast.Constant | ast.Name)
            if simple and value.kind in INTS:
                again.append(each)
                continue
            taken = self.taken(each, offset)
            if taken is None:
                return None
            classes.append(self.at(ast.Attribute(taken[0], "__class__", LOAD), offset))
            again.append(taken[1])
        if not classes:
            return None, again[0], again[1]
        last = self.named("+class int", offset)
        guard = self.at(ast.Compare(classes[0], [ast.Is() for _ in classes], [*classes[1:], last]), offset)
        return guard, again[0], again[1]


def may_be_integer(value: Value) -> bool:
    """Whether the value may turn out to be one."""
    return value.kind is None or value.kind == "never" or value.kind in INTS
