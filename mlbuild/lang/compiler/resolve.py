"""Names and static rules: every mistake that can be told without running the file, all in one pass."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mlbuild.diagnostics import Diagnostic
from mlbuild.lang.compiler.name_errors import hint_for
from mlbuild.lang.dialect import Dialect
from mlbuild.lang.errors import StarlarkError
from mlbuild.lang.syntax import tree
from mlbuild.lang.syntax.foreign import NO_WHILE
from mlbuild.lang.syntax.source import Source

CONSTANTS = frozenset(("None", "True", "False"))
_MOST = 1000
_TARGETS = {
    tree.Call: "a call",
    tree.Literal: "a literal",
    tree.Chain: "an operation",
    tree.Compare: "a comparison",
    tree.Logical: "an operation",
    tree.Unary: "an operation",
    tree.Conditional: "a conditional expression",
    tree.Lambda: "a lambda",
    tree.Comprehension: "a comprehension",
    tree.DictDisplay: "a dict",
    tree.Slice: "a slice",
}


class Resolution:
    """What the lowering must know of names."""

    def __init__(self, globals: frozenset[str], locals: dict[int, frozenset[str]]) -> None:
        self.globals = globals
        self.locals = locals
        """Of each `Def` and `Lambda`, by identity, the names bound in it."""


def resolve(file: tree.File, dialect: Dialect, names: frozenset[str]) -> Resolution:
    """The names of the file; `names` are those it is given. Raises `StarlarkError` with every mistake."""
    resolver = _Resolver(file, dialect, names)
    resolver.run()
    if resolver.found:
        raise StarlarkError(*resolver.sorted())
    return Resolution(frozenset(resolver.globals), resolver.locals)


def mistakes(file: tree.File, dialect: Dialect, names: frozenset[str]) -> list[Diagnostic]:
    """What `resolve` would raise, in the order of the file."""
    resolver = _Resolver(file, dialect, names)
    resolver.run()
    return resolver.sorted()


def targets(target: tree.Expression) -> Iterable[tree.Name]:
    """The names that an assignment to the target binds."""
    if isinstance(target, tree.Name):
        yield target
    elif isinstance(target, tree.TupleDisplay | tree.ListDisplay):
        for item in target.items:
            yield from targets(item)


def bindings(statements: Iterable[tree.Statement]) -> Iterable[tuple[str, int]]:
    """The names that the statements bind in their own scope, with their places."""
    for statement in statements:
        if isinstance(statement, tree.Assign):
            for name in targets(statement.target):
                yield name.name, name.offset
        elif isinstance(statement, tree.Def):
            yield statement.name, statement.offset
        elif isinstance(statement, tree.For):
            for name in targets(statement.target):
                yield name.name, name.offset
            yield from bindings(statement.body)
        elif isinstance(statement, tree.While):
            yield from bindings(statement.body)
        elif isinstance(statement, tree.If):
            for _, body in statement.branches:
                yield from bindings(body)
            yield from bindings(statement.otherwise)
        elif isinstance(statement, tree.Load):
            for offset, local, _ in statement.bindings:
                yield local, offset


def _leaves(target: tree.Expression) -> Iterable[tree.Expression]:
    if isinstance(target, tree.TupleDisplay | tree.ListDisplay):
        for item in target.items:
            yield from _leaves(item)
    else:
        yield target


class _Resolver:
    def __init__(self, file: tree.File, dialect: Dialect, names: frozenset[str]) -> None:
        self._file = file
        self._dialect = dialect
        self._names = names
        self._source = Source(file.path, file.text)
        self._scopes: list[set[str] | frozenset[str]] = []
        self._functions = 0
        self._loops = 0
        self._conditionals = 0
        self._bound: set[str] | None = set() if dialect.rebinding else None
        """Where names can be rebound: the globals bound so far, since a use must follow."""
        self.globals: dict[str, int] = {}
        self.locals: dict[int, frozenset[str]] = {}
        self.found = [each for each in file.mistakes if each.code != "tab-indentation" or not dialect.tabs]

    def run(self) -> None:
        self._bind_globals(self._file.statements)
        self._statements(self._file.statements)

    def sorted(self) -> list[Diagnostic]:
        """What was found, in the order of the file."""
        return sorted(
            self.found, key=lambda each: (each.location.line, each.location.column) if each.location else (0, 0)
        )

    def _error(self, code: str, message: str, offset: int, hint: str | None = None) -> None:
        if len(self.found) < _MOST:
            self.found.append(self._source.diagnostic(code, message, offset, hint))

    def _bind_globals(self, statements: Sequence[tree.Statement], again: frozenset[str] = frozenset()) -> None:
        loaded: set[str] = set()
        for statement in statements:
            for name, offset in bindings((statement,)):
                is_load = isinstance(statement, tree.Load)
                first = self.globals.setdefault(name, offset)
                augmented = isinstance(statement, tree.Assign) and statement.operator != "="
                if (
                    first == offset
                    or (self._dialect.rebinding and (self._dialect.functions or (not is_load and name not in loaded)))
                    or (augmented and self._dialect.rebinding)
                ):
                    pass
                else:
                    line = self._source.location(first).line
                    message = f"cannot reassign global '{name}': it is already defined on line {line} ('{name}' redeclared at top level)"
                    self._error("redefined", message, offset, "choose another name")
                if is_load:
                    loaded.add(name)

    # Statements
    def _statements(self, statements: Iterable[tree.Statement]) -> None:
        for statement in statements:
            self._statement(statement)
            if self._bound is not None and not self._functions:
                self._bound.update(name for name, _ in bindings((statement,)))

    def _statement(self, statement: tree.Statement) -> None:
        match statement:
            case tree.ExpressionStatement():
                self._expression(statement.value)
            case tree.Assign():
                self._expression(statement.value)
                self._assign(statement)
            case tree.Def():
                if statement.name in CONSTANTS or statement.name == "load":
                    self._error("bad-target", f"cannot assign to '{statement.name}'", statement.offset)
                if not self._dialect.functions:
                    message = "functions may not be defined in BUILD files"
                    self._error(
                        "not-in-build-files",
                        message,
                        statement.offset,
                        "move the function to a `.bzl` file and load it",
                    )
                self._function(statement, statement.parameters, statement.body)
            case tree.For():
                self._control("for", statement.offset)
                self._expression(statement.iterable)
                self._target(statement.target)
                if self._bound is not None and not self._functions:
                    self._bound.update(name.name for name in targets(statement.target))
                self._loops += 1
                self._statements(statement.body)
                self._loops -= 1
            case tree.While():
                if not self._dialect.while_loops:
                    self._error("not-starlark", NO_WHILE[0], statement.offset, NO_WHILE[1])
                else:
                    self._control("while", statement.offset)
                self._expression(statement.condition)
                self._loops += 1
                self._statements(statement.body)
                self._loops -= 1
            case tree.If():
                self._control("if", statement.offset)
                self._conditionals += 1
                for condition, body in statement.branches:
                    self._expression(condition)
                    self._statements(body)
                self._statements(statement.otherwise)
                self._conditionals -= 1
            case tree.Return():
                if not self._functions:
                    self._error("misplaced", "return statements must be inside a function", statement.offset)
                if statement.value is not None:
                    self._expression(statement.value)
            case tree.Branch():
                if statement.word != "pass" and not self._loops:
                    self._error("misplaced", f"{statement.word} statement must be inside a for loop", statement.offset)
            case tree.Load():
                self._load(statement)

    def _control(self, word: str, offset: int) -> None:
        if self._functions or self._dialect.top_level_control:
            return
        if not self._dialect.functions:
            instead = "an `if` expression" if word == "if" else "a comprehension: `[f(x) for x in sequence]`"
            self._error(
                "not-in-build-files", f"`{word}` statements are not allowed in BUILD files", offset, f"use {instead}"
            )
        else:
            message = f"`{word}` statements are not allowed at the top level"
            instead = "an `if` expression" if word == "if" else "a comprehension"
            self._error("misplaced", message, offset, f"move it into a function, or use {instead}")

    def _load(self, statement: tree.Load) -> None:
        if self._functions or self._loops or self._conditionals:
            self._error("misplaced", "load statements must be at the top level", statement.offset)
        for offset, local, exported in statement.bindings:
            if exported.startswith("_"):
                message = f"symbol '{exported}' is private and cannot be imported"
                self._error("private-symbol", message, offset, "names that start with `_` stay in their file")
            if local in CONSTANTS:
                self._error("bad-target", f"cannot assign to '{local}'", offset)

    def _assign(self, statement: tree.Assign) -> None:
        target = statement.target
        if statement.operator != "=":
            if isinstance(target, tree.TupleDisplay | tree.ListDisplay):
                message = "cannot perform augmented assignment on a list or tuple expression"
                self._error("bad-target", message, target.offset)
                return
            if isinstance(target, tree.Name):
                self._name(target)
        self._target(target)

    def _target(self, target: tree.Expression) -> None:
        match target:
            case tree.Name():
                if target.name in CONSTANTS or target.name == "load":
                    self._error("bad-target", f"cannot assign to '{target.name}'", target.offset)
            case tree.TupleDisplay() | tree.ListDisplay():
                for item in target.items:
                    self._target(item)
            case tree.Index():
                self._expression(target.value)
                self._expression(target.key)
            case tree.Dot():
                self._expression(target.value)
            case _:
                self._error("bad-target", f"cannot assign to {_TARGETS.get(type(target), 'this')}", target.offset)

    # Functions
    def _function(
        self,
        node: tree.Def | tree.Lambda,
        parameters: list[tree.Parameter],
        body: list[tree.Statement] | tree.Expression,
    ) -> None:
        self._parameters(parameters)
        names = {parameter.name for parameter in parameters if parameter.name}
        if isinstance(body, list):
            names.update(name for name, _ in bindings(body))
        self.locals[id(node)] = frozenset(names)
        self._scopes.append(names)
        self._functions += 1
        loops, self._loops = self._loops, 0
        if isinstance(body, list):
            self._statements(body)
        else:
            self._expression(body)
        self._loops = loops
        self._functions -= 1
        self._scopes.pop()

    def _parameters(self, parameters: list[tree.Parameter]) -> None:
        seen: set[str] = set()
        star: tree.Parameter | None = None
        rest: tree.Parameter | None = None
        optional = after_star = False
        for parameter in parameters:
            if parameter.default is not None:
                self._expression(parameter.default)
            if parameter.name in CONSTANTS:
                self._error("bad-target", f"cannot assign to '{parameter.name}'", parameter.offset)
            if parameter.name and parameter.name in seen:
                self._error("bad-parameters", f"duplicate parameter '{parameter.name}'", parameter.offset)
            seen.add(parameter.name)
            if rest is not None:
                what = {"": "parameter", "*": "* parameter", "**": "another ** parameter"}[parameter.kind]
                self._error("bad-parameters", f"{what} may not follow **{rest.name}", parameter.offset)
            elif parameter.kind == "**":
                rest = parameter
            elif parameter.kind == "*":
                if star is None:
                    star = parameter
                    continue
                message = "duplicate * parameter: multiple * parameters not allowed"
                self._error("bad-parameters", message, parameter.offset)
            elif star is not None:
                after_star = True
            elif parameter.default is not None:
                optional = True
            elif optional:
                message = f"required parameter {parameter.name} may not follow an optional parameter"
                hint = f"put `{parameter.name}` before the parameters that have defaults"
                self._error("bad-parameters", message, parameter.offset, hint)
        if star is not None and not star.name and not after_star:
            self._error("bad-parameters", "bare * must be followed by keyword-only parameters", star.offset)

    # Expressions
    def _name(self, name: tree.Name, hint: str | None = None) -> None:
        text = name.name
        if text == "load":
            self._error(
                "bad-load",
                "`load` is a statement of its own",
                name.offset,
                'write `load("//package:file.bzl", "name")`',
            )
            return
        early = self._bound is not None and not self._functions and text not in self._bound
        if (
            early
            and text in self.globals
            and text not in self._names
            and not any(text in each for each in self._scopes)
        ):
            line = self._source.location(self.globals[text]).line
            self._error(
                "undefined-name", f"name '{text}' is not defined", name.offset, f"line {line} defines it: move that up"
            )
            return
        if (
            text in CONSTANTS
            or text in self.globals
            or text in self._names
            or any(text in scope for scope in self._scopes)
        ):
            return
        visible = {*self.globals, *self._names, *CONSTANTS}.union(*self._scopes)
        self._error("undefined-name", f"name '{text}' is not defined", name.offset, hint or hint_for(text, visible))
        self._scopes[:0] = [{text}]  # told once

    def _expression(self, node: tree.Expression) -> None:
        match node:
            case tree.Name():
                self._name(node)
            case tree.Literal():
                pass
            case tree.ListDisplay() | tree.TupleDisplay():
                for item in node.items:
                    self._expression(item)
            case tree.DictDisplay():
                self._entries(node)
            case tree.Comprehension():
                self._comprehension(node)
            case tree.Conditional():
                self._expression(node.condition)
                self._expression(node.then)
                self._expression(node.otherwise)
            case tree.Dot():
                self._expression(node.value)
            case tree.Call():
                self._call(node)
            case tree.Index():
                self._expression(node.value)
                self._expression(node.key)
            case tree.Slice():
                for part in (node.value, node.start, node.stop, node.step):
                    if part is not None:
                        self._expression(part)
            case tree.Unary():
                self._expression(node.operand)
            case tree.Chain():
                self._expression(node.first)
                for _, _, operand in node.rest:
                    self._expression(operand)
            case tree.Compare():
                self._expression(node.left)
                self._expression(node.right)
            case tree.Logical():
                for operand in node.operands:
                    self._expression(operand)
            case tree.Lambda():
                if not self._dialect.functions:
                    message = "functions may not be defined in BUILD files"
                    self._error(
                        "not-in-build-files", message, node.offset, "move the function to a `.bzl` file and load it"
                    )
                self._function(node, node.parameters, node.body)

    def _entries(self, node: tree.DictDisplay) -> None:
        seen: set[object] = set()
        for key, value in node.entries:
            self._expression(key)
            self._expression(value)
            if isinstance(key, tree.Literal):
                # In a function the file may never come to it: then it is told when it runs.
                if key.value in seen and isinstance(key.value, str) and not self._functions:
                    from mlbuild.lang.runtime.text import quote

                    message = f"dictionary expression has duplicate key: {quote(key.value)}"
                    self._error("duplicate-key", message, key.offset, "delete one of the two entries")
                seen.add(key.value)

    def _comprehension(self, node: tree.Comprehension) -> None:
        names = {
            name.name for each in node.clauses if isinstance(each, tree.ForClause) for name in targets(each.target)
        }
        first = True
        for clause in node.clauses:
            if isinstance(clause, tree.ForClause):
                self._expression(clause.iterable)
                if first:  # the first operand is outside, the others see all names
                    self._scopes.append(names)
                    first = False
                if any(not isinstance(each, tree.Name) for each in _leaves(clause.target)):
                    self._error("bad-target", "a comprehension can only assign to names", clause.target.offset)
                else:
                    self._target(clause.target)
            else:
                self._expression(clause.condition)
        if node.key is not None:
            self._expression(node.key)
        self._expression(node.body)
        self._scopes.pop()

    def _call(self, node: tree.Call) -> None:
        self._expression(node.function)
        seen: set[str] = set()
        last = ""
        for argument in node.arguments:
            kind = argument.kind
            value = argument.value
            if not kind and isinstance(value, tree.Compare) and isinstance(value.left, tree.Name):
                name = value.left.name
                self._name(value.left, f"an argument is given by name with one `=`: `{name} = ...`")
            self._expression(value)
            if kind and kind != "=" and not self._dialect.unpacked_arguments:
                message = f"{kind} arguments are not allowed in BUILD files"
                self._error("not-in-build-files", message, argument.offset, "pass the arguments explicitly")
            if last == "**" or (last == "*" and kind != "**") or (last == "=" and kind == ""):
                what = {"": "positional argument", "=": "keyword argument", "*": "*args", "**": "another **kwargs"}[
                    kind
                ]
                after = {"=": "a keyword argument", "*": "*args", "**": "**kwargs"}[last]
                hint = "put the positional arguments first" if kind == "" else None
                self._error("bad-arguments", f"{what} may not follow {after}", argument.offset, hint)
            if kind == "=":
                if argument.name in CONSTANTS:
                    self._error("bad-arguments", f"keyword argument '{argument.name}' is not a name", argument.offset)
                if argument.name in seen:
                    message = (
                        f"duplicate keyword argument: {argument.name} (keyword argument '{argument.name}' is repeated)"
                    )
                    self._error("bad-arguments", message, argument.offset, "delete one of the two")
                seen.add(argument.name)
            last = kind or last
