"""What can be told of a file before it runs: the kinds of its values, what its functions change, what may call back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from mlbuild.lang.compiler import kinds
from mlbuild.lang.compiler.kinds import INTS, LASTING, NEVER, UNKNOWN, Value
from mlbuild.lang.compiler.resolve import Resolution, bindings
from mlbuild.lang.compiler.uses import Uses, bound_by, calls, inner_names, nodes
from mlbuild.lang.compiler.weights import weight
from mlbuild.lang.runtime.library import FUNCTIONS
from mlbuild.lang.runtime.names import NATIVE_METHODS
from mlbuild.lang.syntax import tree

CONSTANTS = {"None": None, "True": True, "False": False}
_FRESH = frozenset(("range", "list", "tuple", "dict", "set", "sorted", "enumerate", "zip", "reversed", "dir"))
_FRESH_METHODS = frozenset(("items", "keys", "values", "split"))
_CALLS_BACK = frozenset(("sorted", "max", "min", "getattr"))
_FEW_CALLS = 64
_LIGHT = 60
"""Steps of a function that need not be charged when it is called."""


@dataclass(slots=True)
class Scope:
    """The names that a function or a comprehension binds, and what is known of them.

    `inner` are names that something inside binds again: of them nothing is said. `private` are those whose list or dict
    nobody else can get hold of, `looped` those that a loop runs over.
    """

    names: frozenset[str]
    values: dict[str, Value] = field(default_factory=dict)
    inner: frozenset[str] = frozenset()
    private: frozenset[str] = frozenset()
    looped: frozenset[str] = frozenset()
    is_function: bool = False


class Facts:
    """Answers for the place where the lowering is; `scopes` are the functions and comprehensions around it, innermost last."""

    def __init__(self, file: tree.File, resolution: Resolution, names: frozenset[str]) -> None:
        self.resolution = resolution
        self.names = names
        self.scopes: list[Scope] = []
        self.functions: frozenset[str] = frozenset()
        """Globals that are bound once, by `def`: they can be called without asking what they are."""
        self._globals: dict[str, Value] = {}
        self._returns: dict[str, Value] = {}
        self._harmless: set[str] = set()
        self._costs: dict[str, int] = {}
        self.weights: dict[str, int] = {}
        """Of the functions that charge nothing when they are called, the steps that whoever calls them pays."""
        self._known: dict[int, Scope] = {}
        self._statements = file.statements
        self._inner: set[str] | None = None
        self._note(file.statements)

    def _note(self, statements: list[tree.Statement]) -> None:
        counts: dict[str, int] = {}
        for name, _ in bindings(statements):
            counts[name] = counts.get(name, 0) + 1
        self.functions = frozenset(s.name for s in statements if isinstance(s, tree.Def) and counts[s.name] == 1)
        # Only what is defined before can be known here, so that functions which call each other in a circle never are.
        for statement in statements:
            if isinstance(statement, tree.Def) and statement.name in self.functions:
                body = statement.body
                with self.inside(statement):
                    leaf = not any(self.may_call_back(call) for call in calls(body))
                    cost = 1 if leaf else self._calls_made(body)
                    if not self.has_effects(body):
                        self._harmless.add(statement.name)
                    self._returns[statement.name] = self._returned(body)
                if cost <= _FEW_CALLS:
                    self._costs[statement.name] = cost
                    if (steps := weight(body, self.weights)) <= _LIGHT:
                        self.weights[statement.name] = steps
            elif (
                isinstance(statement, tree.Assign)
                and statement.operator == "="
                and isinstance(statement.target, tree.Name)
                and counts[statement.target.name] == 1
            ):
                value = self.value(statement.value)
                if value.kind in LASTING:
                    self._globals[statement.target.name] = value

    # Names
    def is_local(self, name: str) -> bool:
        return any(name in scope.names for scope in self.scopes)

    def is_universal(self, node: tree.Expression) -> bool:
        """Whether the expression names a function of the universe, and nothing hides it."""
        if not isinstance(node, tree.Name) or node.name not in FUNCTIONS or "+" + node.name in self.names:
            return False
        return node.name not in self.resolution.globals and not self._is_hidden(node.name)

    def _is_hidden(self, name: str) -> bool:
        """Whether something around or inside binds the name."""
        if not self.scopes:
            return self._is_bound_inside(name)
        return any(name in scope.names or name in scope.inner for scope in self.scopes)

    def _is_bound_inside(self, name: str) -> bool:
        """Whether a comprehension or a lambda of the top level binds the name."""
        if self._inner is None:
            self._inner = inner_names([each for each in self._statements if not isinstance(each, tree.Def)])
        return name in self._inner

    def is_known_function(self, node: tree.Expression) -> bool:
        """Whether the expression is surely a function of this file."""
        if not isinstance(node, tree.Name):
            return False
        return self.is_global_function(node) or self.value(node).kind == "function"

    def is_global_function(self, node: tree.Expression) -> bool:
        """Whether the expression is surely a function that the file defines at its top level."""
        return isinstance(node, tree.Name) and node.name in self.functions and not self._is_hidden(node.name)

    def _name(self, name: str) -> Value:
        captured = False
        for scope in reversed(self.scopes):
            if name in scope.inner:
                return UNKNOWN
            if name in scope.names:
                value = scope.values.get(name, UNKNOWN)
                return value if not captured or value.kind in LASTING else UNKNOWN
            captured = captured or scope.is_function
        value = self._globals.get(name, UNKNOWN)
        return UNKNOWN if value.kind and not self.scopes and self._is_bound_inside(name) else value

    def is_private(self, node: tree.Expression) -> bool:
        """Whether the expression names a list or dict that nobody else can get hold of."""
        return isinstance(node, tree.Name) and self._is_private(node.name)

    def _is_private(self, name: str) -> bool:
        for scope in reversed(self.scopes):
            if name in scope.inner:
                return False
            if name in scope.names:
                return name in scope.private and scope.values[name].kind in ("list", "dict")
            if scope.is_function:
                return False
        return False

    def is_looped(self, name: str) -> bool:
        """Whether a loop of the function runs over the private value."""
        return any(name in scope.looped for scope in self.scopes)

    # Kinds
    def kind(self, node: tree.Expression) -> str | None:
        """The native type of the value, where it can be told."""
        kind = self.value(node).kind
        return None if kind == "never" else "int" if kind in INTS else kind

    def value(self, node: tree.Expression) -> Value:
        """What is known of the expression's value."""
        match node:
            case tree.Literal():
                if type(node.value) is int:
                    return kinds.SMALL_INT if node.value < kinds.SMALL else kinds.INT
                return Value(type(node.value).__name__)
            case tree.Name():
                if node.name in CONSTANTS:
                    return kinds.NONE if node.name == "None" else kinds.BOOL
                return self._name(node.name)
            case tree.Chain():
                return self._chain(node)
            case tree.Compare():
                return kinds.BOOL
            case tree.Call():
                return self._call(node)
            case tree.ListDisplay():
                return Value("list", self._all(node.items))
            case tree.TupleDisplay():
                return Value("tuple", None, None, tuple(kinds.outside(self.value(item)) for item in node.items))
            case tree.DictDisplay():
                keys = self._all([key for key, _ in node.entries])
                return Value("dict", self._all([value for _, value in node.entries]), keys)
            case tree.Comprehension():
                with self.over(node):
                    item = kinds.as_item(self.value(node.body))
                    if node.key is None:
                        return Value("list", item)
                    return Value("dict", item, kinds.as_item(self.value(node.key)))
            case tree.Logical():
                return self._either(node.operands)
            case tree.Conditional():
                return self._either([node.then, node.otherwise])
            case tree.Unary():
                if node.operator == "not":
                    return kinds.BOOL
                value = self.value(node.operand)
                return (
                    value
                    if value.kind in ("int", "medium", "small", "float", "never") and node.operator != "~"
                    else UNKNOWN
                )
            case tree.Slice():
                value = self.value(node.value)
                return value if value.kind in ("str", "list", "never") else UNKNOWN
            case tree.Index():
                return self._index(node)
            case tree.Lambda():
                return kinds.FUNCTION
        return UNKNOWN

    def _all(self, items: Iterable[tree.Expression]) -> Value:
        found = NEVER
        for item in items:
            found = kinds.join(found, kinds.as_item(self.value(item)))
        return found

    def _either(self, operands: list[tree.Expression]) -> Value:
        found = NEVER
        for each in operands:
            found = kinds.join(found, self.value(each))
        return found

    def _chain(self, node: tree.Chain) -> Value:
        value = self.value(node.first)
        for _, operator, operand in node.rest:
            value = self.binary(operator, value, operand)
        return value

    def binary(self, operator: str, left: Value, operand: tree.Expression) -> Value:
        """What `left operator operand` gives."""
        divisor = operand.value if isinstance(operand, tree.Literal) else None
        return kinds.binary(operator, left, self.value(operand), divisor)

    def _index(self, node: tree.Index) -> Value:
        value = self.value(node.value)
        if value.kind in ("str", "never"):
            return value
        if value.kind in ("dict", "list", "range"):
            return value.item or UNKNOWN
        if value.kind == "tuple" and value.parts and isinstance(node.key, tree.Literal):
            at = node.key.value
            return value.parts[at] if type(at) is int and at < len(value.parts) else UNKNOWN
        return UNKNOWN

    def _call(self, node: tree.Call) -> Value:
        function = node.function
        plain = not any(argument.kind for argument in node.arguments)
        arguments = [self.value(argument.value) for argument in node.arguments]
        if isinstance(function, tree.Dot):
            return kinds.method(self.value(function.value), function.name, arguments) if plain else UNKNOWN
        if not isinstance(function, tree.Name):
            return UNKNOWN
        if self.is_universal(function):
            return kinds.function(function.name, arguments, plain=plain)
        return self._returns.get(function.name, UNKNOWN) if self.is_global_function(function) else UNKNOWN

    # Scopes
    @contextmanager
    def inside(self, node: tree.Def | tree.Lambda) -> Iterator[None]:
        """In the function's body."""
        scope = self._known.get(id(node))
        if scope is not None:
            self.scopes.append(scope)
        else:
            uses = Uses(node.body, self.is_universal)
            names = self.resolution.locals[id(node)]
            scope = Scope(names, inner=frozenset(uses.inner), looped=frozenset(uses.looped), is_function=True)
            self._known[id(node)] = scope
            self.scopes.append(scope)
            from mlbuild.lang.compiler.inference import infer

            infer(self, scope, node, uses.escaped)
        try:
            yield
        finally:
            self.scopes.pop()

    @contextmanager
    def over(self, node: tree.Comprehension) -> Iterator[None]:
        """In the comprehension's body, all its names bound."""
        scope = Scope(frozenset(bound_by(node)))
        clauses = [clause for clause in node.clauses if isinstance(clause, tree.ForClause)]
        first = self.value(clauses[0].iterable)
        self.scopes.append(scope)
        try:
            scope.inner = frozenset(inner_names([node.key, node.body, *(each.iterable for each in clauses[1:])]))
            values: dict[str, Value] = {}
            for clause in clauses:
                iterated = first if clause is clauses[0] else self.value(clause.iterable)
                for target, value in taken_apart(clause.target, kinds.item_of(iterated)):
                    if isinstance(target, tree.Name):
                        values[target.name] = kinds.join(values.get(target.name, NEVER), value)
            # What binds the same name twice is not followed.
            scope.values = values if len(clauses) == 1 or len(values) == sum(map(_count, clauses)) else {}
            yield
        finally:
            self.scopes.pop()

    def _returned(self, body: list[tree.Statement]) -> Value:
        found = NEVER if _always_returns(body) else kinds.NONE
        for statement in statements_of(body):
            if isinstance(statement, tree.Return):
                value = kinds.NONE if statement.value is None else self.value(statement.value)
                found = kinds.join(found, kinds.outside(value))
        return UNKNOWN if found.kind == "never" else found

    # Effects
    def is_fresh(self, node: tree.Expression) -> bool:
        """Whether nothing else can hold the value, or it cannot change: a loop over it needs no guard."""
        if isinstance(node, tree.ListDisplay | tree.TupleDisplay | tree.DictDisplay | tree.Comprehension):
            return True
        if isinstance(node, tree.Call):
            function = node.function
            if self.is_universal(function) and isinstance(function, tree.Name) and function.name in _FRESH:
                return True
            if isinstance(function, tree.Dot) and function.name in _FRESH_METHODS:
                return True
        kind = self.value(node).kind
        return kind in LASTING or kind == "tuple" or (kind == "list" and isinstance(node, tree.Chain | tree.Slice))

    def has_effects(self, parts: Any, over: tree.Expression | None = None) -> bool:
        """Whether running the parts might change a list, dict or set that something else holds, or `over`."""
        name = over.name if isinstance(over, tree.Name) else None
        private = name is not None and self._is_private(name)
        for node in nodes(parts):
            if isinstance(node, tree.Assign):
                target, augmented = node.target, node.operator != "="
                if isinstance(target, tree.Name):
                    if not augmented or self.value(target).kind in LASTING:
                        continue
                    if self._is_other(target, name):
                        continue
                elif isinstance(target, tree.Index) and self._is_other(target.value, name):
                    if not augmented or self.value(target).kind in LASTING:
                        continue
                elif private and isinstance(target, tree.Index) and not augmented:
                    if not isinstance(target.value, tree.Name) or target.value.name != name:
                        continue
                elif isinstance(target, tree.TupleDisplay | tree.ListDisplay) and all(
                    isinstance(item, tree.Name) for item in target.items
                ):
                    continue
                return True
            if isinstance(node, tree.For) and not isinstance(node.target, tree.Name):
                if any(isinstance(each, tree.Index | tree.Dot) for each in nodes(node.target)):
                    return True
            elif isinstance(node, tree.Call) and self._call_has_effects(node, name, private):
                return True
        return False

    def _is_other(self, node: tree.Expression, name: str | None) -> bool:
        """Whether the expression names a private value, and not the one of that name."""
        return isinstance(node, tree.Name) and node.name != name and self._is_private(node.name)

    def _call_has_effects(self, node: tree.Call, name: str | None, private: bool) -> bool:
        function = node.function
        if not isinstance(function, tree.Dot):
            if not self.may_call_back(node):
                return False
            return not private and not self._is_harmless(function)
        receiver = function.value
        if isinstance(receiver, tree.Name) and receiver.name == name:
            return kinds.changes(self.value(receiver), function.name)
        if private or self._is_other(receiver, name):
            return False
        return kinds.changes(self.value(receiver), function.name)

    def _is_harmless(self, function: tree.Expression) -> bool:
        return isinstance(function, tree.Name) and function.name in self._harmless and self.is_global_function(function)

    def is_quiet(self, node: tree.Expression) -> bool:
        """Whether evaluating the expression changes nothing, so that it may come a little earlier or later."""
        return not self.has_effects(node)

    # Calls
    def is_guarded(self, body: Any) -> bool:
        """Whether the function calls what might call it back, or so much that its calls must be counted."""
        if weight(body, self.weights) > _LIGHT:
            return True
        return any(self.may_call_back(call) for call in calls(body)) and self._calls_made(body) > _FEW_CALLS

    def _calls_made(self, body: Any) -> int:
        """How many calls of this file's functions one call makes at most, as far as the file itself tells."""
        made = 1
        loops: tuple[type[tree.Node], ...] = (tree.For, tree.While, tree.Comprehension, tree.Lambda, tree.Def)
        for node in nodes(body):
            if isinstance(node, loops):
                return _FEW_CALLS + 1
            if isinstance(node, tree.Call) and self.may_call_back(node):
                function = node.function
                if not isinstance(function, tree.Name) or function.name not in self.functions:
                    return _FEW_CALLS + 1
                if self.is_local(function.name):
                    return _FEW_CALLS + 1
                made += self._costs.get(function.name, _FEW_CALLS + 1)
        return made

    def may_call_back(self, call: tree.Call) -> bool:
        """Whether the call may run a function of a file."""
        function = call.function
        if isinstance(function, tree.Dot):
            return function.name not in NATIVE_METHODS
        return not (
            self.is_universal(function) and isinstance(function, tree.Name) and function.name not in _CALLS_BACK
        )


def taken_apart(target: tree.Expression, value: Value) -> Iterator[tuple[tree.Expression, Value]]:
    """The target's names and other places, each with what is known of what it gets."""
    if not isinstance(target, tree.TupleDisplay | tree.ListDisplay):
        yield target, value
        return
    parts = value.parts if len(value.parts) == len(target.items) else ()
    for index, item in enumerate(target.items):
        yield from taken_apart(item, parts[index] if parts else kinds.as_item(kinds.item_of(value)))


def _count(clause: tree.ForClause) -> int:
    return sum(isinstance(each, tree.Name) for each in nodes(clause.target))


def statements_of(body: list[tree.Statement]) -> Iterator[tree.Statement]:
    """The statements of the function itself, not of those inside."""
    for statement in body:
        yield statement
        if isinstance(statement, tree.For | tree.While):
            yield from statements_of(statement.body)
        elif isinstance(statement, tree.If):
            for _, branch in statement.branches:
                yield from statements_of(branch)
            yield from statements_of(statement.otherwise)


def _always_returns(body: list[tree.Statement]) -> bool:
    if not body:
        return False
    last = body[-1]
    if isinstance(last, tree.If):
        return bool(last.otherwise) and all(map(_always_returns, [*(b for _, b in last.branches), last.otherwise]))
    return isinstance(last, tree.Return)
