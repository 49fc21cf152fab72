"""What a turn of a loop or a call costs, in steps, as far as the text of the file tells: charged at once, so that nothing is counted
while it runs. A step is at most some 50 nanoseconds, and at most 16 bytes of small values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlbuild.lang.compiler.uses import nodes
from mlbuild.lang.runtime.thread import CALL
from mlbuild.lang.syntax import tree

_COSTS: dict[type, int] = {
    tree.Assign: 1,
    tree.Call: CALL,
    tree.Compare: 3,
    tree.Comprehension: 16,
    tree.Def: 14,
    tree.DictDisplay: 15,
    tree.Dot: 3,
    tree.For: 16,
    tree.Index: 3,
    tree.Lambda: 14,
    tree.ListDisplay: 5,
    tree.Logical: 1,
    tree.Slice: 6,
    tree.TupleDisplay: 4,
    tree.Unary: 2,
}
"""Of one node without what is in it. A loop's own turns are charged when it begins, but for the first few."""
_OPERATOR = 4
_PIECES = 32
"""Of the pieces of a short text."""
_UNBOUNDED = 1 << 16


def weight(parts: Any, known: Mapping[str, int]) -> int:
    """The steps of the parts if all of them are evaluated once; `known` are those of the file's functions that charge nothing."""
    total = 0
    for node in nodes(parts):
        total += _COSTS.get(node.__class__, 0)
        if isinstance(node, tree.Chain):
            total += _OPERATOR * len(node.rest)
        elif isinstance(node, tree.Call):
            total += len(node.arguments) + 6 * any(argument.kind in ("=", "**") for argument in node.arguments)
            if isinstance(node.function, tree.Name):
                total += known.get(node.function.name, 0)
            elif isinstance(node.function, tree.Dot) and "split" in node.function.name:
                total += _PIECES
        elif isinstance(node, tree.Assign) and isinstance(node.target, tree.Index):
            total += 8
        elif isinstance(node, tree.DictDisplay):
            total += 3 * len(node.entries)
        elif isinstance(node, tree.ListDisplay | tree.TupleDisplay):
            total += (len(node.items) + 1) // 2
    return min(total, _UNBOUNDED)


def turn(parts: Any, known: Mapping[str, int]) -> int:
    """The steps of a turn of a `for` loop with these parts."""
    return 1 + weight(parts, known)


def element(node: tree.Comprehension, known: Mapping[str, int]) -> int:
    """The steps of an element of a comprehension."""
    return (4 if node.key is None else 12) + weight((node.body, node.key, node.clauses), known)
