"""The order of a call's arguments."""

from __future__ import annotations

from mlbuild.lang.formatting.attributes import PLACES
from mlbuild.lang.formatting.nodes import Assign, Call, Dot, Name, Node, Unary


def sort_arguments(calls: list[Call]) -> None:
    """Named arguments at the end of a call: `name` first, then by their place in the table, then by name."""
    for call in calls:
        start = len(call.arguments)
        while start and argument_name(call.arguments[start - 1]):
            start -= 1
        call.arguments[start:] = sorted(call.arguments[start:], key=_place)


def order_kinds_of_arguments(calls: list[Call]) -> None:
    """Positional arguments, then named ones, then `*args`, then `**kwargs`."""
    for call in calls:
        call.arguments.sort(key=_rank)


def argument_name(argument: Node) -> str:
    """The name of a named argument, else nothing."""
    return argument.left.name if isinstance(argument, Assign) and isinstance(argument.left, Name) else ""


def callee(call: Call) -> str:
    """The dotted name of what is called, or nothing."""
    names: list[str] = []
    function = call.function
    while isinstance(function, Dot):
        names.append(function.name)
        function = function.value
    if not isinstance(function, Name):
        return ""
    return ".".join([function.name, *reversed(names)])


def _place(argument: Node) -> tuple[int, str]:
    name = argument_name(argument)
    return PLACES.get(name, 0), name


def _rank(argument: Node) -> int:
    if isinstance(argument, Unary):
        return {"*": 3, "**": 4}.get(argument.operator, 1)
    return 2 if isinstance(argument, Assign) else 1
