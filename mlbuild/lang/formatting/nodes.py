"""The concrete tree: what the formatter keeps of a file, with its comments, its parentheses and the lines that things stand on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple


class Comment(NamedTuple):
    """A comment and where it stands; an empty text is an empty line that stood between comments."""

    offset: int
    column: int
    line: int
    text: str


@dataclass(slots=True, eq=False)
class Node:
    """A part of the file from `start` to `end` (offsets), on the lines `line` to `last_line`."""

    PARTS: ClassVar[tuple[str, ...]] = ()
    """The fields that hold nodes, or lists of them, in the order of the text."""

    start: int
    end: int
    line: int
    last_line: int
    before: tuple[Comment, ...] = field(default=(), kw_only=True)
    """Comments on lines of their own."""
    suffix: tuple[Comment, ...] = field(default=(), kw_only=True)
    """Comments at the end of the line."""
    after: tuple[Comment, ...] = field(default=(), kw_only=True)
    """Of statements: comments on lines of their own, right below."""

    def parts(self) -> list[Node]:
        """The nodes in it, in the order of the text."""
        found: list[Node] = []
        for name in self.PARTS:
            part = getattr(self, name)
            if isinstance(part, list):
                found += part
            elif part is not None:
                found.append(part)
        return found

    def take_comments(self, other: Node) -> None:
        """Takes the comments of a node that is to go."""
        self.before += other.before + other.after
        self.suffix += other.suffix

    def has_comment(self, words: str) -> bool:
        """Whether a comment of this node says the words, in whatever case."""
        every = self.before + self.after + self.suffix
        return bool(every) and any(words in comment.text.lower() for comment in every)


@dataclass(slots=True, eq=False)
class Close(Node):
    """A closing bracket, or the word `else` or `elif`: comments hang there."""


@dataclass(slots=True, eq=False)
class CommentBlock(Node):
    """Comments that belong to no statement; they are its `after`."""


@dataclass(slots=True, eq=False)
class Name(Node):
    name: str


@dataclass(slots=True, eq=False)
class Typed(Node):
    PARTS = ("type",)
    name: Name
    type: Node


@dataclass(slots=True, eq=False)
class Number(Node):
    token: str


@dataclass(slots=True, eq=False)
class String(Node):
    """A string literal as written, and its value."""

    token: str
    value: str


@dataclass(slots=True, eq=False)
class Dot(Node):
    PARTS = ("value",)
    value: Node
    name: str
    name_line: int


@dataclass(slots=True, eq=False)
class Index(Node):
    PARTS = ("value", "key", "close")
    value: Node
    key: Node
    close: Close


@dataclass(slots=True, eq=False)
class Slice(Node):
    """`has_step` if the second colon is there."""

    PARTS = ("value", "begin", "stop", "step", "close")
    value: Node
    begin: Node | None
    stop: Node | None
    step: Node | None
    has_step: bool
    close: Close


@dataclass(slots=True, eq=False)
class Unary(Node):
    """Also `*args` and `**kwargs`; a lone `*` has no operand."""

    PARTS = ("operand",)
    operator: str
    operand: Node | None


@dataclass(slots=True, eq=False)
class Binary(Node):
    """`breaks` if the right side stands on a later line."""

    PARTS = ("left", "right")
    left: Node
    operator: str
    right: Node
    breaks: bool


@dataclass(slots=True, eq=False)
class Assign(Node):
    """Also `name = value` among arguments and parameters."""

    PARTS = ("left", "right")
    left: Node
    operator: str
    right: Node
    breaks: bool


@dataclass(slots=True, eq=False)
class Conditional(Node):
    PARTS = ("then", "condition", "otherwise")
    then: Node
    condition: Node
    otherwise: Node


@dataclass(slots=True, eq=False)
class Lambda(Node):
    PARTS = ("parameters", "body")
    parameters: list[Node]
    body: Node


@dataclass(slots=True, eq=False)
class Call(Node):
    """`is_compact` and `is_open` say how it was written: simple arguments on one line, or one on a line of its own."""

    PARTS = ("function", "arguments", "close")
    function: Node
    arguments: list[Node]
    close: Close
    open_line: int
    is_compact: bool
    is_open: bool


@dataclass(slots=True, eq=False)
class Load(Node):
    """`bindings` are pairs of the local name and the name in the module."""

    module: String
    bindings: list[tuple[Name, Name]]
    close: Close
    is_compact: bool

    def parts(self) -> list[Node]:
        return [self.module, *(name for pair in self.bindings for name in pair), self.close]


@dataclass(slots=True, eq=False)
class ListDisplay(Node):
    PARTS = ("items", "close")
    items: list[Node]
    close: Close
    is_open: bool


@dataclass(slots=True, eq=False)
class TupleDisplay(Node):
    PARTS = ("items", "close")
    items: list[Node]
    close: Close
    is_compact: bool
    is_open: bool


@dataclass(slots=True, eq=False)
class BareTuple(Node):
    """A tuple without parentheses."""

    PARTS = ("items",)
    items: list[Node]


@dataclass(slots=True, eq=False)
class Parenthesised(Node):
    PARTS = ("inner", "close")
    inner: Node
    close: Close
    is_open: bool


@dataclass(slots=True, eq=False)
class Entry(Node):
    PARTS = ("key", "value")
    key: Node
    value: Node


@dataclass(slots=True, eq=False)
class DictDisplay(Node):
    PARTS = ("items", "close")
    items: list[Node]
    close: Close
    is_open: bool


@dataclass(slots=True, eq=False)
class Comprehension(Node):
    PARTS = ("body", "clauses", "close")
    brackets: str
    body: Node
    clauses: list[Node]
    close: Close
    is_open: bool


@dataclass(slots=True, eq=False)
class ForClause(Node):
    PARTS = ("targets", "iterable")
    targets: Node
    iterable: Node


@dataclass(slots=True, eq=False)
class IfClause(Node):
    PARTS = ("condition",)
    condition: Node


@dataclass(slots=True, eq=False)
class Branch(Node):
    """`break`, `continue` or `pass`."""

    word: str


@dataclass(slots=True, eq=False)
class Return(Node):
    PARTS = ("value",)
    value: Node | None


@dataclass(slots=True, eq=False)
class Def(Node):
    PARTS = ("parameters", "body")
    name: str
    parameters: list[Node]
    type: Node | None
    body: list[Node]


@dataclass(slots=True, eq=False)
class For(Node):
    PARTS = ("targets", "iterable", "body")
    targets: Node
    iterable: Node
    body: list[Node]


@dataclass(slots=True, eq=False)
class While(Node):
    PARTS = ("condition", "body")
    condition: Node
    body: list[Node]


@dataclass(slots=True, eq=False)
class If(Node):
    """An `elif` is an `If` that is alone in `otherwise`."""

    PARTS = ("condition", "body", "else_mark", "otherwise")
    condition: Node
    body: list[Node]
    else_mark: Close | None = None
    otherwise: list[Node] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class File(Node):
    PARTS = ("statements",)
    statements: list[Node]
    text: str
    has_parentheses: bool
    """Whether an expression stands in parentheses of its own."""


Block = Def | For | While | If


def is_block(node: Node | None) -> bool:
    """Whether statements are nested in it."""
    return isinstance(node, Def | For | While | If)


def walk(root: Node) -> Iterator[Node]:
    """Every node but closing brackets, outer before inner. The tree may be edited below the node."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += [part for part in reversed(node.parts()) if part.__class__ is not Close]
