"""From the tree to Python's `ast`: expressions."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

from mlbuild.lang import tree
from mlbuild.lang.inline import LOAD, LONG, Inline
from mlbuild.lang.library import FUNCTIONS
from mlbuild.lang.resolve import Resolution, bindings, targets
from mlbuild.lang.runtime import NATIVE_METHODS, SHORT_METHODS

_CONSTANTS = {"None": None, "True": True, "False": False}
_COMPARISON: dict[str, type[ast.cmpop]] = {
    "==": ast.Eq, "!=": ast.NotEq, "<": ast.Lt, "<=": ast.LtE, ">": ast.Gt, ">=": ast.GtE,
}  # fmt: skip
_UNARY = {"-": "+negative", "+": "+positive", "~": "+invert"}
_RESULTS = {
    "len": "int", "hash": "int", "str": "str", "repr": "str", "type": "str", "range": "range", "list": "list",
    "sorted": "list", "enumerate": "list", "zip": "list", "reversed": "list", "dict": "dict", "tuple": "tuple",
    "bool": "bool", "any": "bool", "all": "bool", "hasattr": "bool", "set": "set", "dir": "list",
}  # fmt: skip
_FRESH = frozenset(("range", "list", "tuple", "dict", "set"))
_CALLS_BACK = frozenset(("sorted", "max", "min", "getattr"))
_FEW_CALLS = 64


class Expressions(Inline):
    """Lowers expressions of one file; `scopes` are the local names of the functions around, innermost last."""

    def __init__(self, file: tree.File, resolution: Resolution, names: frozenset[str], recursion: bool = False) -> None:
        super().__init__(file.text)
        self.file = file
        self.resolution = resolution
        self.names = names
        self.recursion = recursion
        self.scopes: list[frozenset[str] | set[str]] = []
        self.functions: frozenset[str] = frozenset()
        self._costs: dict[str, int] = {}

    def note_functions(self, statements: list[tree.Statement]) -> None:
        """Globals that are bound once, by `def`, can be called without asking what they are."""
        counts: dict[str, int] = {}
        for name, _ in bindings(statements):
            counts[name] = counts.get(name, 0) + 1
        self.functions = frozenset(s.name for s in statements if isinstance(s, tree.Def) and counts[s.name] == 1)
        # Only what is defined before can be known here, so that functions which call each other in a circle never are.
        for statement in statements:
            if isinstance(statement, tree.Def) and statement.name in self.functions:
                body = statement.body
                self.scopes.append(self.resolution.locals[id(statement)])
                leaf = not any(self._may_call_back(call) for call in _calls(body))
                cost = 1 if leaf else self._calls_made(body)
                self.scopes.pop()
                if cost <= _FEW_CALLS:
                    self._costs[statement.name] = cost

    # Names
    def is_local(self, name: str) -> bool:
        return any(name in scope for scope in self.scopes)

    def global_name(self, name: str) -> str:
        """The Python global that holds the Starlark global: never one of the names the file is given."""
        return "·" + name if name in self.names or name.startswith("__") else name

    def python_name(self, name: str) -> str:
        if self.is_local(name):
            return _safe(name)
        if name in self.resolution.globals:
            return self.global_name(name)
        return name

    def stored(self, name: str, offset: int) -> ast.Name:
        return self.named(self.python_name(name), offset, ast.Store())

    def is_universal(self, node: tree.Expression) -> bool:
        """Whether the expression names a function of the universe, and nothing hides it."""
        if not isinstance(node, tree.Name) or node.name not in FUNCTIONS or "+" + node.name in self.names:
            return False
        return not self.is_local(node.name) and node.name not in self.resolution.globals

    # Kinds
    def kind(self, node: tree.Expression) -> str | None:
        """The native type of the value, where it can be told."""
        match node:
            case tree.Literal():
                return type(node.value).__name__
            case tree.ListDisplay():
                return "list"
            case tree.TupleDisplay():
                return "tuple"
            case tree.DictDisplay():
                return "dict"
            case tree.Comprehension():
                return "list" if node.key is None else "dict"
            case tree.Compare():
                return "bool"
            case tree.Unary():
                return "bool" if node.operator == "not" else None
            case tree.Call():
                if isinstance(node.function, tree.Name) and self.is_universal(node.function):
                    return _RESULTS.get(node.function.name)
            case tree.Name():
                return "bool" if node.name in ("True", "False") else None
        return None

    def is_fresh(self, node: tree.Expression) -> bool:
        """Whether nothing else can hold the value, or it cannot change: a loop over it needs no guard."""
        if isinstance(node, tree.ListDisplay | tree.TupleDisplay | tree.DictDisplay | tree.Comprehension):
            return True
        if not isinstance(node, tree.Call):
            return False
        if isinstance(node.function, tree.Name):
            return self.is_universal(node.function) and (
                node.function.name in _FRESH or _RESULTS.get(node.function.name) == "list"
            )
        return isinstance(node.function, tree.Dot) and node.function.name in (
            "items",
            "keys",
            "values",
            "split",
            "elems",
        )

    def is_number(self, node: tree.Expression) -> bool:
        return isinstance(node, tree.Literal) and isinstance(node.value, int)

    def is_guarded(self, body: Any) -> bool:
        """Whether the function calls what might call it back, or so much that its calls must be counted."""
        return any(self._may_call_back(call) for call in _calls(body)) and self._calls_made(body) > _FEW_CALLS

    def _calls_made(self, body: Any) -> int:
        """How many calls of this file's functions one call makes at most, as far as the file itself tells."""
        made = 1
        loops: tuple[type[tree.Node], ...] = (tree.For, tree.While, tree.Comprehension, tree.Lambda, tree.Def)
        for node in _nodes(body):
            if isinstance(node, loops):
                return _FEW_CALLS + 1
            if isinstance(node, tree.Call) and self._may_call_back(node):
                function = node.function
                if not isinstance(function, tree.Name) or function.name not in self.functions:
                    return _FEW_CALLS + 1
                if self.is_local(function.name):
                    return _FEW_CALLS + 1
                made += self._costs.get(function.name, _FEW_CALLS + 1)
        return made

    def _may_call_back(self, call: tree.Call) -> bool:
        function = call.function
        if isinstance(function, tree.Dot):
            return function.name not in NATIVE_METHODS
        return not (
            self.is_universal(function) and isinstance(function, tree.Name) and function.name not in _CALLS_BACK
        )

    # Expressions
    def condition(self, node: tree.Expression) -> ast.expr:
        """The expression where only its truth counts."""
        if isinstance(node, tree.Logical):
            operator: ast.boolop = ast.And() if node.operator == "and" else ast.Or()
            return self.at(ast.BoolOp(operator, [self.condition(each) for each in node.operands]), node.offset)
        lowered = self.expression(node)
        return lowered if self.kind(node) is not None else self.call(node.offset, "+truth", lowered)

    def expression(self, node: tree.Expression) -> ast.expr:
        offset = node.offset
        match node:
            case tree.Name():
                if node.name in _CONSTANTS:
                    return self.constant(_CONSTANTS[node.name], offset)
                return self.named(self.python_name(node.name), offset)
            case tree.Literal():
                return self.constant(node.value, offset)
            case tree.Call():
                return self._call(node)
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
        if len(keys) == len(node.entries) and all(isinstance(key, str) for key in keys):
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
        for offset, operator, operand in more:
            result = self.integers(operator, "+" + operator, result, self.expression(operand), offset)
        return result

    def binary(
        self, operator: str, left: tree.Expression, right: tree.Expression, offset: int, helper: str | None = None
    ) -> ast.expr:
        """`left operator right`; inline for integers where a look at the class can tell."""
        if operator == "%" and isinstance(left, tree.Literal) and isinstance(left.value, str):
            return self.percent(left.value, right, offset)
        name = helper or "+" + operator
        return self.integers(operator, name, self.expression(left), self.expression(right), offset)

    def _compare(self, node: tree.Compare) -> ast.expr:
        operator, offset = node.operator, node.offset
        a, b = self.expression(node.left), self.expression(node.right)
        slow = self.call(offset, "+" + operator, a, b)
        python = _COMPARISON.get(operator)
        if python is None:
            return slow
        fast = self.at(ast.Compare(a, [python()], [b]), offset)
        kinds = {self.kind(node.left), self.kind(node.right)}
        if kinds in ({"int"}, {"str"}):
            return fast
        if operator in ("==", "!="):
            if "str" in kinds and not any(isinstance(each, tree.Call) for each in (node.left, node.right)):
                return self._equal_to_text(node, fast, slow)
            constants = [
                each for each in (node.left, node.right) if isinstance(each, tree.Name) and each.name in _CONSTANTS
            ]
            # Nothing that CPython would fold to a literal: it warns of `is` with one.
            if constants and all(
                isinstance(each, tree.Name | tree.Call | tree.Dot) for each in (node.left, node.right)
            ):
                identity = ast.Is() if operator == "==" else ast.IsNot()
                return self.at(ast.Compare(a, [identity], [b]), offset)
        if not (self.is_other(a) or self.is_other(b)) and (guarded := self.both_integers(a, b, offset)) is not None:
            guard, a, b = guarded
            fast = self.at(ast.Compare(a, [python()], [b]), offset)
            return self.at(ast.IfExp(guard, fast, self.call(offset, "+" + operator, a, b)), offset)
        return slow

    def _equal_to_text(self, node: tree.Compare, fast: ast.expr, slow: ast.expr) -> ast.expr:
        other = node.right if self.kind(node.left) == "str" else node.left
        if not isinstance(other, tree.Name):
            return slow
        kind = self.at(ast.Attribute(self.expression(other), "__class__", LOAD), node.offset)
        guard = self.at(ast.Compare(kind, [ast.Is()], [self.named("+class str", node.offset)]), node.offset)
        return self.at(ast.IfExp(guard, fast, slow), node.offset)

    def _logical(self, node: tree.Logical) -> ast.expr:
        """Python's `and` and `or` ask a host's value for its Python truth: only where it is none, or for want of a better way."""
        offset = node.offset
        if all(self.kind(operand) is not None for operand in node.operands[:-1]) or self.no_walrus:
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
        self.temporaries += 1
        name = f"+t{self.temporaries}"
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
        return any(isinstance(node, tree.Name) and node.name not in _CONSTANTS for node in nodes)

    # Calls
    def _call(self, node: tree.Call) -> ast.expr:
        function, offset = node.function, node.offset
        args: list[ast.expr] = []
        keywords: list[ast.keyword] = []
        for argument in node.arguments:
            value = self.expression(argument.value)
            if argument.kind == "":
                args.append(value)
            elif argument.kind == "*":
                spread = self._after(keywords, self.call(argument.offset, "+star", value), argument.offset)
                args.append(self.at(ast.Starred(spread, LOAD), argument.offset))
            elif argument.kind == "=":
                keywords.append(self.at(ast.keyword(_safe(argument.name), value), argument.offset))
            else:
                named = self.call(argument.offset, "+star_star", value)
                keywords.append(self.at(ast.keyword(None, named), argument.offset))
        if isinstance(function, tree.Dot):
            if function.name == "format" and isinstance(function.value, tree.Literal):
                template = function.value.value
                made = self.format(node, template) if isinstance(template, str) else None
                if made is not None:
                    return made
            receiver = self.expression(function.value)
            if function.name in NATIVE_METHODS:
                short = f".{function.name}/{len(args)}"
                plain = not keywords and short in SHORT_METHODS
                if plain and not any(isinstance(each, ast.Starred) for each in args):
                    called: ast.expr = self.named(short, offset)
                else:
                    called = self.named("." + function.name, offset)
                args.insert(0, receiver)
            else:
                found = self.call(function.offset, "+attribute", receiver, self.constant(function.name, offset))
                called = self.call(offset, "+callee", found)
        elif isinstance(function, tree.Name) and self.is_universal(function):
            called = self.named("+" + function.name, offset)
        elif isinstance(function, tree.Name) and function.name in self.functions and not self.is_local(function.name):
            called = self.expression(function)
        else:
            called = self.call(offset, "+callee", self.expression(function))
        return self.at(ast.Call(called, args, keywords), offset)

    def _after(self, keywords: list[ast.keyword], value: ast.expr, offset: int) -> ast.expr:
        """The value of `*args`, evaluated after the keywords that are written before it, which Python would do later."""
        if self.no_walrus or all(isinstance(keyword.value, ast.Constant | ast.Name) for keyword in keywords):
            return value
        parts: list[ast.expr] = []
        for keyword in keywords:
            self.temporaries += 1
            name = f"+t{self.temporaries}"
            parts.append(self.at(ast.NamedExpr(self.named(name, offset, ast.Store()), keyword.value), offset))
            keyword.value = self.named(name, offset)
        whole = self.at(ast.Tuple([*parts, value], LOAD), offset)
        return self.at(ast.Subscript(whole, self.constant(len(parts), offset), LOAD), offset)

    def parameters(self, parameters: Iterable[tree.Parameter]) -> ast.arguments:
        made = ast.arguments([], [], None, [], [], None, [])
        keyword_only = False
        for parameter in parameters:
            named = self.at(ast.arg(_safe(parameter.name)), parameter.offset)
            default = None if parameter.default is None else self.expression(parameter.default)
            if parameter.kind == "**":
                made.kwarg = named
            elif parameter.kind == "*":
                keyword_only = True
                made.vararg = named if parameter.name else None
            elif keyword_only:
                made.kwonlyargs.append(named)
                made.kw_defaults.append(default)
            else:
                made.args.append(named)
                if default is not None:
                    made.defaults.append(default)
        return made

    def _lambda(self, node: tree.Lambda) -> ast.expr:
        arguments = self.parameters(node.parameters)
        self.scopes.append(self.resolution.locals[id(node)])
        held, self.no_walrus = self.no_walrus, self.no_walrus
        body = self.expression(node.body)
        self.no_walrus = held
        guarded = self.is_guarded(node.body)
        self.scopes.pop()
        if guarded:
            key = self.constant(f"lambda\0{self.file.path}:{node.offset}", node.offset)
            at = node.body.offset
            if self.recursion:
                body = self.call(at, "+leave_again", self.call(at, "+enter_again", key), body)
            else:
                body = self.call(at, "+leave", self.call(at, "+enter", key), key, body)
        return self.at(ast.Lambda(arguments, body), node.offset)

    def _comprehension(self, node: tree.Comprehension) -> ast.expr:
        parts: list[Any] = [node.body, *([node.key] if node.key else []), *node.clauses]
        effects = has_effects(parts, self)
        generators: list[ast.comprehension] = []
        names: set[str] = set()
        for clause in node.clauses:
            if isinstance(clause, tree.IfClause):
                generators[-1].ifs.append(self.condition(clause.condition))
                continue
            self.no_walrus += 1
            iterable = self.expression(clause.iterable)
            self.no_walrus -= 1
            helper = "+guarded" if effects and not self.is_fresh(clause.iterable) else "+loop"
            iterable = self.call(clause.iterable.offset, helper, iterable)
            if not generators:
                names.update(
                    name.name
                    for each in node.clauses
                    if isinstance(each, tree.ForClause)
                    for name in targets(each.target)
                )
                self.scopes.append(names)
            self._clause(clause.target, iterable, generators)
        body = self.expression(node.body)
        if node.key is None:
            made: ast.expr = ast.ListComp(body, generators)
        else:
            made = ast.DictComp(self.call(node.key.offset, "+hashed", self.expression(node.key)), body, generators)
        self.scopes.pop()
        return self.at(made, node.offset)

    def _clause(self, target: tree.Expression, iterable: ast.expr, generators: list[ast.comprehension]) -> None:
        """`for target in iterable`; what a tuple takes apart is checked first."""
        if isinstance(target, tree.Name):
            generators.append(
                ast.comprehension(self.named(_safe(target.name), target.offset, ast.Store()), iterable, [], 0)
            )
            return
        if not isinstance(target, tree.TupleDisplay | tree.ListDisplay):
            raise AssertionError("the resolver refuses other targets")
        offset = target.offset
        self.temporaries += 1
        whole = f"+t{self.temporaries}"
        generators.append(ast.comprehension(self.named(whole, offset, ast.Store()), iterable, [], 0))
        parts = []
        nested: list[tuple[tree.Expression, str]] = []
        for item in target.items:
            if isinstance(item, tree.Name):
                parts.append(self.named(_safe(item.name), item.offset, ast.Store()))
            else:
                self.temporaries += 1
                parts.append(self.named(f"+t{self.temporaries}", offset, ast.Store()))
                nested.append((item, f"+t{self.temporaries}"))
        unpacked = self.call(offset, "+unpack", self.named(whole, offset), self.constant(len(parts), offset))
        into = self.at(ast.Tuple(list(parts), ast.Store()), offset)
        generators.append(ast.comprehension(into, self.at(ast.List([unpacked], LOAD), offset), [], 0))
        for item, name in nested:
            self._clause(item, self.at(ast.List([self.named(name, offset)], LOAD), offset), generators)


def has_effects(parts: Any, lowering: Expressions) -> bool:
    """Whether running the parts might change a list, dict or set."""
    for node in _nodes(parts):
        if isinstance(node, tree.Assign) and (node.operator != "=" or not isinstance(node.target, tree.Name)):
            return True
        if isinstance(node, tree.Call) and (isinstance(node.function, tree.Dot) or lowering._may_call_back(node)):
            return True
    return False


def _calls(parts: Any) -> Iterable[tree.Call]:
    return (node for node in _nodes(parts) if isinstance(node, tree.Call))


def _nodes(parts: Any) -> Iterable[tree.Node]:
    """All nodes in the parts, however deep."""
    stack = [parts]
    while stack:
        part = stack.pop()
        if isinstance(part, list | tuple):
            if isinstance(part, tree.Node):
                yield part
            stack.extend(part)


def _safe(name: str) -> str:
    """The only name that CPython's compiler refuses to bind."""
    return "·__debug__" if name == "__debug__" else name
