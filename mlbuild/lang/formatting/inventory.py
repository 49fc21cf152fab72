"""What of a file the rewriting is about, found by one walk."""

from __future__ import annotations

from dataclasses import dataclass, field

from mlbuild.lang.formatting.marks import is_kept_sorted, is_left_alone
from mlbuild.lang.formatting.nodes import Assign, Binary, Call, Close, Entry, File, ListDisplay, Load, Node, Number


@dataclass(slots=True)
class Inventory:
    """The nodes by their kinds, outer before inner."""

    calls: list[Call] = field(default_factory=list)
    free_calls: list[Call] = field(default_factory=list)
    """Those that are not in anything that is to be left alone."""
    sums: list[Binary] = field(default_factory=list)
    loads: list[Load] = field(default_factory=list)
    numbers: list[Number] = field(default_factory=list)
    kept_sorted: list[Assign | Entry | ListDisplay] = field(default_factory=list)
    """What a comment asks to be kept sorted."""


def take_inventory(file: File) -> Inventory:
    """Walks the file once, without recursion: it may be deep."""
    found = Inventory()
    waiting: list[tuple[Node, bool]] = [(file, False)]
    while waiting:
        node, is_free = waiting.pop()
        is_free = is_free and not is_left_alone(node)
        if isinstance(node, File):
            is_free = not is_left_alone(node)
        elif isinstance(node, Call):
            found.calls.append(node)
            if is_free:
                found.free_calls.append(node)
        elif isinstance(node, Binary):
            if node.operator == "+":
                found.sums.append(node)
        elif isinstance(node, Load):
            found.loads.append(node)
        elif isinstance(node, Number):
            found.numbers.append(node)
        elif isinstance(node, Assign | Entry):
            if is_kept_sorted(node):
                found.kept_sorted.append(node)
        elif isinstance(node, ListDisplay) and (is_kept_sorted(node) or (node.items and is_kept_sorted(node.items[0]))):
            found.kept_sorted.append(node)
        waiting += [(part, is_free) for part in reversed(node.parts()) if part.__class__ is not Close]
    return found
