"""Statements with the comments and empty lines between them, which the parser's tables do not see."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import takewhile
from typing import NamedTuple

from mlbuild.lang.formatting.comments import comment_at
from mlbuild.lang.formatting.nodes import Block, Comment, CommentBlock, If, Node, is_block
from mlbuild.lang.syntax.scan import COMMENT, NEWLINE, Tokens


class Suite(NamedTuple):
    """The statements of a block; `last` is what a comment that follows belongs to, `stop` the first token after it."""

    statements: list[Node]
    last: Node | None
    stop: int


class Nested(NamedTuple):
    """A statement with blocks, as `Suite`."""

    node: Block
    last: Node | None
    stop: int


class Gaps:
    """What stands between statements: comments, and empty lines (None)."""

    def __init__(self, tokens: Tokens, lines: list[int]) -> None:
        self._tokens = tokens
        self._lines = lines

    def after(self, index: int) -> Iterator[Comment | None]:
        """From the token on, which begins a line, to the next that is code."""
        kinds = self._tokens.kinds
        while index < len(kinds) and kinds[index] in (COMMENT, NEWLINE):
            if kinds[index] == NEWLINE:
                yield None
            elif self._tokens.texts[index][0] == "#":
                yield comment_at(self._tokens, index, self._lines[index])
                index += 1  # the end of its line
            index += 1

    def end(self, index: int) -> int:
        """The first token of code."""
        kinds = self._tokens.kinds
        while index < len(kinds) and kinds[index] in (COMMENT, NEWLINE):
            index += 1
        return index

    def end_of_blank(self, index: int) -> int:
        """The first token that is no empty line."""
        while self.kind(index) == NEWLINE:
            index += 1
        return index

    def column(self, offset: int) -> int:
        """The column of a character, from 1."""
        return offset - self._tokens.text.rfind("\n", 0, offset)

    def kind(self, index: int) -> str:
        """The kind of the token, nothing at the end of the file."""
        return self._tokens.kinds[index] if index < len(self._tokens.kinds) else ""


class Statements:
    """The statements of a file or a block while they are read."""

    def __init__(self, gaps: Gaps, stop: int | None) -> None:
        self.found: list[Node] = []
        self.last: Node | None = None
        """What a comment that follows belongs to; none after an empty line."""
        self._gaps = gaps
        self._stop = stop

    def add(self, statements: list[Node], stop: int) -> None:
        """Takes the statements of a line; `stop` is the first token of the next line."""
        self.take_gap()
        self._take(statements, statements[-1])
        self._stop = stop

    def add_nested(self, nested: Nested) -> None:
        """Takes a statement with blocks, and what stands at its end but belongs further out."""
        self.take_gap()
        trailing = _take_dedented(nested.node, self._gaps.column)
        last: Node | None = nested.node
        if trailing:
            last = trailing[-1] if nested.last is not None else None
        self._take([nested.node, *trailing], last)
        self._stop = nested.stop

    def take_gap(self) -> None:
        """Takes the comments and empty lines up to the next statement."""
        if self._stop is None:
            return
        for comment in self._gaps.after(self._stop):
            if comment is None:
                self.last = None
                continue
            # A comment below a block stands for itself, as it will when the block has been written on lines of its own.
            if self.last is None or is_block(self.last):
                self.last = comment_block(comment)
                self.found.append(self.last)
            else:
                self.last.after += (comment,)
        self._stop = self._gaps.end(self._stop)

    def suite(self, begin: int, stop: int) -> Suite:
        """The block that they are; `begin` is the first token after the line that opens it, `stop` that after its end."""
        self._stop = self._stop or stop
        self.take_gap()
        statements = self.found
        blocks = comment_blocks(self._gaps.after(begin))
        if blocks:
            first = statements[0]
            if first.line - blocks[-1].after[-1].line == 1:
                first.before = blocks.pop().after
            statements = [*blocks, *statements]
        return Suite(statements, self.last, stop)

    def _take(self, statements: list[Node], last: Node | None) -> None:
        if isinstance(self.last, CommentBlock):
            self.found.pop()
        if self.last is not None:
            statements[0].before = self.last.after
            self.last.after = ()
        self.found += statements
        self.last = last


def comment_blocks(gap: Iterator[Comment | None]) -> list[Node]:
    """The comments, in blocks that empty lines separate."""
    blocks: list[Node] = []
    is_going_on = False
    for comment in gap:
        if comment is not None and is_going_on:
            blocks[-1].after += (comment,)
        elif comment is not None:
            blocks.append(comment_block(comment))
        is_going_on = comment is not None
    return blocks


def comment_block(comment: Comment) -> CommentBlock:
    """A block of one comment."""
    return CommentBlock(comment.offset, comment.offset, comment.line, comment.line, after=(comment,))


def settle(block: Block) -> None:
    """The end of the block is that of its last statement."""
    last = (block.otherwise if isinstance(block, If) and block.otherwise else block.body)[-1]
    block.end, block.last_line = last.end, last.last_line


def _take_dedented(block: Block, column: Callable[[int], int]) -> list[Node]:
    """Takes the comments at the end of the block's last suite that are indented less than the suite."""
    chain = [block]
    while isinstance(inner := chain[-1], If) and len(inner.otherwise) == 1 and isinstance(inner.otherwise[0], If):
        chain.append(inner.otherwise[0])
    owner = chain[-1]
    body = owner.otherwise if isinstance(owner, If) and owner.otherwise else owner.body
    found: list[Node] = []
    indentation = column(body[0].start)
    first = max((index for index, each in enumerate(body) if not isinstance(each, CommentBlock)), default=len(body))
    for index in range(first, len(body)):
        statement = body[index]
        kept = tuple(takewhile(lambda each: each.column >= indentation, statement.after))
        if len(kept) == len(statement.after):
            continue
        outer = statement.after[len(kept) :]
        statement.after = kept
        found.append(CommentBlock(outer[0].offset, outer[0].offset, outer[0].line, outer[0].line, after=outer))
        found += body[index + 1 :]
        del body[index + 1 if kept or index == first else index :]
        break
    for each in reversed(chain):
        settle(each)
    return found
