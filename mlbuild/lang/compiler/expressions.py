"""From the tree to Python's `ast`: expressions."""

from __future__ import annotations

import ast
from typing import Any

from mlbuild.lang.compiler import kinds, weights
from mlbuild.lang.compiler.facts import CONSTANTS, Facts
from mlbuild.lang.compiler.inline import LOAD, LONG, may_be_integer
from mlbuild.lang.compiler.invocations import Invocations, safe
from mlbuild.lang.compiler.kinds import INTS, Value
from mlbuild.lang.compiler.resolve import Resolution
from mlbuild.lang.dialect import Dialect
from mlbuild.lang.runtime.thread import CALL
from mlbuild.lang.syntax import tree

_COMPARISON: dict[str, type[ast.cmpop]] = {
    "==": ast.Eq, "!=": ast.NotEq, "<": ast.Lt, "<=": ast.LtE, ">": ast.Gt, ">=": ast.GtE,
}  # fmt: skip
_ORDER = frozenset(("<", "<=", ">", ">="))
_UNARY = {"-": "+negative", "+": "+positive", "~": "+invert"}
_INDEXED = frozenset(("list", "tuple", "range", "str"))


class Expressions(Invocations):
    """Lowers expressions of one file."""

    def __init__(self, file: tree.File, resolution: Resolution, names: frozenset[str], dialect: Dialect) -> None:
        super().__init__(file.text, Facts(file, resolution, names))
        self.file = file
        self.resolution = resolution
        self.names = names
        self.recursion = dialect.recursion
        self._subset_operators = dialect.subset_operators

    # Names
    def global_name(self, name: str) -> str:
        """The Python global that holds the Starlark global: never one of the names the file is given."""
        return "·" + name if name in self.names or name.startswith("__") else name

    def python_name(self, name: str) -> str:
        if self.facts.is_local(name):
            return safe(name)
        if name in self.resolution.globals:
            return self.global_name(name)
        return name

    def stored(self, name: str, offset: int) -> ast.Name:
        return self.named(self.python_name(name), offset, ast.Store())

    # Expressions
    def condition(self, node: tree.Expression) -> ast.expr:
        """The expression where only its truth counts."""
        if isinstance(node, tree.Logical):
            operator: ast.boolop = ast.And() if node.operator == "and" else ast.Or()
            return self.at(ast.BoolOp(operator, [self.condition(each) for each in node.operands]), node.offset)
        lowered = self.expression(node)
        if self.facts.kind(node) is not None:
            return lowered
        taken = self.taken(lowered, node.offset) if self.facts.scopes else None
        if taken is None:
            return self.call(node.offset, "+truth", lowered)
        is_bool = self.is_class(taken[0], "bool", node.offset)
        return self.choice(node.offset, is_bool, taken[1], self.call(node.offset, "+truth", taken[1]))

    def expression(self, node: tree.Expression) -> ast.expr:
        offset = node.offset
        match node:
            case tree.Name():
                if node.name in CONSTANTS:
                    return self.constant(CONSTANTS[node.name], offset)
                return self.named(self.python_name(node.name), offset)
            case tree.Literal():
                return self.constant(node.value, offset)
            case tree.Call():
                return self.invocation(node)
            case tree.Dot():
                return self.call(offset, "+attribute", self.expression(node.value), self.constant(node.name, offset))
            case tree.ListDisplay():
                return self.at(ast.List([self.expression(item) for item in node.items], LOAD), offset)
            case tree.TupleDisplay():
                return self.at(ast.Tuple([self.expression(item) for item in node.items], LOAD), offset)
            case tree.DictDisplay():
                return self._dict(node)
            case tree.Chain():
                return self._chain(node)
            case tree.Compare():
                return self._compare(node)
            case tree.Logical():
                return self._logical(node)
            case tree.Unary():
                if node.operator == "not":
                    return self.at(ast.UnaryOp(ast.Not(), self.condition(node.operand)), offset)
                return self.call(offset, _UNARY[node.operator], self.expression(node.operand))
            case tree.Conditional():
                test = self.condition(node.condition)
                return self.at(ast.IfExp(test, self.expression(node.then), self.expression(node.otherwise)), offset)
            case tree.Index():
                if self.is_plain_index(node):
                    return self.subscript(node)
                return self.call(offset, "+index", self.expression(node.value), self.expression(node.key))
            case tree.Slice():
                bounds = [
                    self.constant(None, offset) if bound is None else self.expression(bound)
                    for bound in (node.start, node.stop, node.step)
                ]
                return self.call(offset, "+slice", self.expression(node.value), *bounds)
            case tree.Comprehension():
                return self._comprehension(node)
            case tree.Lambda():
                return self._lambda(node)

    def _dict(self, node: tree.DictDisplay) -> ast.expr:
        keys = [key.value for key, _ in node.entries if isinstance(key, tree.Literal)]
        if len(set(keys)) == len(node.entries) and all(isinstance(key, str) for key in keys):
            lowered: list[ast.expr | None] = [self.expression(key) for key, _ in node.entries]
            return self.at(ast.Dict(lowered, [self.expression(value) for _, value in node.entries]), node.offset)
        pairs: list[ast.expr] = [
            self.at(ast.Tuple([self._key(key), self.expression(value)], LOAD), key.offset)
            for key, value in node.entries
        ]
        return self.call(node.offset, "+make_dict", self.at(ast.List(pairs, LOAD), node.offset))

    def _key(self, node: tree.Expression) -> ast.expr:
        """A key of a display; what is no key is told where it stands, which may be lines below the display's bracket."""
        lowered = self.expression(node)
        if isinstance(node, tree.Literal | tree.Name):
            return lowered
        return self.call(node.offset, "+hashed", lowered)

    def _chain(self, node: tree.Chain) -> ast.expr:
        if len(node.rest) > LONG:
            steps: list[ast.expr] = [
                self.at(ast.Tuple([self.named("+" + operator, offset), self.expression(operand)], LOAD), offset)
                for offset, operator, operand in node.rest
            ]
            return self.call(node.offset, "+fold", self.expression(node.first), *steps)
        (offset, operator, operand), *more = node.rest
        result = self.binary(operator, node.first, operand, offset)
        value = self.facts.binary(operator, self.facts.value(node.first), operand)
        for offset, operator, operand in more:
            right = self.facts.value(operand)
            result = self._operation(operator, "+" + operator, result, self.expression(operand), value, right, offset)
            value = self.facts.binary(operator, value, operand)
        return result

    def binary(
        self, operator: str, left: tree.Expression, right: tree.Expression, offset: int, helper: str | None = None
    ) -> ast.expr:
        """`left operator right`; inline where the kinds are known or a look at the class can tell."""
        if operator == "%" and isinstance(left, tree.Literal) and isinstance(left.value, str):
            return self.percent(left.value, right, offset)
        a, b = self.expression(left), self.expression(right)
        known = self.facts.value(left), self.facts.value(right)
        return self._operation(operator, helper or "+" + operator, a, b, *known, offset)

    def _operation(
        self, operator: str, helper: str, a: ast.expr, b: ast.expr, left: Value, right: Value, offset: int
    ) -> ast.expr:
        if operator == "+":
            made = self.concatenated(helper, a, b, left, right, offset)
            if made is not None:
                return made
        return self.arithmetic(operator, helper, a, b, left, right, offset)

    # Subscripts: what CPython says of a key that is not there is translated, from the names at the place
    def is_plain_index(self, node: tree.Index) -> bool:
        """Whether `holder[key]`, written without blanks, can be left to Python."""
        holder, key = node.value, node.key
        if not isinstance(holder, tree.Name) or not isinstance(key, tree.Name | tree.Literal):
            return False
        if holder.offset + len(holder.name) != node.offset or key.offset != node.offset + 1:
            return False
        kind = self.facts.kind(holder)
        if kind == "dict":
            return self.has_plain_key(holder, key)
        return kind in _INDEXED and self.facts.kind(key) == "int"

    def subscript(self, node: tree.Index, context: ast.expr_context = LOAD) -> ast.Subscript:
        """`holder[key]` in Python."""
        return self.at(ast.Subscript(self.expression(node.value), self.expression(node.key), context), node.offset)

    def _compare(self, node: tree.Compare) -> ast.expr:
        operator, offset = node.operator, node.offset
        a, b = self.expression(node.left), self.expression(node.right)
        if operator in ("in", "not in"):
            return self._membership(node, a, b, self.call(offset, "+" + operator, a, b))
        function = "+set " + operator if self._subset_operators and operator in _ORDER else "+" + operator
        slow = self.call(offset, function, a, b)
        python = _COMPARISON[operator]
        fast = self.compared(offset, a, python(), b)
        left, right = self.facts.value(node.left), self.facts.value(node.right)
        if (left.kind in INTS and right.kind in INTS) or left.kind == right.kind == "str":
            return fast
        if operator in ("==", "!="):
            if "str" in (left.kind, right.kind):
                return self._equal_to_text(node, a, b, python(), slow)
            constants = [
                each for each in (node.left, node.right) if isinstance(each, tree.Name) and each.name in CONSTANTS
            ]
            # Nothing that CPython would fold to a literal: it warns of `is` with one.
            if constants and all(
                isinstance(each, tree.Name | tree.Call | tree.Dot) for each in (node.left, node.right)
            ):
                identity = ast.Is() if operator == "==" else ast.IsNot()
                return self.compared(offset, a, identity, b)
        if not may_be_integer(left) or not may_be_integer(right):
            return slow
        tested = self.both_integers(a, b, left, right, offset)
        if tested is None:
            return slow
        guard, a, b = tested
        if guard is None:
            return slow
        return self.choice(offset, guard, self.compared(offset, a, python(), b), self.call(offset, function, a, b))

    def _membership(self, node: tree.Compare, a: ast.expr, b: ast.expr, slow: ast.expr) -> ast.expr:
        """`in` and `not in`."""
        offset = node.offset
        sign: ast.cmpop = ast.In() if node.operator == "in" else ast.NotIn()
        holder, kind = self.facts.kind(node.right), self.facts.kind(node.left)
        if holder == "dict" and self.has_plain_key(node.right, node.left):
            return self.compared(offset, a, sign, b)
        if isinstance(node.right, tree.ListDisplay | tree.TupleDisplay) and node.right.items:
            words = [each.value for each in node.right.items if isinstance(each, tree.Literal)]
            if len(words) == len(node.right.items) and all(isinstance(word, str) for word in words):
                fast = self.compared(offset, a, sign, self.constant(tuple(words), offset))
                if kind == "str":
                    return fast
                if isinstance(a, ast.Name):
                    return self.choice(offset, self.is_class(a, "str", offset), fast, slow)
        return slow

    def _equal_to_text(self, node: tree.Compare, a: ast.expr, b: ast.expr, sign: ast.cmpop, slow: ast.expr) -> ast.expr:
        """One side is text: what the other is decides."""
        offset = node.offset
        other = b if self.facts.kind(node.left) == "str" else a
        if not isinstance(other, ast.Name):
            known = a if other is b else b
            taken = self.taken(other, offset) if isinstance(known, ast.Name | ast.Constant) else None
            if taken is None:
                return slow
            guard = self.is_class(taken[0], "str", offset)
            a, b = (known, taken[1]) if other is b else (taken[1], known)
            slow = self.call(offset, "+" + node.operator, a, b)
        elif isinstance(a, ast.Name | ast.Constant) and isinstance(b, ast.Name | ast.Constant):
            guard = self.is_class(other, "str", offset)
        else:
            return slow
        return self.choice(offset, guard, self.compared(offset, a, sign, b), slow)

    def _logical(self, node: tree.Logical) -> ast.expr:
        """Python's `and` and `or` ask a host's value for its Python truth: only where it is none, or for want of a better way."""
        offset = node.offset
        if all(self.facts.kind(operand) is not None for operand in node.operands[:-1]) or self.no_walrus:
            operator: ast.boolop = ast.And() if node.operator == "and" else ast.Or()
            return self.at(ast.BoolOp(operator, [self.expression(each) for each in node.operands]), offset)
        first, *more = node.operands
        if (
            all(isinstance(each, tree.Literal | tree.Name) for each in more)
            and len(more) < LONG
            and not self._unbound(more)
        ):
            result = self.expression(first)
            for each in more:
                result = self.call(offset, "+" + node.operator, result, self.expression(each))
            return result
        name = self.temporary()
        tests: list[ast.expr] = []
        for each in node.operands:
            value = self.at(ast.NamedExpr(self.named(name, offset, ast.Store()), self.expression(each)), offset)
            tests.append(self.call(offset, "+truth", value))
        operator = ast.And() if node.operator == "and" else ast.Or()
        test = self.at(ast.BoolOp(operator, tests), offset)
        done = self.at(ast.Tuple([test, self.named(name, offset)], LOAD), offset)
        return self.at(ast.Subscript(done, self.constant(1, offset), LOAD), offset)

    def _unbound(self, nodes: list[tree.Expression]) -> bool:
        """A name that may have no value yet must not be looked at unless it is needed."""
        return any(isinstance(node, tree.Name) and node.name not in CONSTANTS for node in nodes)

    # Functions and comprehensions
    def _lambda(self, node: tree.Lambda) -> ast.expr:
        arguments = self.parameters(node.parameters)
        with self.facts.inside(node):
            body = self.expression(node.body)
            guarded = self.facts.is_guarded(node.body)
        if guarded:
            key = self.constant(f"lambda\0{self.file.path}:{node.offset}", node.offset)
            steps = self.constant(CALL + weights.weight(node.body, self.facts.weights), node.offset)
            at = node.body.offset
            if self.recursion:
                body = self.call(at, "+leave_again", self.call(at, "+enter_again", key, steps), body)
            else:
                body = self.call(at, "+leave", self.call(at, "+enter", key, steps), key, body)
        return self.at(ast.Lambda(arguments, body), node.offset)

    def _comprehension(self, node: tree.Comprehension) -> ast.expr:
        parts: list[Any] = [node.body, *([node.key] if node.key else []), *node.clauses]
        clauses = [clause for clause in node.clauses if isinstance(clause, tree.ForClause)]
        steps = weights.element(node, self.facts.weights)
        self.no_walrus += 1
        first = self.iterated(clauses[0].iterable, parts, node, steps)
        pairs = self.is_pairs(clauses[0])
        self.no_walrus -= 1
        generators: list[ast.comprehension] = []
        with self.facts.over(node):
            for clause in node.clauses:
                if isinstance(clause, tree.IfClause):
                    generators[-1].ifs.append(self.condition(clause.condition))
                    continue
                if clause is not clauses[0]:
                    self.no_walrus += 1
                    first = self.iterated(clause.iterable, parts, None, steps)
                    pairs = self.is_pairs(clause)
                    self.no_walrus -= 1
                self._clause(clause.target, first, pairs, generators)
            body = self.expression(node.body)
            if node.key is None:
                return self.at(ast.ListComp(body, generators), node.offset)
            key = self.expression(node.key)
            if self.facts.kind(node.key) not in ("str", "int", "bool"):
                key = self.call(node.key.offset, "+hashed", key)
            return self.at(ast.DictComp(key, body, generators), node.offset)

    def iterated(self, iterable: tree.Expression, body: Any, of: tree.Comprehension | None, steps: int) -> ast.expr:
        """What a comprehension iterates over: charged, and guarded if its parts might change it. `of` is the comprehension
        if its scope is not yet entered."""
        offset = iterable.offset
        if of is not None:
            with self.facts.over(of):
                effects = self.facts.has_effects(body, walked(iterable))
        else:
            effects = self.facts.has_effects(body, walked(iterable))
        view = None if effects else self.view(iterable, steps)
        if view is not None:
            return view
        helper = "+guarded" if effects and not self.facts.is_fresh(iterable) else "+loop"
        return self.call(offset, helper, self.expression(iterable), self.constant(steps, offset))

    def view(self, iterable: tree.Expression, steps: int) -> ast.expr | None:
        """`d.items()`, `d.keys()` or `d.values()` of a dict that nothing changes meanwhile, without making a list."""
        holder = walked(iterable)
        if holder is iterable or not isinstance(iterable, tree.Call) or not isinstance(iterable.function, tree.Dot):
            return None
        offset = iterable.offset
        return self.call(
            offset, "+each " + iterable.function.name, self.expression(holder), self.constant(steps, offset)
        )

    def is_pairs(self, clause: tree.ForClause | tree.For) -> bool:
        """Whether the loop's target takes apart what surely has as many parts."""
        if not isinstance(clause.target, tree.TupleDisplay | tree.ListDisplay):
            return False
        item = kinds.item_of(self.facts.value(clause.iterable))
        return item.kind == "tuple" and len(item.parts) == len(clause.target.items)

    def _clause(
        self, target: tree.Expression, iterable: ast.expr, pairs: bool, generators: list[ast.comprehension]
    ) -> None:
        """`for target in iterable`; what a tuple takes apart is checked first, but for `pairs`."""
        if isinstance(target, tree.Name):
            generators.append(
                ast.comprehension(self.named(safe(target.name), target.offset, ast.Store()), iterable, [], 0)
            )
            return
        if not isinstance(target, tree.TupleDisplay | tree.ListDisplay):
            raise AssertionError("the resolver refuses other targets")
        offset = target.offset
        parts: list[ast.expr] = []
        nested: list[tuple[tree.Expression, str]] = []
        for item in target.items:
            if isinstance(item, tree.Name):
                parts.append(self.named(safe(item.name), item.offset, ast.Store()))
            else:
                name = self.temporary()
                parts.append(self.named(name, offset, ast.Store()))
                nested.append((item, name))
        into = self.at(ast.Tuple(parts, ast.Store()), offset)
        if pairs:
            generators.append(ast.comprehension(into, iterable, [], 0))
        else:
            whole = self.temporary()
            generators.append(ast.comprehension(self.named(whole, offset, ast.Store()), iterable, [], 0))
            unpacked = self.call(offset, "+unpack", self.named(whole, offset), self.constant(len(parts), offset))
            generators.append(ast.comprehension(into, self.at(ast.List([unpacked], LOAD), offset), [], 0))
        for item, name in nested:
            self._clause(item, self.at(ast.List([self.named(name, offset)], LOAD), offset), False, generators)


def walked(iterable: tree.Expression) -> tree.Expression:
    """What a loop over the expression walks over: of `d.items()`, `d.keys()` and `d.values()` the dict."""
    match iterable:
        case tree.Call(function=tree.Dot(name="items" | "keys" | "values", value=holder), arguments=[]):
            return holder
    return iterable
