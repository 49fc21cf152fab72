"""From the tree to Python's `ast`: calls and parameters. What is called is called directly where it is known."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from mlbuild.lang.compiler.inline import LOAD
from mlbuild.lang.compiler.kinds import INTS
from mlbuild.lang.compiler.templates import FREE, Templates
from mlbuild.lang.runtime.names import NATIVE_METHODS, SHORT_METHODS
from mlbuild.lang.syntax import tree

_DIRECT = frozenset(("str", "list", "dict", "tuple", "range"))
_TESTS = frozenset(("startswith", "endswith"))
_STRIPS = frozenset(("strip", "lstrip", "rstrip"))
_CASES = frozenset(("upper", "lower"))
_INT_MAX = (1 << 31) - 1


class Invocations(Templates):
    """Lowers calls."""

    def invocation(self, node: tree.Call) -> ast.expr:
        function, offset = node.function, node.offset
        plain = not any(argument.kind for argument in node.arguments)
        operands = [argument.value for argument in node.arguments]
        if plain and isinstance(function, tree.Dot) and function.name in NATIVE_METHODS:
            return self._native_method(node, function, operands)
        if plain and isinstance(function, tree.Name) and self.facts.is_universal(function):
            known = self._universal(function.name, operands, offset)
            if known is not None:
                return known
        called, receiver = self._called(node)
        args, keywords = self._arguments(node.arguments)
        return self.at(ast.Call(called, [*receiver, *args], keywords), offset)

    def _called(self, node: tree.Call) -> tuple[ast.expr, list[ast.expr]]:
        """What is called, and what is handed to it first."""
        function, offset = node.function, node.offset
        if isinstance(function, tree.Dot):
            receiver = self.expression(function.value)
            if function.name in NATIVE_METHODS:
                return self.named("." + function.name, offset), [receiver]
            found = self.call(function.offset, "+attribute", receiver, self.constant(function.name, offset))
            return self.call(offset, "+callee", found), []
        if isinstance(function, tree.Name) and self.facts.is_universal(function):
            return self.named("+" + function.name, offset), []
        lowered = self.expression(function)
        if self.facts.is_known_function(function):
            return lowered, []
        slow = self.call(offset, "+callee", lowered)
        if isinstance(lowered, ast.Name) and self.facts.scopes:
            return self.choice(offset, self.is_class(lowered, "function", offset), lowered, slow), []
        return slow, []

    def _universal(self, name: str, operands: list[tree.Expression], offset: int) -> ast.expr | None:
        if len(operands) == 1:
            if name == "str":
                return self.text_of(operands[0], offset)
            if name == "len" and self.facts.kind(operands[0]) in _DIRECT:
                return self.call(offset, "+native len", self.expression(operands[0]))
        if name == "range" and operands:
            bounds = [each.value if isinstance(each, tree.Literal) else None for each in operands]
            if all(type(each) is int and each <= _INT_MAX for each in bounds) and bounds[2:] in ([], [1]):
                return self.call(offset, "+native range", *map(self.expression, operands))
        return None

    # Methods
    def _native_method(self, node: tree.Call, function: tree.Dot, operands: list[tree.Expression]) -> ast.expr:
        """A method that native types have."""
        name, offset = function.name, node.offset
        if name == "format" and isinstance(function.value, tree.Literal) and isinstance(function.value.value, str):
            made = self.format(node, function.value.value)
            if made is not None:
                return made
        receiver = self.facts.value(function.value)
        known = None
        if receiver.kind == "str":
            known = self._text_method(function, operands, offset)
        elif receiver.kind == "dict" and name == "get" and 1 <= len(operands) <= 2:
            if self.has_plain_key(function.value, operands[0]):
                lowered = map(self.expression, operands)
                known = self.method(offset, self.expression(function.value), "get", *lowered)
        elif name == "append" and len(operands) == 1 and self.is_free(function.value):
            known = self.method(offset, self.expression(function.value), "append", self.expression(operands[0]))
        if known is not None:
            return known
        short = f".{name}/{len(operands)}"
        called = self.named(short if short in SHORT_METHODS else "." + name, offset)
        args = [self.expression(function.value), *map(self.expression, operands)]
        return self.at(ast.Call(called, args, []), offset)

    def is_free(self, node: tree.Expression) -> bool:
        """Whether the expression names a list or dict that may be changed without asking: nobody else has it, no loop runs
        over it."""
        return isinstance(node, tree.Name) and self.facts.is_private(node) and not self.facts.is_looped(node.name)

    def has_plain_key(self, holder: tree.Expression, key: tree.Expression) -> bool:
        """Whether Python finds the key in the dict as Starlark does: of all keys, `True` and 1 are one to Python alone."""
        kind = self.facts.kind(key)
        if kind == "str":
            return True
        if kind != "int" or not self.facts.is_private(holder):
            return False
        keys = self.facts.value(holder).key
        return keys is not None and (keys.kind in INTS or keys.kind in ("str", "never"))

    def _text_method(self, function: tree.Dot, operands: list[tree.Expression], offset: int) -> ast.expr | None:
        """A method of what is surely text."""
        name = function.name
        if not all(self.facts.kind(each) == "str" for each in operands):
            return None
        arguments = [self.expression(each) for each in operands]
        if name in _TESTS and len(operands) == 1:
            return self.method(offset, self.expression(function.value), name, *arguments)
        words = [each.value for each in operands if isinstance(each, tree.Literal)]
        sizes = [len(each) for each in words if isinstance(each, str)]
        direct = (name in _STRIPS and sizes in ([], [1])) or (name in _CASES and not operands)
        direct = direct or (name == "split" and len(sizes) == 1 and sizes[0] > 0)
        direct = direct or (name == "replace" and len(sizes) == 2 and sizes[1] <= max(1, sizes[0]))
        if not direct or len(sizes) < len(operands):
            return None
        taken = self.taken(self.expression(function.value), offset)
        if taken is None:
            return None
        length = self.call(offset, "+native len", taken[0])
        short = self.compared(offset, length, ast.LtE(), self.constant(FREE, offset))
        slow = self.call(offset, "." + name, taken[1], *arguments)
        return self.choice(offset, short, self.method(offset, taken[1], name, *arguments), slow)

    # Arguments and parameters
    def _arguments(self, arguments: list[tree.Argument]) -> tuple[list[ast.expr], list[ast.keyword]]:
        args: list[ast.expr] = []
        keywords: list[ast.keyword] = []
        for argument in arguments:
            value = self.expression(argument.value)
            if argument.kind == "":
                args.append(value)
            elif argument.kind == "*":
                spread = self._after(keywords, self.call(argument.offset, "+star", value), argument.offset)
                args.append(self.at(ast.Starred(spread, LOAD), argument.offset))
            elif argument.kind == "=":
                keywords.append(self.at(ast.keyword(safe(argument.name), value), argument.offset))
            else:
                named = self.call(argument.offset, "+star_star", value)
                keywords.append(self.at(ast.keyword(None, named), argument.offset))
        return args, keywords

    def _after(self, keywords: list[ast.keyword], value: ast.expr, offset: int) -> ast.expr:
        """The value of `*args`, evaluated after the keywords that are written before it, which Python would do later."""
        if self.no_walrus or all(isinstance(keyword.value, ast.Constant | ast.Name) for keyword in keywords):
            return value
        parts: list[ast.expr] = []
        for keyword in keywords:
            name = self.temporary()
            parts.append(self.at(ast.NamedExpr(self.named(name, offset, ast.Store()), keyword.value), offset))
            keyword.value = self.named(name, offset)
        whole = self.at(ast.Tuple([*parts, value], LOAD), offset)
        return self.at(ast.Subscript(whole, self.constant(len(parts), offset), LOAD), offset)

    def parameters(self, parameters: Iterable[tree.Parameter]) -> ast.arguments:
        made = ast.arguments([], [], None, [], [], None, [])
        keyword_only = False
        for parameter in parameters:
            named = self.at(ast.arg(safe(parameter.name)), parameter.offset)
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


def safe(name: str) -> str:
    """The only name that CPython's compiler refuses to bind."""
    return "·__debug__" if name == "__debug__" else name
