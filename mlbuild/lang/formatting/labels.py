"""Labels in attributes: joined where they were written in two parts, and without a name that says nothing new."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mlbuild.lang.formatting.arguments import argument_name, callee
from mlbuild.lang.formatting.attributes import LABELS, NOT_LABELS
from mlbuild.lang.formatting.lists import edit_lists
from mlbuild.lang.formatting.marks import is_left_alone
from mlbuild.lang.formatting.nodes import Assign, Binary, Call, ListDisplay, Node, String
from mlbuild.lang.formatting.strings import quote

_LABEL = r"(?a)(((?:@(\w+))?//)(?:.+/)?([^:]*))(?::([^:]+))?"


def shorten_labels(calls: list[Call]) -> None:
    """`//a/b:b` is `//a/b`, and `"//a" + ":b"` is `"//a:b"`."""
    for call in calls:
        for argument in call.arguments:
            name = argument_name(argument)
            if name not in LABELS or f"{callee(call)}.{name}" in NOT_LABELS or is_left_alone(argument):
                continue
            assert isinstance(argument, Assign)
            if not is_left_alone(argument.right):
                argument.right = edit_lists(argument.right, _canonical)


def keeps_strings(function: str, argument: str, strings: Iterable[str]) -> bool:
    """Whether formatting leaves strings as they are, in an argument of a call in a BUILD file: none is a label to shorten."""
    if argument not in LABELS or f"{function}.{argument}" in NOT_LABELS:
        return True
    return all(_short(each) == each for each in strings)


def _canonical(value: Node) -> Node:
    if isinstance(value, ListDisplay):
        value.items = [each if is_left_alone(each) else _shortened(_joined(each)) for each in value.items]
    return _shortened(_joined(value))


def _joined(value: Node) -> Node:
    if not (isinstance(value, Binary) and value.operator == "+"):
        return value
    left, right = value.left, value.right
    if not (isinstance(left, String) and left.value.startswith("//") and " " not in left.value):
        return value
    if not isinstance(right, String) or " " in right.value:
        return value
    _say(left, left.value + right.value)
    left.before = value.before + left.before + right.before
    left.suffix = value.suffix + left.suffix + right.suffix
    return left


def _shortened(value: Node) -> Node:
    if isinstance(value, String):
        _say(value, _short(value.value))
    return value


def _short(text: str) -> str:
    if match := re.fullmatch(_LABEL, text):
        whole, _, repository, last, target = match.groups()
        if last and last == target:
            return str(whole)
        if repository and not last and repository == target:
            return f"@{repository}"
    return text


def _say(string: String, value: str) -> None:
    if value != string.value:
        string.value, string.token = value, quote(value)
