"""The order of a call's arguments."""

from __future__ import annotations

from mlbuild.lang.formatting.attributes import PLACES
from mlbuild.lang.formatting.marks import walk_unless_left_alone
from mlbuild.lang.formatting.nodes import Assign, Call, Dot, File, Name, Node, Unary, walk


def sort_arguments(file: File) -> None:
    """Named arguments at the end of a call: `name` first, then by their place in the table, then by name."""
    for node in walk_unless_left_alone(file):
        if not isinstance(node, Call):
            continue
        start = len(node.arguments)
        while start and argument_name(node.arguments[start - 1]):
            start -= 1
        node.arguments[start:] = sorted(node.arguments[start:], key=_place)


def order_kinds_of_arguments(file: File) -> None:
    """Positional arguments, then named ones, then `*args`, then `**kwargs`."""
    for node, _ in walk(file):
        if isinstance(node, Call):
            node.arguments.sort(key=_rank)


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
