"""From the tree to Python's `ast`: statements. The nodes carry Starlark's places, so that tracebacks give them back.

Values are native. Where Python and Starlark differ the code calls the runtime's functions (`runtime.py`), inline only where the kinds
of the operands are known or a test of their class decides.
"""

from __future__ import annotations

import ast

from mlbuild.lang.compiler import weights
from mlbuild.lang.compiler.expressions import Expressions, walked
from mlbuild.lang.compiler.resolve import Resolution
from mlbuild.lang.compiler.uses import nodes
from mlbuild.lang.dialect import Dialect
from mlbuild.lang.runtime.names import IN_PLACE
from mlbuild.lang.runtime.thread import CALL
from mlbuild.lang.syntax import tree

_ACTIVE = "+active"


def lower(file: tree.File, resolution: Resolution, dialect: Dialect, names: frozenset[str]) -> ast.Module:
    """The module's code as Python's tree; `names` are all that the file is given, `names` of the universe too."""
    return ast.Module(_Statements(file, resolution, names, dialect).module(), [])


class _Statements(Expressions):
    def module(self) -> list[ast.stmt]:
        return self._block(self.file.statements)

    def _block(self, statements: list[tree.Statement]) -> list[ast.stmt]:
        out: list[ast.stmt] = []
        for statement in statements:
            self._statement(statement, out)
        return out

    def _statement(self, node: tree.Statement, out: list[ast.stmt]) -> None:
        match node:
            case tree.ExpressionStatement():
                self._expression_statement(node, out)
            case tree.Assign():
                self._assign(node, out)
            case tree.Def():
                out.append(self._def(node))
            case tree.For():
                self._for(node, out)
            case tree.While():
                steps = weights.turn((node.condition, node.body), self.facts.weights)
                turn = self.call(node.offset, "+turn", self.constant(steps, node.offset))
                test = self.at(ast.BoolOp(ast.And(), [turn, self.condition(node.condition)]), node.offset)
                out.append(self.at(ast.While(test, self._block(node.body), []), node.offset))
            case tree.If():
                self._if(node, out)
            case tree.Return():
                value = None if node.value is None else self.expression(node.value)
                out.append(self.at(ast.Return(value), node.offset))
            case tree.Branch():
                kind = {"break": ast.Break, "continue": ast.Continue, "pass": ast.Pass}[node.word]
                out.append(self.at(kind(), node.offset))
            case tree.Load():
                for offset, local, exported in node.bindings:
                    value = self.call(
                        offset, "+from", self.constant(node.module, offset), self.constant(exported, offset)
                    )
                    out.append(self._set(self.stored(local, offset), value, offset))

    def _expression_statement(self, node: tree.ExpressionStatement, out: list[ast.stmt]) -> None:
        match node.value:
            case tree.Call(
                function=tree.Dot(value=tree.Name() as holder, name="append", offset=offset),
                arguments=[tree.Argument(kind="", value=item)],
            ) if self.facts.kind(holder) == "list" and not self.is_free(holder):
                # Nobody may be iterating over it, as far as anyone knows.
                lowered = self.expression(item)
                if not isinstance(lowered, ast.Constant | ast.Name):
                    name = self.temporary()
                    out.append(self._set(self.named(name, item.offset, ast.Store()), lowered, item.offset))
                    lowered = self.named(name, item.offset)
                fast = self.method(offset, self.expression(holder), "append", lowered)
                slow = self.call(offset, ".append/1", self.expression(holder), lowered)
                choice = self.choice(offset, self.named("+iterating", offset), slow, fast)
                out.append(self.at(ast.Expr(choice), node.offset))
            case _:
                out.append(self.at(ast.Expr(self.expression(node.value)), node.offset))

    def _if(self, node: tree.If, out: list[ast.stmt]) -> None:
        otherwise = self._block(node.otherwise)
        for condition, body in reversed(node.branches):
            test = self.condition(condition)
            otherwise = [self.at(ast.If(test, self._block(body), otherwise), node.offset)]
        out.extend(otherwise)

    # Assignment
    def _set(self, target: ast.expr, value: ast.expr, offset: int) -> ast.stmt:
        return self.at(ast.Assign([target], value), offset)

    def _assign(self, node: tree.Assign, out: list[ast.stmt]) -> None:
        if node.operator != "=":
            self._augmented(node, out)
            return
        value = self.expression(node.value)
        if isinstance(node.target, tree.Name):
            if not self.facts.scopes and isinstance(node.value, tree.Call):
                # A rule or a provider learns its name.
                value = self.call(node.offset, "+export", self.constant(node.target.name, node.offset), value)
            out.append(self._set(self.stored(node.target.name, node.target.offset), value, node.offset))
            return
        if isinstance(node.target, tree.Index) and self._is_plain_store(node.target):
            out.append(self._set(self.subscript(node.target, ast.Store()), value, node.offset))
            return
        if isinstance(node.target, tree.Index | tree.Dot):
            name = self.temporary()
            out.append(self._set(self.named(name, node.offset, ast.Store()), value, node.offset))
            value = self.named(name, node.offset)
        given = self.facts.value(node.value)
        count = len(node.target.items) if isinstance(node.target, tree.TupleDisplay | tree.ListDisplay) else 0
        self._store(node.target, value, node.offset, out, known=given.kind == "tuple" and len(given.parts) == count)

    def _is_plain_store(self, target: tree.Index) -> bool:
        """Whether `d[k] = ...` can be left to Python: of a dict that is this function's alone."""
        return (
            isinstance(target.key, tree.Name | tree.Literal)
            and self.is_free(target.value)
            and self.facts.kind(target.value) == "dict"
            and self.has_plain_key(target.value, target.key)
        )

    def _store(
        self, target: tree.Expression, value: ast.expr, offset: int, out: list[ast.stmt], *, known: bool = False
    ) -> None:
        """`target = value`; `known` if the value surely has as many parts as the target."""
        match target:
            case tree.Name():
                out.append(self._set(self.stored(target.name, target.offset), value, offset))
            case tree.TupleDisplay() | tree.ListDisplay():
                unpacked = value
                if not known:
                    unpacked = self.call(offset, "+unpack", value, self.constant(len(target.items), offset))
                if all(isinstance(item, tree.Name) for item in target.items):
                    names: list[ast.expr] = [
                        self.stored(item.name, item.offset) for item in target.items if isinstance(item, tree.Name)
                    ]
                    into = self.at(ast.Tuple(names, ast.Store()), target.offset)
                    out.append(self._set(into, unpacked, offset))
                    return
                parts = [self.temporary() for _ in target.items]
                into = self.at(
                    ast.Tuple([self.named(part, offset, ast.Store()) for part in parts], ast.Store()), offset
                )
                out.append(self._set(into, unpacked, offset))
                for part, item in zip(parts, target.items, strict=True):
                    self._store(item, self.named(part, offset), offset, out)
            case tree.Index():
                call = self.call(
                    target.offset, "+set_index", self.expression(target.value), self.expression(target.key), value
                )
                out.append(self.at(ast.Expr(call), target.offset))
            case tree.Dot():
                name = self.constant(target.name, target.offset)
                call = self.call(target.offset, "+set_field", self.expression(target.value), name, value)
                out.append(self.at(ast.Expr(call), target.offset))
            case _:
                raise AssertionError("the resolver refuses other targets")

    def _augmented(self, node: tree.Assign, out: list[ast.stmt]) -> None:
        target, offset = node.target, node.offset
        helper = "+" + (node.operator if node.operator in IN_PLACE else node.operator[:-1])
        match target:
            case tree.Name():
                if node.operator in ("+=", "-=", "*=", "%=", "//=", "&=", "|=", "^="):
                    operator = node.operator[:-1]
                    value = self.binary(operator, target, node.value, offset, helper)
                else:
                    value = self.call(offset, helper, self.expression(target), self.expression(node.value))
                out.append(self._set(self.stored(target.name, target.offset), value, offset))
            case tree.Index() if self._is_plain_store(target) and self.is_plain_index(target):
                value = self.binary(node.operator[:-1], target, node.value, offset, helper)
                out.append(self._set(self.subscript(target, ast.Store()), value, offset))
            case tree.Index():
                holder, key = self.temporary(), self.temporary()
                out.append(self._set(self.named(holder, offset, ast.Store()), self.expression(target.value), offset))
                out.append(self._set(self.named(key, offset, ast.Store()), self.expression(target.key), offset))
                old = self.call(target.offset, "+index", self.named(holder, offset), self.named(key, offset))
                new = self.call(offset, helper, old, self.expression(node.value))
                call = self.call(target.offset, "+set_index", self.named(holder, offset), self.named(key, offset), new)
                out.append(self.at(ast.Expr(call), offset))
            case tree.Dot():
                holder = self.temporary()
                out.append(self._set(self.named(holder, offset, ast.Store()), self.expression(target.value), offset))
                name = self.constant(target.name, target.offset)
                old = self.call(target.offset, "+attribute", self.named(holder, offset), name)
                new = self.call(offset, helper, old, self.expression(node.value))
                call = self.call(target.offset, "+set_field", self.named(holder, offset), name, new)
                out.append(self.at(ast.Expr(call), offset))
            case _:
                raise AssertionError("the resolver refuses other targets")

    # Loops and functions
    def _for(self, node: tree.For, out: list[ast.stmt]) -> None:
        offset = node.iterable.offset
        stores = any(isinstance(each, tree.Index | tree.Dot) for each in nodes(node.target))
        effects = stores or self.facts.has_effects(node.body, walked(node.iterable))
        turn = weights.turn((node.target, node.body), self.facts.weights)
        steps = self.constant(turn, offset)
        view = None if effects else self.view(node.iterable, turn)
        iterable = view or self.expression(node.iterable)
        body: list[ast.stmt] = []
        if isinstance(node.target, tree.Name):
            target: ast.expr = self.stored(node.target.name, node.target.offset)
        elif (
            isinstance(node.target, tree.TupleDisplay | tree.ListDisplay)
            and self._is_simple(node.target)
            and self.is_pairs(node)
        ):
            names: list[ast.expr] = [
                self.stored(item.name, item.offset) for item in node.target.items if isinstance(item, tree.Name)
            ]
            target = self.at(ast.Tuple(names, ast.Store()), node.target.offset)
        else:
            item = self.temporary()
            target = self.named(item, node.offset, ast.Store())
            self._store(node.target, self.named(item, node.target.offset), node.target.offset, body)
        body += self._block(node.body)
        if view is not None:
            out.append(self.at(ast.For(target, view, body, []), node.offset))
            return
        if not effects or self.facts.is_fresh(node.iterable):
            out.append(self.at(ast.For(target, self.call(offset, "+loop", iterable, steps), body, []), node.offset))
            return
        guarded = self.temporary()
        begin = self.call(offset, "+begin", iterable)
        out.append(self._set(self.named(guarded, offset, ast.Store()), begin, offset))
        turns = self.call(offset, "+loop", self.named(guarded, offset), steps)
        loop = self.at(ast.For(target, turns, body, []), node.offset)
        end = self.at(ast.Expr(self.call(offset, "+end", self.named(guarded, offset))), offset)
        out.append(self.at(ast.Try([loop], [], [], [end]), node.offset))

    def _is_simple(self, target: tree.TupleDisplay | tree.ListDisplay) -> bool:
        return all(isinstance(item, tree.Name) for item in target.items)

    def _def(self, node: tree.Def) -> ast.stmt:
        arguments = self.parameters(node.parameters)
        with self.facts.inside(node):
            body = self._block(node.body) or [self.at(ast.Pass(), node.offset)]
            guarded = self.facts.is_guarded(node.body)
        if guarded:
            key = self.constant(f"{node.name}\0{self.file.path}:{node.offset}", node.offset)
            enter = "+enter_again" if self.recursion else "+enter"
            steps = self.constant(CALL + weights.weight(node.body, self.facts.weights), node.offset)
            begin = self._set(
                self.named(_ACTIVE, node.offset, ast.Store()), self.call(node.offset, enter, key, steps), node.offset
            )
            if self.recursion:
                left = self.call(node.offset, "+leave_again", self.named(_ACTIVE, node.offset))
                leave: ast.stmt = self.at(ast.Expr(left), node.offset)
            else:
                entry = self.at(ast.Subscript(self.named(_ACTIVE, node.offset), key, ast.Del()), node.offset)
                leave = self.at(ast.Delete([entry]), node.offset)
            body = [begin, self.at(ast.Try(body, [], [], [leave]), node.offset)]
        name = self.stored(node.name, node.offset).id
        return self.at(ast.FunctionDef(name, arguments, body, [], None), node.offset)
