"""The syntax tree. Each node knows where it starts, in characters from the beginning of the file.

What can be long in a flat program is flat here: `Chain`, `Logical` and `If` hold lists, so that a sum of a hundred
thousand terms is one node.
"""

from __future__ import annotations

from dataclasses import dataclass

from mlbuild.diagnostics import Diagnostic


@dataclass(slots=True)
class Node:
    offset: int


@dataclass(slots=True)
class Name(Node):
    name: str


@dataclass(slots=True)
class Literal(Node):
    value: str | bytes | int | float


@dataclass(slots=True)
class Items(Node):
    """A list or a tuple as written."""

    items: list[Expression]


@dataclass(slots=True)
class ListDisplay(Items):
    pass


@dataclass(slots=True)
class TupleDisplay(Items):
    pass


@dataclass(slots=True)
class DictDisplay(Node):
    entries: list[tuple[Expression, Expression]]


@dataclass(slots=True)
class ForClause(Node):
    target: Expression
    iterable: Expression


@dataclass(slots=True)
class IfClause(Node):
    condition: Expression


@dataclass(slots=True)
class Comprehension(Node):
    """`key` is set for a dict's."""

    key: Expression | None
    body: Expression
    clauses: list[ForClause | IfClause]


@dataclass(slots=True)
class Conditional(Node):
    condition: Expression
    then: Expression
    otherwise: Expression


@dataclass(slots=True)
class Dot(Node):
    """`offset` is the name's."""

    value: Expression
    name: str


@dataclass(slots=True)
class Argument(Node):
    """`kind` is "" (positional), "=" (keyword), "*" or "**"."""

    kind: str
    name: str
    value: Expression


@dataclass(slots=True)
class Call(Node):
    """`offset` is that of the function's last name, or of the parenthesis."""

    function: Expression
    arguments: list[Argument]


@dataclass(slots=True)
class Index(Node):
    value: Expression
    key: Expression


@dataclass(slots=True)
class Slice(Node):
    value: Expression
    start: Expression | None
    stop: Expression | None
    step: Expression | None


@dataclass(slots=True)
class Unary(Node):
    """`bare` while a `not` has no parentheses around it: the builder needs it to arrange what follows."""

    operator: str
    operand: Expression
    bare: bool = False


@dataclass(slots=True)
class Chain(Node):
    """Operators of one precedence from left to right: (offset of the operator, operator, right operand)."""

    first: Expression
    rest: list[tuple[int, str, Expression]]


@dataclass(slots=True)
class Compare(Node):
    """`offset` is the operator's; comparisons do not chain."""

    operator: str
    left: Expression
    right: Expression


@dataclass(slots=True)
class Logical(Node):
    """`and` or `or` of all the operands."""

    operator: str
    operands: list[Expression]


@dataclass(slots=True)
class Parameter(Node):
    """`kind` is "" (plain), "*" (with a name: takes the rest; without: separates) or "**"."""

    kind: str
    name: str
    default: Expression | None


@dataclass(slots=True)
class Lambda(Node):
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


@dataclass(slots=True)
class ExpressionStatement(Node):
    value: Expression


@dataclass(slots=True)
class Assign(Node):
    """`offset` is the operator's; `operator` is "=" or an augmented one."""

    operator: str
    target: Expression
    value: Expression


@dataclass(slots=True)
class Def(Node):
    """`offset` is the name's."""

    name: str
    parameters: list[Parameter]
    body: list[Statement]


@dataclass(slots=True)
class For(Node):
    target: Expression
    iterable: Expression
    body: list[Statement]


@dataclass(slots=True)
class If(Node):
    """The `if` and every `elif`, then the `else`."""

    branches: list[tuple[Expression, list[Statement]]]
    otherwise: list[Statement]


@dataclass(slots=True)
class Return(Node):
    value: Expression | None


@dataclass(slots=True)
class Branch(Node):
    """`break`, `continue` or `pass`."""

    word: str


@dataclass(slots=True)
class Load(Node):
    """`load(module, local = "exported")`: bindings are (offset, local, exported)."""

    module: str
    bindings: list[tuple[int, str, str]]


Statement = ExpressionStatement | Assign | Def | For | If | Return | Branch | Load


@dataclass(slots=True)
class File:
    """One parsed file."""

    path: str
    text: str
    statements: list[Statement]
    mistakes: tuple[Diagnostic, ...] = ()
    """What the parser could read and the language refuses: told with all that the resolver finds."""
