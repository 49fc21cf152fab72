"""The concrete tree as text: lines break where the person broke them, all else has one form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mlbuild.lang.formatting.concrete import LEVELS
from mlbuild.lang.formatting.kinds import Kind
from mlbuild.lang.formatting.nodes import (
    Assign,
    BareTuple,
    Binary,
    Branch,
    Call,
    Close,
    CommentBlock,
    Comprehension,
    Conditional,
    Def,
    DictDisplay,
    Dot,
    Entry,
    File,
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
from mlbuild.lang.formatting.paper import Paper
from mlbuild.lang.formatting.spacing import Form, Sequence, has_comma_at_end, is_on_one_line, stand_together
from mlbuild.lang.formatting.strings import quote, written

_INDENT = 4
_PARAMETER_INDENT = 8

# How tightly what is around an expression binds it; an operator binds by its level, and what is added to it.
_LOW, _ASSIGN, _COLON, _IF_ELSE, _BELOW_OPERATORS, _UNARY, _SUFFIX = 0, 1, 2, 3, 3, 13, 14


class Printer:
    """Writes one file."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._paper = Paper()
        self._write = self._paper.write
        self._level = 0
        """How many blocks the statement is in."""
        self._printers: dict[type[Node], Callable[[Any], None]] = {
            CommentBlock: lambda _: None,
            Number: lambda node: self._write(node.token),
            Name: lambda node: self._write(node.name),
            Branch: lambda node: self._write(node.word),
            String: self._string,
            Typed: self._typed,
            Dot: self._dot,
            Index: self._index,
            Slice: self._slice,
            Entry: self._entry,
            Unary: self._unary,
            Lambda: self._lambda,
            Assign: self._assign,
            Parenthesised: self._parenthesised,
            Call: self._call,
            Load: self._load,
            ListDisplay: self._list,
            TupleDisplay: self._tuple,
            BareTuple: self._bare_tuple,
            DictDisplay: self._dict,
            Comprehension: self._comprehension,
            Conditional: self._conditional,
            ForClause: self._for_clause,
            IfClause: self._if_clause,
            Return: self._return,
            Def: self._def,
            For: self._for,
            While: self._while,
            If: self._if,
        }

    def file(self, file: File) -> str:
        """The text of the file."""
        self._paper.comment_lines(file.before)
        self._statements(file.statements)
        self._paper.comment_lines(file.after)
        self._paper.newline_if_needed()
        return self._paper.text()

    # Statements
    def _statements(self, statements: list[Node]) -> None:
        for number, statement in enumerate(statements):
            self._node(statement, _LOW)
            if not isinstance(statement, CommentBlock):
                self._paper.newline_later()
            for comment in statement.after:
                self._paper.newline_if_needed()
                self._write(comment.text.strip())
                self._paper.newline_later()
            if number + 1 < len(statements):
                self._paper.newline()
                if not stand_together(statement, statements[number + 1], self._kind, self._level):
                    self._paper.newline()

    def _block(self, statements: list[Node]) -> None:
        self._write(":")
        self._block_below(statements)

    def _block_below(self, statements: list[Node]) -> None:
        self._paper.margin += _INDENT
        self._level += 1
        self._paper.newline()
        self._statements(statements)
        self._paper.margin -= _INDENT
        self._level -= 1

    def _return(self, node: Return) -> None:
        self._write("return")
        if node.value is not None:
            self._write(" ")
            self._node(node.value, _LOW)

    def _def(self, node: Def) -> None:
        self._write(f"def {node.name}")
        self._sequence(Sequence(Form.PARAMETERS, node.parameters, None, node.line))
        if node.type is not None:
            self._write(" -> ")
            self._node(node.type, _LOW)
        self._block(node.body)

    def _for(self, node: For) -> None:
        self._for_clause(node)
        self._block(node.body)

    def _while(self, node: While) -> None:
        self._write("while ")
        self._node(node.condition, _LOW)
        self._block(node.body)

    def _if(self, node: If) -> None:
        word = "if "
        while True:
            self._paper.newline_if_needed()
            self._write(word)
            self._node(node.condition, _LOW)
            self._block(node.body)
            if (mark := node.else_mark) is None:
                return
            self._paper.newline_if_needed()
            if mark.line - node.body[-1].last_line > 1:
                self._paper.newline()
            following = node.otherwise[0]
            is_chain = len(node.otherwise) == 1 and isinstance(following, If)
            if not is_chain or mark.suffix or following.before:
                break
            assert isinstance(following, If)
            node, word = following, "elif "
        self._write("else:")
        self._paper.waiting += mark.suffix
        self._block_below(node.otherwise)

    # Expressions
    def _node(self, node: Node, around: int) -> None:
        """Writes a node with its comments, in parentheses if what is around would bind its parts more tightly."""
        self._paper.newline_if_needed()
        if isinstance(node, Binary):
            self._binary(node, around)
            return
        if node.before:
            self._paper.comments_before(node.before)
        is_parenthesised = _BINDING.get(type(node), _SUFFIX) < around
        if is_parenthesised:
            self._open()
        self._printers[type(node)](node)
        if is_parenthesised:
            self._shut()
        self._paper.waiting += node.suffix

    def _open(self) -> None:
        self._write("(")
        self._paper.depth += 1

    def _shut(self) -> None:
        self._paper.depth -= 1
        self._write(")")

    def _binary(self, node: Binary, around: int) -> None:
        """A sum of many terms is a tree as deep as it is long: this goes down its left side by a loop."""
        paper = self._paper
        entered: list[tuple[Binary, int, bool]] = []
        left: Node = node
        while isinstance(left, Binary):
            paper.newline_if_needed()
            if left.before:
                paper.comments_before(left.before)
            binding = LEVELS[left.operator] + _BELOW_OPERATORS
            if binding < around:
                self._open()
            entered.append((left, paper.margin, binding < around))
            if left.breaks:
                paper.margin = paper.column()
            left, around = left.left, binding
        self._node(left, around)
        for each, margin, is_parenthesised in reversed(entered):
            self._write(f" {each.operator}")
            self._break_or_space(each.breaks)
            self._node(each.right, LEVELS[each.operator] + _BELOW_OPERATORS + 1)
            paper.margin = margin
            if is_parenthesised:
                self._shut()
            paper.waiting += each.suffix

    def _break_or_space(self, breaks: bool) -> None:
        if breaks:
            self._paper.break_line()
        else:
            self._write(" ")

    def _assign(self, node: Assign) -> None:
        margin = self._paper.margin
        if node.breaks:
            self._paper.margin = self._paper.column() + _INDENT
        self._node(node.left, _ASSIGN)
        self._write(f" {node.operator}")
        self._break_or_space(node.breaks)
        self._node(node.right, _ASSIGN + 1)
        self._paper.margin = margin

    def _string(self, node: String) -> None:
        self._write(written(node.token))

    def _typed(self, node: Typed) -> None:
        self._node(node.name, _LOW)
        self._write(": ")
        self._node(node.type, _LOW)

    def _dot(self, node: Dot) -> None:
        self._node(node.value, _SUFFIX)
        if node.name_line != node.value.last_line:
            self._paper.margin += _INDENT
            self._paper.break_line()
            self._write(f".{node.name}")
            self._paper.margin -= _INDENT
        else:
            # Right after a number, the point would be the number's own.
            self._write(f" .{node.name}" if isinstance(node.value, Number) else f".{node.name}")

    def _index(self, node: Index) -> None:
        self._node(node.value, _SUFFIX)
        self._in_square_brackets(node.close, lambda: self._node(node.key, _LOW))

    def _slice(self, node: Slice) -> None:
        def bounds() -> None:
            self._optional(node.begin)
            self._write(":")
            self._optional(node.stop)
            if node.has_step:
                self._write(":")
                self._optional(node.step)

        self._node(node.value, _SUFFIX)
        self._in_square_brackets(node.close, bounds)

    def _in_square_brackets(self, close: Close, write_inner: Callable[[], None]) -> None:
        paper = self._paper
        self._write("[")
        if not close.before:
            write_inner()
        else:
            # A comment before the closing bracket: buildifier moves it to where the language takes none.
            paper.depth += 1
            paper.margin += _INDENT
            paper.newline()
            write_inner()
            self._closing_comments(close)
            paper.margin -= _INDENT
            paper.newline()
            paper.depth -= 1
        self._write("]")

    def _optional(self, node: Node | None) -> None:
        if node is not None:
            self._node(node, _LOW)

    def _entry(self, node: Entry) -> None:
        self._node(node.key, _LOW)
        self._write(": ")
        self._node(node.value, _LOW)

    def _unary(self, node: Unary) -> None:
        self._write("not " if node.operator == "not" else node.operator)
        if node.operand is not None:
            self._node(node.operand, _SUFFIX)

    def _lambda(self, node: Lambda) -> None:
        self._write("lambda")
        for number, parameter in enumerate(node.parameters):
            self._write(", " if number else " ")
            self._node(parameter, _LOW)
        self._write(": ")
        self._node(node.body, _LOW)

    def _conditional(self, node: Conditional) -> None:
        self._node(node.then, _IF_ELSE)
        self._write(" if ")
        self._node(node.condition, _IF_ELSE)
        self._write(" else ")
        self._node(node.otherwise, _IF_ELSE)

    # Sequences
    def _parenthesised(self, node: Parenthesised) -> None:
        self._sequence(Sequence(Form.PARENTHESES, [node.inner], node.close, node.line, is_open=node.is_open))

    def _call(self, node: Call) -> None:
        self._node(node.function, _SUFFIX)
        self._sequence(
            Sequence(Form.ARGUMENTS, node.arguments, node.close, node.open_line, node.is_compact, node.is_open)
        )

    def _load(self, node: Load) -> None:
        self._write("load")
        items = [node.module, *(_binding(*pair) for pair in node.bindings)]
        self._sequence(Sequence(Form.LOAD, items, node.close, node.line, node.is_compact))

    def _list(self, node: ListDisplay) -> None:
        self._sequence(Sequence(Form.LIST, node.items, node.close, node.line, is_open=node.is_open))

    def _tuple(self, node: TupleDisplay) -> None:
        self._sequence(Sequence(Form.TUPLE, node.items, node.close, node.line, node.is_compact, node.is_open))

    def _bare_tuple(self, node: BareTuple) -> None:
        self._sequence(Sequence(Form.BARE, node.items, None, node.line))

    def _dict(self, node: DictDisplay) -> None:
        self._sequence(Sequence(Form.DICT, node.items, node.close, node.line, is_open=node.is_open))

    def _sequence(self, sequence: Sequence) -> None:
        opening, closing, *_ = sequence.form.value
        paper = self._paper
        self._write(opening)
        paper.depth += 1
        if is_on_one_line(sequence, self._kind, self._level):
            for number, item in enumerate(sequence.items):
                if number:
                    self._write(", ")
                self._node(item, _LOW)
            if sequence.form is Form.TUPLE and len(sequence.items) == 1:
                self._write(",")
        else:
            self._one_a_line(sequence)
        paper.depth -= 1
        self._write(closing)

    def _one_a_line(self, sequence: Sequence) -> None:
        paper, items = self._paper, sequence.items
        indent = _PARAMETER_INDENT if sequence.form is Form.PARAMETERS else _INDENT
        paper.margin += indent
        for number, item in enumerate(items):
            if number == 0 and paper.waiting:
                paper.break_before_comment()
            paper.newline()
            self._node(item, _LOW)
            if number + 1 < len(items) or has_comma_at_end(sequence.form, item):
                self._write(",")
        self._closing_comments(sequence.close)
        paper.margin -= indent
        if sequence.form is not Form.PARAMETERS:
            paper.newline()

    def _closing_comments(self, close: Close | None) -> None:
        for comment in close.before if close is not None else ():
            self._paper.newline()
            self._write(comment.text.strip())

    def _comprehension(self, node: Comprehension) -> None:
        breaks = node.is_open or bool(node.close.before)
        paper = self._paper
        paper.depth += 1
        self._write(node.brackets[0])
        if breaks:
            paper.margin += _INDENT
            paper.newline()
        self._node(node.body, _LOW)
        for clause in node.clauses:
            self._break_or_space(breaks)
            self._node(clause, _LOW)
        if breaks:
            self._closing_comments(node.close)
            paper.margin -= _INDENT
            paper.newline()
        self._write(node.brackets[1])
        paper.depth -= 1

    def _for_clause(self, node: ForClause | For) -> None:
        self._write("for ")
        self._node(node.targets, _LOW)
        self._write(" in ")
        self._node(node.iterable, _LOW)

    def _if_clause(self, node: IfClause) -> None:
        self._write("if ")
        self._node(node.condition, _LOW)


_BINDING: dict[type[Node], int] = {Assign: _ASSIGN, Lambda: _COLON, Unary: _UNARY}


def _binding(local: Name, exported: Name) -> Node:
    """What a `load` says of one name."""
    string = String(
        exported.start,
        exported.end,
        exported.line,
        exported.last_line,
        quote(exported.name),
        exported.name,
        before=exported.before,
        suffix=exported.suffix,
    )
    if local.name == exported.name:
        string.before = local.before + exported.before
        string.suffix = local.suffix + exported.suffix
        return string
    return Assign(local.start, exported.end, local.line, exported.last_line, local, "=", string, False)
