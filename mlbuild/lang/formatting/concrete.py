"""What each reduction of the grammar makes of the concrete tree: the methods that `grammar.lark` names."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

from mlbuild.lang.formatting.nodes import (
    Assign,
    BareTuple,
    Binary,
    Block,
    Branch,
    Call,
    Close,
    Comprehension,
    Conditional,
    Def,
    DictDisplay,
    Dot,
    Entry,
    For,
    ForClause,
    If,
    IfClause,
    Index,
    Lambda,
    ListDisplay,
    Load,
    Name,
    Node,
    Number,
    Parenthesised,
    Return,
    Slice,
    String,
    TupleDisplay,
    Typed,
    Unary,
    While,
)
from mlbuild.lang.formatting.statements import Gaps, Nested, Statements, Suite, settle
from mlbuild.lang.formatting.strings import value_of
from mlbuild.lang.syntax.scan import Tokens

Children = list[Any]

LEVELS = {
    "or": 1,
    "and": 2,
    **dict.fromkeys(("==", "!=", "<", ">", "<=", ">=", "in", "not in"), 3),
    "|": 4,
    "^": 5,
    "&": 6,
    **dict.fromkeys(("<<", ">>"), 7),
    **dict.fromkeys(("+", "-"), 8),
    **dict.fromkeys(("*", "/", "//", "%"), 9),
}
"""How tightly the operators bind."""


class ConcreteBuilder:
    """Makes the concrete tree of one file; see `Builder` for how methods are called."""

    def __init__(self, tokens: Tokens) -> None:
        self._texts = tokens.texts
        self._starts = tokens.starts
        self._kinds = tokens.kinds
        self.lines = list(accumulate((text.count("\n") for text in tokens.texts), initial=1))
        self._gaps = Gaps(tokens, self.lines)
        self._file: Statements | None = None
        self.has_parentheses = False

    # Where things stand
    def _where(self, first: Any, last: Any) -> tuple[int, int, int, int]:
        """Start, end and lines of what goes from one token or node to another."""
        start, line = (self._starts[first], self.lines[first]) if isinstance(first, int) else (first.start, first.line)
        if isinstance(last, int):
            return start, self._starts[last] + len(self._texts[last]), line, self.lines[last + 1]
        return start, last.end, line, last.last_line

    def _close(self, index: int) -> Close:
        return Close(self._starts[index], self._starts[index] + 1, self.lines[index], self.lines[index])

    def _is_open(self, bracket: int, items: list[Node], close: int) -> bool:
        """Whether at most one item stands in the brackets, and not beside both of them."""
        if len(items) > 1:
            return False
        if not items:
            return self.lines[bracket] != self.lines[close]
        return self.lines[bracket] != items[0].line or self.lines[close] != items[0].last_line

    def _is_compact(self, bracket: int, items: list[Node], close: int) -> bool:
        """Whether several simple items stand beside each other and beside the brackets."""
        if len(items) < 2:
            return False
        line = self.lines[bracket]
        for item in items:
            if item.line != line or not _is_simple(item):
                return False
            line = item.last_line
        return self.lines[close] == line

    # Lists
    def empty(self, _: Children) -> Any:
        statements = Statements(self._gaps, 0 if self._file is None else None)
        if self._file is None:
            self._file = statements
        return statements

    def first(self, c: Children) -> Any:
        return self._simple_suite(c[0], c[-1]) if self._ends_line(c) and isinstance(c[0], list) else c[0]

    def third(self, c: Children) -> Any:
        return c[2].suite(c[0] + 1, c[3])

    def nothing(self, _: Children) -> Any:
        return None

    def one(self, c: Children) -> Any:
        return self._simple_suite([c[0]], c[-1]) if self._ends_line(c) else [c[0]]

    def pair(self, c: Children) -> Any:
        return [c[0], c[2]]

    def triple(self, c: Children) -> Any:
        return [c[0], c[1], c[2]]

    def append(self, c: Children) -> Any:
        if not isinstance(c[0], Statements):
            c[0].append(c[1])
        elif isinstance(c[1], Nested):
            c[0].add_nested(c[1])
        else:
            c[0].add([c[1]], c[-1] + 1)
        return c[0]

    def append_two(self, c: Children) -> Any:
        c[0].append(c[1])
        c[0].append(c[2])
        return c[0]

    def append_after(self, c: Children) -> Any:
        c[0].append(c[2])
        return c[0]

    def extend(self, c: Children) -> Any:
        c[0].add(c[1], c[-1] + 1)
        return c[0]

    def _ends_line(self, c: Children) -> bool:
        last = c[-1]
        return isinstance(last, int) and self._gaps.kind(last) in ("\n", "")

    def _simple_suite(self, statements: list[Node], newline: int) -> Suite:
        """The block that stands on the line which opens it."""
        stop = self._gaps.end(newline + 1)
        if self._gaps.kind(stop) not in ("ELSE", "ELIF"):
            return Suite(statements, statements[-1], self._gaps.end_of_blank(newline + 1))
        collected = Statements(self._gaps, newline + 1)
        collected.found, collected.last = statements, statements[-1]
        collected.take_gap()
        return Suite(collected.found, collected.last, stop)

    # Statements
    def expression_statement(self, c: Children) -> Any:
        value = c[0]
        is_load = isinstance(value, Call) and isinstance(value.function, Name) and value.function.name == "load"
        return self._load(value) if is_load else value

    def assignment(self, c: Children) -> Any:
        return self._assign(c[0], self._texts[c[1]], c[2])

    def _assign(self, left: Node, operator: str, right: Node) -> Assign:
        return Assign(*self._where(left, right), left, operator, right, left.last_line < right.line)

    def return_nothing(self, c: Children) -> Any:
        return Return(*self._where(c[0], c[0]), None)

    def return_value(self, c: Children) -> Any:
        return Return(*self._where(c[0], c[1]), c[1])

    def branch(self, c: Children) -> Any:
        return Branch(*self._where(c[0], c[0]), self._texts[c[0]])

    def def_statement(self, c: Children) -> Any:
        return self._nested(
            Def(*self._where(c[0], c[5]), self._texts[c[1]], _listed(c[3]), None, c[6].statements), c[6]
        )

    def def_annotated(self, c: Children) -> Any:
        return self._nested(
            Def(*self._where(c[0], c[7]), self._texts[c[1]], _listed(c[3]), c[6], c[8].statements), c[8]
        )

    def while_statement(self, c: Children) -> Any:
        return self._nested(While(*self._where(c[0], c[2]), c[1], c[3].statements), c[3])

    def for_statement(self, c: Children) -> Any:
        return self._nested(For(*self._where(c[0], c[4]), c[1], c[3], c[5].statements), c[5])

    def if_statement(self, c: Children) -> Any:
        return self._if(c)

    def no_tail(self, _: Children) -> Any:
        return None

    def else_tail(self, c: Children) -> Any:
        return self._close(c[0]), c[2]

    def elif_tail(self, c: Children) -> Any:
        inner = self._if(c)
        return self._close(c[0]), Suite([inner.node], inner.last, inner.stop)

    def _if(self, c: Children) -> Nested:
        node = If(*self._where(c[0], c[2]), c[1], c[3].statements)
        if c[4] is None:
            return self._nested(node, c[3])
        node.else_mark, suite = c[4]
        node.otherwise = suite.statements
        return self._nested(node, suite)

    def _nested(self, node: Block, suite: Suite) -> Nested:
        settle(node)
        return Nested(node, suite.last, suite.stop)

    # Names and literals
    def name(self, c: Children) -> Any:
        return Name(*self._where(c[0], c[0]), self._texts[c[0]])

    def integer(self, c: Children) -> Any:
        return Number(*self._where(c[0], c[0]), self._texts[c[0]])

    floating = integer

    def string(self, c: Children) -> Any:
        token = self._texts[c[0]]
        return String(*self._where(c[0], c[0]), token, value_of(token))

    # Expressions
    def conditional(self, c: Children) -> Any:
        return Conditional(*self._where(c[0], c[4]), c[0], c[2], c[4])

    def lambda_expression(self, c: Children) -> Any:
        return Lambda(*self._where(c[0], c[3]), _listed(c[1]), c[3])

    def prefix(self, c: Children) -> Any:
        return Unary(*self._where(c[0], c[1]), self._texts[c[0]], c[1])

    def operators(self, c: Children) -> Any:
        """Arranges `operand operator operand ...` by precedence, from left to right."""
        sequence = c[0]
        operands: list[Node] = [sequence[0]]
        waiting: list[str] = []

        def join() -> None:
            right = operands.pop()
            left = operands[-1]
            operands[-1] = Binary(*self._where(left, right), left, waiting.pop(), right, left.last_line < right.line)

        for index in range(1, len(sequence), 2):
            text = self._texts[sequence[index]]
            operator = "not in" if text.startswith("not") else text
            while waiting and LEVELS[waiting[-1]] >= LEVELS[operator]:
                join()
            waiting.append(operator)
            operands.append(sequence[index + 1])
        while waiting:
            join()
        return operands[0]

    def parenthesised(self, c: Children) -> Any:
        self.has_parentheses = True
        is_open = self._is_open(c[0], [c[1]], c[2])
        return Parenthesised(*self._where(c[0], c[2]), c[1], self._close(c[2]), is_open)

    def dot(self, c: Children) -> Any:
        return Dot(*self._where(c[0], c[2]), c[0], self._texts[c[2]], self.lines[c[2]])

    def call_empty(self, c: Children) -> Any:
        return self._call(c[0], c[1], [], c[2])

    def call(self, c: Children) -> Any:
        return self._call(c[0], c[1], c[2], c[-1])

    def _call(self, function: Node, bracket: int, arguments: list[Node], close: int) -> Call:
        return Call(
            *self._where(function, close),
            function,
            arguments,
            self._close(close),
            self.lines[bracket],
            self._is_compact(bracket, arguments, close),
            self._is_open(bracket, arguments, close),
        )

    def index(self, c: Children) -> Any:
        return Index(*self._where(c[0], c[3]), c[0], c[2], self._close(c[3]))

    def slice_two(self, c: Children) -> Any:
        return Slice(*self._where(c[0], c[5]), c[0], self._bare(c[2]), c[4], None, False, self._close(c[5]))

    def slice_three(self, c: Children) -> Any:
        return Slice(*self._where(c[0], c[7]), c[0], self._bare(c[2]), c[4], c[6], True, self._close(c[7]))

    def _bare(self, value: Any) -> Any:
        return self.bare_tuple([value]) if isinstance(value, list) else value

    def list_empty(self, c: Children) -> Any:
        return self._list([], c)

    def list_display(self, c: Children) -> Any:
        return self._list(c[1], c)

    def _list(self, items: list[Node], c: Children) -> ListDisplay:
        is_open = self._is_open(c[0], items, c[-1])
        return ListDisplay(*self._where(c[0], c[-1]), items, self._close(c[-1]), is_open)

    def list_comprehension(self, c: Children) -> Any:
        return self._comprehension("[]", c[1], c)

    def dict_comprehension(self, c: Children) -> Any:
        return self._comprehension("{}", self._entry(c[1], c[3]), c)

    def _comprehension(self, brackets: str, body: Node, c: Children) -> Comprehension:
        clauses, close = c[-2], c[-1]
        line, is_open = self.lines[c[0]], False
        for part in (body, *clauses):
            is_open = is_open or part.line != line
            line = part.last_line
        is_open = is_open or self.lines[close] != line
        return Comprehension(*self._where(c[0], close), brackets, body, clauses, self._close(close), is_open)

    def dict_empty(self, c: Children) -> Any:
        return self._dict([], c)

    def dict_display(self, c: Children) -> Any:
        return self._dict(c[1], c)

    def _dict(self, items: list[Node], c: Children) -> DictDisplay:
        is_open = self._is_open(c[0], items, c[-1])
        return DictDisplay(*self._where(c[0], c[-1]), items, self._close(c[-1]), is_open)

    def _entry(self, key: Node, value: Node) -> Entry:
        return Entry(*self._where(key, value), key, value)

    def entry_first(self, c: Children) -> Any:
        return [self._entry(c[0], c[2])]

    def entry_more(self, c: Children) -> Any:
        c[0].append(self._entry(c[2], c[4]))
        return c[0]

    def tuple_empty(self, c: Children) -> Any:
        return self._tuple([], c)

    def tuple_single(self, c: Children) -> Any:
        return self._tuple([c[1]], c)

    def tuple_display(self, c: Children) -> Any:
        return self._tuple(c[1], c)

    def _tuple(self, items: list[Node], c: Children) -> TupleDisplay:
        return TupleDisplay(
            *self._where(c[0], c[-1]),
            items,
            self._close(c[-1]),
            self._is_compact(c[0], items, c[-1]),
            self._is_open(c[0], items, c[-1]),
        )

    def bare_tuple(self, c: Children) -> Any:
        return BareTuple(*self._where(c[0][0], c[0][-1]), c[0])

    def bare_tuple_trailing(self, c: Children) -> Any:
        return self.bare_tuple([c[0] if isinstance(c[0], list) else [c[0]]])

    def for_clause(self, c: Children) -> Any:
        return ForClause(*self._where(c[0], c[3]), c[1], c[3])

    def if_clause(self, c: Children) -> Any:
        return IfClause(*self._where(c[0], c[1]), c[1])

    def if_lambda(self, c: Children) -> Any:
        return self.if_clause([c[0], self.lambda_expression(c[1:])])

    # Arguments, parameters and loads
    def positional(self, c: Children) -> Any:
        return c[0]

    def keyword(self, c: Children) -> Any:
        return self._assign(self.name(c), "=", c[2])

    def unpacked(self, c: Children) -> Any:
        return self.prefix(c)

    def parameter(self, c: Children) -> Any:
        return self.name(c)

    def parameter_default(self, c: Children) -> Any:
        return self.keyword(c)

    def parameter_rest(self, c: Children) -> Any:
        return self.prefix([c[0], self.name(c[1:])])

    def parameter_star(self, c: Children) -> Any:
        return Unary(*self._where(c[0], c[0]), self._texts[c[0]], None)

    def annotated(self, c: Children) -> Any:
        return self._typed(c[0], c[2])

    def annotated_default(self, c: Children) -> Any:
        return self._assign(self._typed(c[0], c[2]), "=", c[4])

    def annotated_rest(self, c: Children) -> Any:
        return self.prefix([c[0], self._typed(c[1], c[3])])

    def _typed(self, name: int, type: Node) -> Typed:
        return Typed(*self._where(name, type), self.name([name]), type)

    def _load(self, call: Call) -> Load:
        bindings = []
        for argument in call.arguments[1:]:
            exported = argument.right if isinstance(argument, Assign) else argument
            assert isinstance(exported, String)
            start = exported.start + (
                3 if exported.token[1:3] == exported.token[:1] * 2 and len(exported.token) > 5 else 1
            )
            name = _named(start, exported)
            local = argument.left if isinstance(argument, Assign) else _named(start, exported)
            assert isinstance(local, Name)
            bindings.append((local, name))
        module = call.arguments[0]
        assert isinstance(module, String)
        is_compact = call.open_line == call.last_line
        return Load(call.start, call.end, call.line, call.last_line, module, bindings, call.close, is_compact)


def _named(start: int, string: String) -> Name:
    return Name(start, start + len(string.value), string.line, string.line, string.value)


def _listed(parameters: list[Node] | Statements) -> list[Node]:
    return parameters if isinstance(parameters, list) else []


def _is_simple(node: Node) -> bool:
    if isinstance(node, Unary):
        return isinstance(node.operand, Name | Number)
    if isinstance(node, ListDisplay | TupleDisplay | DictDisplay):
        return not node.items
    return isinstance(node, Name | Number | String)
