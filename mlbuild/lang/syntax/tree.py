"""The syntax tree. Each node knows where it starts, in characters from the beginning of the file.

Nodes are tuples, which Python makes three times as fast as other objects: two of different classes may be equal.

What can be long in a flat program is flat here: `Chain`, `Logical` and `If` hold lists, so that a sum of a hundred
thousand terms is one node.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mlbuild.diagnostics import Diagnostic


class Name(NamedTuple):
    offset: int
    name: str


class Literal(NamedTuple):
    offset: int
    value: str | bytes | int | float


class ListDisplay(NamedTuple):
    offset: int
    items: list[Expression]


class TupleDisplay(NamedTuple):
    """With or without parentheses."""

    offset: int
    items: list[Expression]


class DictDisplay(NamedTuple):
    offset: int
    entries: list[tuple[Expression, Expression]]


class ForClause(NamedTuple):
    offset: int
    target: Expression
    iterable: Expression


class IfClause(NamedTuple):
    offset: int
    condition: Expression


class Comprehension(NamedTuple):
    """`key` is set for a dict's."""

    offset: int
    key: Expression | None
    body: Expression
    clauses: list[ForClause | IfClause]


class Conditional(NamedTuple):
    offset: int
    condition: Expression
    then: Expression
    otherwise: Expression


class Dot(NamedTuple):
    """`offset` is the name's."""

    offset: int
    value: Expression
    name: str


class Argument(NamedTuple):
    """`kind` is "" (positional), "=" (keyword), "*" or "**"."""

    offset: int
    kind: str
    name: str
    value: Expression


class Call(NamedTuple):
    """`offset` is that of the function's last name, or of the parenthesis."""

    offset: int
    function: Expression
    arguments: list[Argument]


class Index(NamedTuple):
    offset: int
    value: Expression
    key: Expression


class Slice(NamedTuple):
    offset: int
    value: Expression
    start: Expression | None
    stop: Expression | None
    step: Expression | None


class Unary(NamedTuple):
    """`bare` while a `not` has no parentheses around it: the builder needs it to arrange what follows."""

    offset: int
    operator: str
    operand: Expression
    bare: bool = False


class Chain(NamedTuple):
    """Operators of one precedence from left to right: (offset of the operator, operator, right operand)."""

    offset: int
    first: Expression
    rest: list[tuple[int, str, Expression]]


class Compare(NamedTuple):
    """`offset` is the operator's; comparisons do not chain."""

    offset: int
    operator: str
    left: Expression
    right: Expression


class Logical(NamedTuple):
    """`and` or `or` of all the operands."""

    offset: int
    operator: str
    operands: list[Expression]


class Parameter(NamedTuple):
    """`kind` is "" (plain), "*" (with a name: takes the rest; without: separates) or "**"."""

    offset: int
    kind: str
    name: str
    default: Expression | None
    annotation: Expression | None = None
    """Read and not looked at: no name in it need exist."""


class Lambda(NamedTuple):
    offset: int
    parameters: list[Parameter]
    body: Expression


Expression = (
    Name
    | Literal
    | ListDisplay
    | TupleDisplay
    | DictDisplay
    | Comprehension
    | Conditional
    | Dot
    | Call
    | Index
    | Slice
    | Unary
    | Chain
    | Compare
    | Logical
    | Lambda
)


class ExpressionStatement(NamedTuple):
    offset: int
    value: Expression


class Assign(NamedTuple):
    """`offset` is the operator's; `operator` is "=" or an augmented one."""

    offset: int
    operator: str
    target: Expression
    value: Expression


class Def(NamedTuple):
    """`offset` is the name's."""

    offset: int
    name: str
    parameters: list[Parameter]
    body: list[Statement]
    returns: Expression | None = None
    """The annotation of what it returns: read and not looked at."""


class For(NamedTuple):
    offset: int
    target: Expression
    iterable: Expression
    body: list[Statement]


class While(NamedTuple):
    offset: int
    condition: Expression
    body: list[Statement]


class If(NamedTuple):
    """The `if` and every `elif`, then the `else`."""

    offset: int
    branches: list[tuple[Expression, list[Statement]]]
    otherwise: list[Statement]


class Return(NamedTuple):
    offset: int
    value: Expression | None


class Branch(NamedTuple):
    """`break`, `continue` or `pass`."""

    offset: int
    word: str


class Load(NamedTuple):
    """`load(module, local = "exported")`: bindings are (offset, local, exported)."""

    offset: int
    module: str
    bindings: list[tuple[int, str, str]]


Statement = ExpressionStatement | Assign | Def | For | While | If | Return | Branch | Load


Node = Expression | Statement | Argument | Parameter | ForClause | IfClause


class File(NamedTuple):
    """One parsed file."""

    path: str
    text: str
    statements: list[Statement]
    mistakes: tuple[Diagnostic, ...] = ()
    """What the parser could read and the language refuses: told with all that the resolver finds."""
