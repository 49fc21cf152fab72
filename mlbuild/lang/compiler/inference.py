"""Kinds of a function's local names: what every assignment gives them, until nothing changes any more."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mlbuild.lang.compiler import kinds
from mlbuild.lang.compiler.facts import Facts, Scope, statements_of, taken_apart
from mlbuild.lang.compiler.kinds import NEVER, UNKNOWN, Value
from mlbuild.lang.compiler.resolve import targets
from mlbuild.lang.compiler.uses import nodes
from mlbuild.lang.syntax import tree

_ROUNDS = 12
_NEW = frozenset(("list", "dict", "sorted", "enumerate", "zip", "reversed"))
_NEW_METHODS = frozenset(("items", "keys", "values", "split"))
_KEEP = frozenset(("pop", "popitem", "remove", "clear", "get", "items", "keys", "values", "index"))

Source = tuple[str, Callable[[], Value]]


def infer(facts: Facts, scope: Scope, node: tree.Def | tree.Lambda, escaped: set[str]) -> None:
    """Sets the scope's values and private names; the scope is the innermost of `facts`."""
    values = dict.fromkeys(scope.names, NEVER)
    private = scope.names - escaped - scope.inner
    for parameter in node.parameters:
        values[parameter.name] = {"*": kinds.TUPLE, "**": Value("dict", None, kinds.STR)}.get(parameter.kind, UNKNOWN)
        if parameter.kind != "**":
            private -= {parameter.name}
    scope.values = values
    if isinstance(node, tree.Lambda):
        scope.private = private
        return
    private -= set(_shared(facts, node.body))
    sources = list(_sources(facts, node.body, private))
    for _ in range(_ROUNDS):
        changed = False
        for name, find in sources:
            old = values[name]
            new = kinds.join(old, find())
            if name not in private:
                new = kinds.outside(new)
            if new != old:
                values[name] = new
                changed = True
        if not changed:
            break
    else:
        scope.values = dict.fromkeys(values, UNKNOWN)
        private = frozenset()
    scope.private = private


def _is_new(facts: Facts, node: tree.Expression) -> bool:
    """Whether the expression makes a list or dict that nothing else holds."""
    if isinstance(node, tree.ListDisplay | tree.DictDisplay | tree.Comprehension):
        return True
    if not isinstance(node, tree.Call):
        return False
    if isinstance(node.function, tree.Name):
        return facts.is_universal(node.function) and node.function.name in _NEW
    return isinstance(node.function, tree.Dot) and node.function.name in _NEW_METHODS


def _shared(facts: Facts, body: list[tree.Statement]) -> Iterator[str]:
    """The names that are bound to what may have another name."""
    for statement in statements_of(body):
        match statement:
            case tree.Assign(operator="="):
                if isinstance(statement.target, tree.Name) and _is_new(facts, statement.value):
                    continue
                yield from (each.name for each in targets(statement.target))
            case tree.For():
                yield from (each.name for each in targets(statement.target))
            case tree.Def():
                yield statement.name


def _sources(facts: Facts, body: list[tree.Statement], private: frozenset[str]) -> Iterator[Source]:
    """Of each binding the name and what it gets; of each change of a private list or dict, what it then holds too."""
    for statement in statements_of(body):
        match statement:
            case tree.Assign():
                yield from _assigned(facts, statement, private)
            case tree.For():
                yield from _looped(facts, statement, private)
            case tree.Def():
                yield statement.name, lambda: kinds.FUNCTION
    for node in nodes(body):
        match node:
            case tree.Call(function=tree.Dot(value=tree.Name(name=name))) if name in private:
                yield name, _changed(facts, name, node)


def _assigned(facts: Facts, statement: tree.Assign, private: frozenset[str]) -> Iterator[Source]:
    target, given, operator = statement.target, statement.value, statement.operator[:-1]
    if operator:
        if isinstance(target, tree.Name):
            yield target.name, _added(facts, target, given, operator)
        elif isinstance(target, tree.Index):
            old = target
            yield from _stored(facts, target, lambda: facts.binary(operator, facts.value(old), given), private)
        return
    if isinstance(target, tree.TupleDisplay | tree.ListDisplay):
        for index, (place, _) in enumerate(taken_apart(target, UNKNOWN)):
            yield from _stored(facts, place, _part(facts, target, given, index), private)
        return
    yield from _stored(facts, target, lambda: facts.value(given), private)


def _added(facts: Facts, target: tree.Name, given: tree.Expression, operator: str) -> Callable[[], Value]:
    def find() -> Value:
        old = facts.value(target)
        if operator == "+" and old.kind == "list":
            return Value("list", kinds.as_item(kinds.item_of(facts.value(given))))
        return facts.binary(operator, old, given)

    return find


def _part(facts: Facts, target: tree.Expression, given: tree.Expression, index: int) -> Callable[[], Value]:
    def find() -> Value:
        return list(taken_apart(target, facts.value(given)))[index][1]

    return find


def _looped(facts: Facts, statement: tree.For, private: frozenset[str]) -> Iterator[Source]:
    for index, (place, _) in enumerate(taken_apart(statement.target, UNKNOWN)):

        def find(index: int = index) -> Value:
            item = kinds.item_of(facts.value(statement.iterable))
            return list(taken_apart(statement.target, item))[index][1]

        yield from _stored(facts, place, find, private)


def _stored(
    facts: Facts, place: tree.Expression, find: Callable[[], Value], private: frozenset[str]
) -> Iterator[Source]:
    if isinstance(place, tree.Name):
        yield place.name, find
    elif isinstance(place, tree.Index) and isinstance(place.value, tree.Name) and place.value.name in private:
        holder, key = place.value, place.key

        def content() -> Value:
            if facts.value(holder).kind == "list":
                return Value("list", kinds.as_item(find()))
            if facts.value(holder).kind == "dict":
                return Value("dict", kinds.as_item(find()), kinds.as_item(facts.value(key)))
            return NEVER

        yield holder.name, content


def _changed(facts: Facts, name: str, call: tree.Call) -> Callable[[], Value]:
    """What the method adds to what a private list or dict holds."""
    function = call.function
    method = function.name if isinstance(function, tree.Dot) else ""
    given = [argument.value for argument in call.arguments]
    plain = not any(argument.kind for argument in call.arguments)

    def find() -> Value:
        kind = facts.value(tree.Name(call.offset, name)).kind
        if kind not in ("list", "dict") or method in _KEEP:
            return NEVER
        if plain and method == "append" and len(given) == 1:
            return Value("list", kinds.as_item(facts.value(given[0])))
        if plain and method == "insert" and len(given) == 2:
            return Value("list", kinds.as_item(facts.value(given[1])))
        if plain and method == "extend" and len(given) == 1:
            return Value("list", kinds.as_item(kinds.item_of(facts.value(given[0]))))
        return Value(kind)

    return find
