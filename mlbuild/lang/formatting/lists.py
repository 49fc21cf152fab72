"""Lists of strings in attributes: sorted and without repetitions, where order has no meaning or a comment asks for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from mlbuild.lang.formatting.arguments import argument_name, callee
from mlbuild.lang.formatting.attributes import NOT_SORTED, SORTED
from mlbuild.lang.formatting.marks import is_kept_sorted, is_left_alone, is_not_sorted
from mlbuild.lang.formatting.nodes import (
    Assign,
    Binary,
    Call,
    Comment,
    DictDisplay,
    Entry,
    ListDisplay,
    Name,
    Node,
    String,
)

SortKey = tuple[int, list[str], str]


def sort_attributes(calls: list[Call]) -> None:
    """Sorts the lists of strings of the attributes that the table names."""
    for call in calls:
        _sort_arguments(call)


def sort_kept_sorted(nodes: list[Assign | Entry | ListDisplay]) -> None:
    """Sorts the lists that a comment asks to be kept sorted."""
    for node in nodes:
        if isinstance(node, ListDisplay):
            _sort(node)
        else:
            edit_lists(node.right if isinstance(node, Assign) else node.value, _sort)


def keeps_order(function: str, argument: str, strings: Sequence[str]) -> bool:
    """Whether a list of strings is as sorted as formatting would have it, in an argument of a call in a BUILD file."""
    if argument not in SORTED or f"{function}.{argument}" in NOT_SORTED:
        return True
    keys = [_sort_key(each) for each in strings]
    return all(first < second for first, second in pairwise(keys))


def edit_lists(value: Node, edit: Callable[[Node], Node]) -> Node:
    """The value, with what `edit` makes of it, of the terms of a sum, and of the branches of a `select`."""
    value = edit(value)
    if isinstance(value, Binary) and value.operator == "+":
        # Along the left side by a loop: a sum may have any number of terms.
        term = value
        while True:
            term.right = edit_lists(term.right, edit)
            term.left = edit(term.left)
            if not (isinstance(term.left, Binary) and term.left.operator == "+"):
                break
            term = term.left
        term.left = _edit_branches(term.left, edit)
        return value
    return _edit_branches(value, edit)


def _edit_branches(value: Node, edit: Callable[[Node], Node]) -> Node:
    is_select = isinstance(value, Call) and isinstance(value.function, Name) and value.function.name == "select"
    if is_select and isinstance(value, Call) and value.arguments and isinstance(value.arguments[0], DictDisplay):
        for entry in value.arguments[0].items:
            assert isinstance(entry, Entry)
            entry.value = edit_lists(entry.value, edit)
    return value


def _sort_arguments(call: Call) -> None:
    for argument in call.arguments:
        name = argument_name(argument)
        if name not in SORTED or f"{callee(call)}.{name}" in NOT_SORTED or is_left_alone(argument):
            continue
        assert isinstance(argument, Assign)
        if is_not_sorted(argument):
            if isinstance(argument.right, ListDisplay):
                argument.right.items = _without_repetitions(argument.right)
        else:
            edit_lists(argument.right, _sort)


def _sort(value: Node) -> Node:
    if not isinstance(value, ListDisplay) or len(value.items) < 2:
        return value
    first = value.items[0]
    is_asked_for = is_kept_sorted(value) or is_kept_sorted(first)
    if is_not_sorted(first) or (not is_asked_for and _has_lines_of_comment(value)):
        value.items = _without_repetitions(value)
    else:
        value.items = _sorted_runs(value.items)
    return value


def _has_lines_of_comment(value: ListDisplay) -> bool:
    return bool(value.before or value.after or value.close.before) or any(item.before for item in value.items)


def _without_repetitions(value: ListDisplay) -> list[Node]:
    """The comments above what goes move to what follows, those beside it to what stays."""
    seen: dict[str, Node] = {}
    kept: list[Node] = []
    waiting: tuple[Comment, ...] = ()
    for item in value.items:
        if isinstance(item, String):
            if item.value in seen:
                waiting += item.before + item.after
                seen[item.value].suffix += item.suffix
                continue
            seen[item.value] = item
            item.before, waiting = waiting + item.before, ()
        kept.append(item)
    value.close.before = waiting + value.close.before
    return kept


def _sorted_runs(items: list[Node]) -> list[Node]:
    """Each run of strings sorted; anything else, and a line of comment, ends a run."""
    found: list[Node] = []
    run: list[String] = []
    for item in items:
        if run and not (isinstance(item, String) and not item.before):
            found += _sorted_run(run)
            run = []
        if isinstance(item, String):
            run.append(item)
        else:
            found.append(item)
    return found + _sorted_run(run)


def _sorted_run(run: list[String]) -> list[String]:
    keys = [_sort_key(item.value) for item in run]
    if all(first < second for first, second in pairwise(keys)):
        return run
    before, run[0].before = run[0].before, ()
    unique: dict[str, String] = {}
    for item in sorted(run, key=lambda item: _sort_key(item.value)):
        kept = unique.setdefault(item.value, item)
        if kept is not item:
            kept.take_comments(item)
    found = list(unique.values())
    found[0].before = before
    return found


def _sort_key(value: str) -> SortKey:
    """Files, then `:targets`, then `//labels`, then `@labels`; by the parts between dots and colons."""
    phase = 1 if value.startswith(":") else 2 if value.startswith("//") else 3 if value.startswith("@") else 0
    return phase, value.replace(":", ".").split("."), value
