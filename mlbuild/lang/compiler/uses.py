"""How a function uses its names: which of its lists and dicts nobody else can get hold of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, get_args

from mlbuild.lang.compiler.resolve import targets
from mlbuild.lang.syntax import tree

_READERS = frozenset(
    (
        "len",
        "sorted",
        "enumerate",
        "zip",
        "any",
        "all",
        "str",
        "repr",
        "list",
        "tuple",
        "dict",
        "bool",
        "type",
        "reversed",
    )
)
_METHODS = frozenset(
    ("append", "clear", "extend", "insert", "remove", "pop", "popitem", "setdefault", "update", "index", "get", "items",
     "keys", "values")
)  # fmt: skip


_NODES: frozenset[type] = frozenset(get_args(tree.Node))


def nodes(parts: Any) -> Iterable[tree.Node]:
    """All nodes in the parts, however deep."""
    stack = [parts]
    while stack:
        part = stack.pop()
        kind = part.__class__
        if kind in _NODES:
            yield part
            stack.extend(part)
        elif kind is list or kind is tuple:
            stack.extend(part)


def calls(parts: Any) -> Iterable[tree.Call]:
    """All calls in the parts."""
    return (node for node in nodes(parts) if isinstance(node, tree.Call))


def bound_by(node: tree.Comprehension) -> set[str]:
    """The names that the comprehension's clauses bind."""
    return {
        name.name for each in node.clauses if isinstance(each, tree.ForClause) for name in targets(each.target)
    }  # fmt: skip


def inner_names(parts: Any) -> set[str]:
    """The names that comprehensions, lambdas and functions in the parts bind for themselves."""
    found: set[str] = set()
    for node in nodes(parts):
        if isinstance(node, tree.Comprehension):
            found |= bound_by(node)
        elif isinstance(node, tree.Def | tree.Lambda):
            found.update(parameter.name for parameter in node.parameters)
            found.update(each.name for each in nodes(node.body) if isinstance(each, tree.Name))
    return found


class Uses:
    """Walks a function's body once.

    `escaped` are the names whose value may become known elsewhere: passed on, put into another value, given another name,
    used in a function inside; `inner` are the names that comprehensions and functions inside bind; `looped` are the names
    that loops run over.
    """

    def __init__(self, body: list[tree.Statement] | tree.Expression, is_universal: Callable[[tree.Expression], bool]):
        self.escaped: set[str] = set()
        self.inner: set[str] = set()
        self.looped: set[str] = set()
        self._is_universal = is_universal
        if isinstance(body, list):
            self._statements(body)
        else:
            self._visit(body)

    def _statements(self, statements: list[tree.Statement]) -> None:
        for statement in statements:
            match statement:
                case tree.Assign():
                    self._target(statement.target)
                    self._visit(statement.value)
                case tree.For():
                    self._target(statement.target)
                    self._loop(statement.iterable)
                    self._statements(statement.body)
                case tree.While():
                    self._hold(statement.condition)
                    self._statements(statement.body)
                case tree.If():
                    for condition, body in statement.branches:
                        self._hold(condition)
                        self._statements(body)
                    self._statements(statement.otherwise)
                case tree.Return():
                    if statement.value is not None:
                        self._hold(statement.value)
                case tree.Def():
                    self._inside(statement)
                    self._visit([parameter.default for parameter in statement.parameters])
                case tree.ExpressionStatement():
                    self._hold(statement.value)

    def _target(self, target: tree.Expression) -> None:
        match target:
            case tree.TupleDisplay() | tree.ListDisplay():
                for item in target.items:
                    self._target(item)
            case tree.Index():
                self._hold(target.value)
                self._visit(target.key)
            case tree.Dot():
                self._visit(target.value)

    def _inside(self, node: tree.Def | tree.Lambda) -> None:
        self.inner.update(parameter.name for parameter in node.parameters)
        for each in nodes(node.body):
            if isinstance(each, tree.Name):
                # Names that it binds are among those that it uses, or nobody asks for them.
                self.escaped.add(each.name)
                self.inner.add(each.name)
            elif isinstance(each, tree.Def):
                self.inner.add(each.name)

    def _loop(self, iterable: tree.Expression) -> None:
        if isinstance(iterable, tree.Name):
            self.looped.add(iterable.name)
        self._hold(iterable)

    def _hold(self, node: tree.Expression) -> None:
        """The value is looked at and let go."""
        if not isinstance(node, tree.Name):
            self._visit(node)

    def _visit(self, part: Any) -> None:
        match part:
            case tree.Name():
                self.escaped.add(part.name)
            case tree.Index():
                self._hold(part.value)
                self._visit(part.key)
            case tree.Slice():
                self._hold(part.value)
                self._visit([part.start, part.stop, part.step])
            case tree.Compare():
                self._visit(part.left)
                if part.operator in ("in", "not in"):
                    self._hold(part.right)
                else:
                    self._visit(part.right)
            case tree.Unary():
                self._hold(part.operand)
            case tree.Conditional():
                self._hold(part.condition)
                self._visit([part.then, part.otherwise])
            case tree.Call():
                self._call(part)
            case tree.Comprehension():
                self._comprehension(part)
            case tree.Lambda():
                self._inside(part)
                self._visit([parameter.default for parameter in part.parameters])
            case list() | tuple():
                for each in part:
                    self._visit(each)

    def _call(self, node: tree.Call) -> None:
        function = node.function
        if isinstance(function, tree.Dot) and function.name in _METHODS:
            self._hold(function.value)
        elif isinstance(function, tree.Dot) and function.name == "join" and isinstance(function.value, tree.Literal):
            for argument in node.arguments:
                self._hold(argument.value)
            return
        elif self._is_universal(function) and isinstance(function, tree.Name) and function.name in _READERS:
            for argument in node.arguments:
                if argument.kind == "":
                    self._hold(argument.value)
                else:
                    self._visit(argument.value)
            return
        else:
            self._visit(function)
        self._visit([argument.value for argument in node.arguments])

    def _comprehension(self, node: tree.Comprehension) -> None:
        bound = bound_by(node)
        self.inner |= bound
        self.escaped |= bound
        for clause in node.clauses:
            if isinstance(clause, tree.ForClause):
                self._target(clause.target)
                self._loop(clause.iterable)
            else:
                self._hold(clause.condition)
        self._visit([node.key, node.body])
