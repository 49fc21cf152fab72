"""Simpler ways to write the same: parentheses, sums of lists, numbers, calls without arguments."""

from __future__ import annotations

from mlbuild.lang.formatting.nodes import (
    Binary,
    Call,
    Comprehension,
    DictDisplay,
    File,
    ListDisplay,
    Name,
    Node,
    Number,
    Parenthesised,
    String,
    walk,
)

_NEEDS_NONE = (Comprehension, DictDisplay, Name, ListDisplay, Number, Parenthesised, String)


def remove_parentheses(file: File) -> None:
    """Those around what needs none, unless they stand on lines of their own or have a comment."""
    for node in walk(file):
        for name in node.PARTS:
            part = getattr(node, name)
            if isinstance(part, list):
                setattr(node, name, [_without_parentheses(each) for each in part])
            elif part is not None:
                setattr(node, name, _without_parentheses(part))


def _without_parentheses(node: Node) -> Node:
    while isinstance(node, Parenthesised) and not (node.is_open or node.before or node.after or node.suffix):
        inner = node.inner
        is_flat_call = isinstance(inner, Call) and inner.function.line == inner.function.last_line
        if not isinstance(inner, _NEEDS_NONE) and not is_flat_call:
            return node
        node = inner
    return node


def open_lists_in_sums(every: list[Binary]) -> None:
    """`... +`, line, `[...]` is `... + [`, with the items on lines of their own."""
    done: set[int] = set()
    for node in every:
        if id(node) in done:
            continue
        sums = [node]
        while isinstance(left := sums[-1].left, Binary) and left.operator == "+":
            done.add(id(left))
            sums.append(left)
        sums.reverse()
        terms = [sums[0].left, *(each.right for each in sums)]
        if not any(map(_is_list, terms)):
            continue
        for each, before, after in zip(sums, terms, terms[1:], strict=False):
            if each.breaks and (_opened(after) or _spans_lines(before)):
                each.breaks = False


def write_numbers(numbers: list[Number]) -> None:
    """A digit before the point, and exponents without `+` and leading zeros."""
    for number in numbers:
        number.token = _number(number.token)


def close_empty_calls(calls: list[Call]) -> None:
    """A call without arguments is on one line."""
    for call in calls:
        if not call.arguments:
            call.is_open = False


def _number(token: str) -> str:
    if token[:1] == "0" and token[1:2].isdigit() and token.isdigit():
        return f"0o{token[1:]}"
    if "." not in token:
        return token
    token = f"0{token}" if token.startswith(".") else token
    digits, mark, exponent = token.replace("E", "e").partition("e")
    return f"{digits}e{exponent.lstrip('0+') or '0'}" if mark else token


def _is_list(node: Node) -> bool:
    """A list, or a call of one, such as `glob([...])`."""
    while isinstance(node, Call) and len(node.arguments) == 1:
        node = node.arguments[0]
    return isinstance(node, ListDisplay)


def _spans_lines(node: Node) -> bool:
    while isinstance(node, Call):
        if node.is_open or (len(node.arguments) > 1 and not node.is_compact):
            return True
        if len(node.arguments) != 1:
            return False
        node = node.arguments[0]
    return isinstance(node, ListDisplay) and (node.is_open or len(node.items) > 1)


def _opened(node: Node) -> bool:
    """Makes the list, or the innermost list that is alone in it, stand on lines of its own; false if there is none."""
    while isinstance(node, Call) and len(node.arguments) == 1:
        node = node.arguments[0]
    if not isinstance(node, ListDisplay):
        return False
    if not node.is_open and not (len(node.items) == 1 and _opened(node.items[0])):
        node.is_open = True
    return True
