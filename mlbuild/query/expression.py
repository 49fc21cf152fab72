"""Query expressions as trees. Every node knows its place in the text, for errors."""

from __future__ import annotations

import re
from enum import Enum

from mlbuild.query.functions import Function
from mlbuild.records import record


class Operator(Enum):
    """The operations on sets; all bind alike, from the left."""

    UNION = "union"
    EXCEPT = "except"
    INTERSECT = "intersect"


@record
class Pattern:
    """A target pattern: a label, or what stands for many."""

    text: str
    offset: int


@record
class Variable:
    """`$name`, bound by a `let` around it."""

    name: str
    offset: int


@record
class Let:
    """`let name = value in body`."""

    name: str
    value: Expression
    body: Expression
    offset: int


@record
class Operation:
    """`first op next op next ...`, from left to right."""

    first: Expression
    rest: tuple[tuple[Operator, Expression], ...]
    offset: int


@record
class SetOf:
    """`set(pattern pattern ...)`."""

    patterns: tuple[Pattern, ...]
    offset: int


@record
class Call:
    """A function and its arguments, each of the kind that the function's parameter says."""

    function: Function
    arguments: tuple[Expression | str | int | re.Pattern[str], ...]
    offset: int


Expression = Pattern | Variable | Let | Operation | SetOf | Call


def is_path(expression: Expression) -> bool:
    """Whether the answer is one path, which is shown in its own order."""
    while isinstance(expression, Let):
        expression = expression.body
    return isinstance(expression, Call) and expression.function.name == "somepath"
