"""What each reduction of the grammar makes of the tree: the methods that `grammar.lark` names.

A method gets the list of its symbols: token numbers for terminals, what other methods made for the rest.
"""

from __future__ import annotations

from typing import Any, NoReturn

from mlbuild.lang.literals import UnknownEscape, float_value, integer_value, string_value
from mlbuild.lang.syntax import tree
from mlbuild.lang.syntax.scan import Tokens
from mlbuild.lang.syntax.source import Source

_LEVEL = {
    "or": 1,
    "and": 2,
    **dict.fromkeys(("==", "!=", "<", ">", "<=", ">=", "in", "not in"), 4),
    "|": 5,
    "^": 6,
    "&": 7,
    **dict.fromkeys(("<<", ">>"), 8),
    **dict.fromkeys(("+", "-"), 9),
    **dict.fromkeys(("*", "/", "//", "%"), 10),
}
_NOT, _COMPARE, _HIGHEST = 3, 4, 11

_NAMES: frozenset[type] = frozenset((tree.Name, tree.Dot))
_ATOMS: frozenset[type] = frozenset((tree.Name, tree.Literal, tree.ListDisplay, tree.DictDisplay))

Children = list[Any]

_new = tuple.__new__
"""Makes a node in half the time of calling its class."""


class Misplaced(Exception):
    """The grammar takes it, the language does not."""

    def __init__(self, code: str, message: str, offset: int, hint: str | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.offset, self.hint = code, message, offset, hint


class Builder:
    """Makes the tree of one file."""

    lists = True

    def __init__(self, tokens: Tokens, source: Source) -> None:
        self._texts = tokens.texts
        self._starts = tokens.starts
        self._source = source

    # Lists
    def empty(self, _: Children) -> Any:
        return []

    def first(self, c: Children) -> Any:
        return c[0]

    def third(self, c: Children) -> Any:
        return c[2]

    def nothing(self, _: Children) -> Any:
        return None

    def one(self, c: Children) -> Any:
        return [c[0]]

    def pair(self, c: Children) -> Any:
        return [c[0], c[2]]

    def triple(self, c: Children) -> Any:
        return [c[0], c[1], c[2]]

    def append(self, c: Children) -> Any:
        c[0].append(c[1])
        return c[0]

    def append_two(self, c: Children) -> Any:
        c[0].append(c[1])
        c[0].append(c[2])
        return c[0]

    def append_after(self, c: Children) -> Any:
        c[0].append(c[2])
        return c[0]

    def extend(self, c: Children) -> Any:
        c[0].extend(c[1])
        return c[0]

    # Statements
    def expression_statement(self, c: Children) -> Any:
        value = c[0]
        if isinstance(value, tree.Call) and isinstance(value.function, tree.Name) and value.function.name == "load":
            return self._load(value)
        return tree.ExpressionStatement(_start(value), value)

    def assignment(self, c: Children) -> Any:
        return tree.Assign(self._starts[c[1]], self._texts[c[1]], c[0], c[2])

    def return_nothing(self, c: Children) -> Any:
        return tree.Return(self._starts[c[0]], None)

    def return_value(self, c: Children) -> Any:
        return tree.Return(self._starts[c[0]], c[1])

    def branch(self, c: Children) -> Any:
        return tree.Branch(self._starts[c[0]], self._texts[c[0]])

    def def_statement(self, c: Children) -> Any:
        return tree.Def(self._starts[c[1]], self._texts[c[1]], c[3], c[6])

    def def_annotated(self, c: Children) -> Any:
        return tree.Def(self._starts[c[1]], self._texts[c[1]], c[3], c[8], c[6])

    def while_statement(self, c: Children) -> Any:
        return tree.While(self._starts[c[0]], c[1], c[3])

    def for_statement(self, c: Children) -> Any:
        return tree.For(self._starts[c[0]], c[1], c[3], c[5])

    def if_statement(self, c: Children) -> Any:
        branches, otherwise = c[4]
        branches.append((c[1], c[3]))
        branches.reverse()
        return tree.If(self._starts[c[0]], branches, otherwise)

    def no_tail(self, _: Children) -> Any:
        return [], []

    def else_tail(self, c: Children) -> Any:
        return [], c[2]

    def elif_tail(self, c: Children) -> Any:
        branches, otherwise = c[4]
        branches.append((c[1], c[3]))
        return branches, otherwise

    # Names and literals
    def name(self, c: Children) -> Any:
        return _new(tree.Name, (self._starts[c[0]], self._texts[c[0]]))

    def integer(self, c: Children) -> Any:
        return self._literal(integer_value, c[0])

    def floating(self, c: Children) -> Any:
        return self._literal(float_value, c[0])

    def string(self, c: Children) -> Any:
        text = self._texts[c[0]]
        if text[0] == '"' and "\\" not in text and text[1:3] != '""':
            return _new(tree.Literal, (self._starts[c[0]], text[1:-1]))
        return self._literal(string_value, c[0])

    def _literal(self, decode: Any, index: int) -> tree.Literal:
        try:
            return tree.Literal(self._starts[index], decode(self._texts[index]))
        except UnknownEscape as error:
            mistake = self._source.diagnostic("invalid-literal", str(error), self._starts[index])
            self._source.mistakes.append(mistake)
            return tree.Literal(self._starts[index], "")
        except ValueError as error:
            raise Misplaced("invalid-literal", str(error), self._starts[index]) from None

    # Expressions
    def conditional(self, c: Children) -> Any:
        return tree.Conditional(self._starts[c[1]], c[2], c[0], c[4])

    def lambda_expression(self, c: Children) -> Any:
        return tree.Lambda(self._starts[c[0]], c[1], c[3])

    def prefix(self, c: Children) -> Any:
        operator, operand = self._texts[c[0]], c[1]
        if operator != "not" and _is_bare_not(operand):
            raise Misplaced(
                "syntax", f"`not` cannot follow `{operator}`", operand.offset, "put it in parentheses: `(not x)`"
            )
        if operator == "-" and isinstance(operand, tree.Literal) and isinstance(operand.value, int | float):
            return tree.Literal(self._starts[c[0]], -operand.value)
        return tree.Unary(self._starts[c[0]], operator, operand, operator == "not")

    def operators(self, c: Children) -> Any:
        return _Arranger(c[0], self._texts, self._starts).arrange(1)

    def parenthesised(self, c: Children) -> Any:
        return c[1]._replace(bare=False) if c[1].__class__ is tree.Unary else c[1]

    def dot(self, c: Children) -> Any:
        return _new(tree.Dot, (self._starts[c[2]], c[0], self._texts[c[2]]))

    def call_empty(self, c: Children) -> Any:
        return _new(tree.Call, (self._call_offset(c), c[0], []))

    def call(self, c: Children) -> Any:
        return _new(tree.Call, (self._call_offset(c), c[0], c[2]))

    def _call_offset(self, c: Children) -> int:
        kind: type = type(c[0])
        return c[0].offset if kind in _NAMES else self._starts[c[1]]

    def index(self, c: Children) -> Any:
        return tree.Index(self._starts[c[1]], c[0], c[2])

    def slice_two(self, c: Children) -> Any:
        return tree.Slice(self._starts[c[1]], c[0], c[2], c[4], None)

    def slice_three(self, c: Children) -> Any:
        return tree.Slice(self._starts[c[1]], c[0], c[2], c[4], c[6])

    def list_empty(self, c: Children) -> Any:
        return tree.ListDisplay(self._starts[c[0]], [])

    def list_display(self, c: Children) -> Any:
        return _new(tree.ListDisplay, (self._starts[c[0]], c[1]))

    def list_comprehension(self, c: Children) -> Any:
        return tree.Comprehension(self._starts[c[0]], None, c[1], c[2])

    def dict_empty(self, c: Children) -> Any:
        return tree.DictDisplay(self._starts[c[0]], [])

    def dict_display(self, c: Children) -> Any:
        return tree.DictDisplay(self._starts[c[0]], c[1])

    def dict_comprehension(self, c: Children) -> Any:
        return tree.Comprehension(self._starts[c[0]], c[1], c[3], c[4])

    def entry_first(self, c: Children) -> Any:
        return [(c[0], c[2])]

    def entry_more(self, c: Children) -> Any:
        c[0].append((c[2], c[4]))
        return c[0]

    def tuple_empty(self, c: Children) -> Any:
        return tree.TupleDisplay(self._starts[c[0]], [])

    def tuple_single(self, c: Children) -> Any:
        return tree.TupleDisplay(self._starts[c[0]], [c[1]])

    def tuple_display(self, c: Children) -> Any:
        return tree.TupleDisplay(self._starts[c[0]], c[1])

    def bare_tuple(self, c: Children) -> Any:
        return tree.TupleDisplay(_start(c[0][0]), c[0])

    def bare_tuple_trailing(self, c: Children) -> NoReturn:
        raise Misplaced(
            "syntax",
            "a trailing comma is allowed only in a tuple with parentheses",
            self._starts[c[1]],
            "take the comma away, or put the tuple in parentheses",
        )

    def for_clause(self, c: Children) -> Any:
        return tree.ForClause(self._starts[c[0]], c[1], c[3])

    def if_clause(self, c: Children) -> Any:
        return tree.IfClause(self._starts[c[0]], c[1])

    def if_lambda(self, c: Children) -> Any:
        return tree.IfClause(self._starts[c[0]], tree.Lambda(self._starts[c[1]], c[2], c[4]))

    # Arguments and parameters
    def positional(self, c: Children) -> Any:
        return _new(tree.Argument, (_start(c[0]), "", "", c[0]))

    def keyword(self, c: Children) -> Any:
        return _new(tree.Argument, (self._starts[c[0]], "=", self._texts[c[0]], c[2]))

    def unpacked(self, c: Children) -> Any:
        return tree.Argument(self._starts[c[0]], self._texts[c[0]], "", c[1])

    def parameter(self, c: Children) -> Any:
        return tree.Parameter(self._starts[c[0]], "", self._texts[c[0]], None)

    def parameter_default(self, c: Children) -> Any:
        return tree.Parameter(self._starts[c[0]], "", self._texts[c[0]], c[2])

    def parameter_rest(self, c: Children) -> Any:
        return tree.Parameter(self._starts[c[1]], self._texts[c[0]], self._texts[c[1]], None)

    def parameter_star(self, c: Children) -> Any:
        return tree.Parameter(self._starts[c[0]], "*", "", None)

    def annotated(self, c: Children) -> Any:
        return tree.Parameter(self._starts[c[0]], "", self._texts[c[0]], None, c[2])

    def annotated_default(self, c: Children) -> Any:
        return tree.Parameter(self._starts[c[0]], "", self._texts[c[0]], c[4], c[2])

    def annotated_rest(self, c: Children) -> Any:
        return tree.Parameter(self._starts[c[1]], self._texts[c[0]], self._texts[c[1]], None, c[3])

    def _load(self, call: tree.Call) -> tree.Load:
        arguments = call.arguments
        hint = 'write `load("//package:file.bzl", "name")`'
        if not arguments or arguments[0].kind or not _is_text(arguments[0].value):
            raise Misplaced("bad-load", "the first argument of `load` must be a string literal", call.offset, hint)
        if len(arguments) < 2:
            raise Misplaced("bad-load", "`load` must name at least one symbol", call.offset, hint)
        bindings = []
        for argument in arguments[1:]:
            if argument.kind not in ("", "=") or not _is_text(argument.value):
                message = '`load` takes only "name" and local = "name" with string literals'
                raise Misplaced("bad-load", message, argument.offset, hint)
            exported = _text(argument.value)
            if not exported.isidentifier():
                message = f"`load`: invalid symbol name {exported!r}"
                self._source.mistakes.append(self._source.diagnostic("bad-load", message, argument.offset, hint))
                continue
            bindings.append((argument.offset, argument.name or exported, exported))
        return tree.Load(call.offset, _text(arguments[0].value), bindings)


class _Arranger:
    """Arranges `operand operator operand ...` by precedence."""

    def __init__(self, sequence: list[Any], texts: list[str], starts: list[int]) -> None:
        self._sequence = sequence
        self._texts = texts
        self._starts = starts
        self._at = 0

    def arrange(self, level: int) -> tree.Expression:
        if level == _NOT:
            return self._negation()
        if level == _HIGHEST:
            operand: tree.Expression = self._sequence[self._at]
            if _is_bare_not(operand):
                raise Misplaced("syntax", "`not` needs parentheses here", operand.offset, "write `(not x)`")
            self._at += 1
            return operand
        left = self.arrange(level + 1)
        if self._level() != level:
            return left
        if level < _NOT:
            return self._logical(left, level)
        if level == _COMPARE:
            return self._comparison(left)
        rest = []
        offset = self._starts[self._sequence[self._at]]
        while self._level() == level:
            operator = self._sequence[self._at]
            self._at += 1
            rest.append((self._starts[operator], self._texts[operator], self.arrange(level + 1)))
        return tree.Chain(offset, left, rest)

    def _level(self) -> int:
        return _LEVEL[self._operator()] if self._at < len(self._sequence) else 0

    def _operator(self) -> str:
        text = self._texts[self._sequence[self._at]]
        return "not in" if text.startswith("not") else text

    def _negation(self) -> tree.Expression:
        operand = self._sequence[self._at]
        if not _is_bare_not(operand):
            return self.arrange(_COMPARE)
        nots = []
        while _is_bare_not(operand):
            nots.append(operand)
            operand = operand.operand
        self._sequence[self._at] = operand
        arranged = self.arrange(_COMPARE)
        for each in reversed(nots):
            arranged = tree.Unary(each.offset, "not", arranged)
        return arranged

    def _logical(self, left: tree.Expression, level: int) -> tree.Expression:
        operands = [left]
        offset = self._starts[self._sequence[self._at]]
        operator = self._operator()
        while self._level() == level:
            self._at += 1
            operands.append(self.arrange(level + 1))
        return tree.Logical(offset, operator, operands)

    def _comparison(self, left: tree.Expression) -> tree.Expression:
        operator, offset = self._operator(), self._starts[self._sequence[self._at]]
        self._at += 1
        right = self.arrange(_COMPARE + 1)
        if self._level() == _COMPARE:
            again = self._operator()
            message = f"operator '{operator}' is not associative with operator '{again}'"
            hint = "use parentheses, or join two comparisons with `and`"
            raise Misplaced("chained-comparison", message, self._starts[self._sequence[self._at]], hint)
        return tree.Compare(offset, operator, left, right)


def _is_bare_not(value: object) -> bool:
    return isinstance(value, tree.Unary) and value.bare


def _is_text(value: tree.Expression) -> bool:
    return isinstance(value, tree.Literal) and isinstance(value.value, str)


def _text(value: tree.Expression) -> str:
    assert isinstance(value, tree.Literal) and isinstance(value.value, str)
    return value.value


def _start(value: tree.Expression) -> int:
    """Where the expression's first token is, or near it."""
    while value.__class__ not in _ATOMS:
        if isinstance(value, tree.Dot | tree.Index | tree.Slice):
            value = value.value
        elif isinstance(value, tree.Call):
            value = value.function
        elif isinstance(value, tree.Chain):
            value = value.first
        elif isinstance(value, tree.Compare):
            value = value.left
        elif isinstance(value, tree.Logical):
            value = value.operands[0]
        elif isinstance(value, tree.Conditional):
            value = value.then
        else:
            break
    return value.offset
