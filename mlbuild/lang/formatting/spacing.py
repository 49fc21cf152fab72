"""What decides where lines break: how sequences were written, and which statements stand together."""

from __future__ import annotations

from enum import Enum

from mlbuild.lang.formatting.kinds import Kind
from mlbuild.lang.formatting.nodes import Close, CommentBlock, Def, Load, Node, Unary
from mlbuild.records import record


class Form(Enum):
    """What a sequence of items is; the value is its brackets, if it is written with some."""

    ARGUMENTS = ("(", ")")
    LIST = ("[", "]")
    TUPLE = ("(", ")", "tuple")
    PARENTHESES = ("(", ")", "parentheses")
    DICT = ("{", "}")
    BARE = ("", "")
    PARAMETERS = ("(", ")", "parameters")
    LOAD = ("(", ")", "load")


@record
class Sequence:
    """Items in brackets. `open_line` is the line of the opening one."""

    form: Form
    items: list[Node]
    close: Close | None
    open_line: int
    is_compact: bool = False
    is_open: bool = False


def is_on_one_line(sequence: Sequence, kind: Kind, level: int) -> bool:
    """Whether the items follow each other; else each has a line of its own. `level` is the number of blocks around."""
    form, items, close = sequence.form, sequence.items, sequence.close
    if form is Form.BARE:
        return True
    is_suffix_fine = form is Form.PARAMETERS
    if any(item.before or (item.suffix and not is_suffix_fine) for item in items) or (close and close.before):
        return False
    if form is Form.ARGUMENTS and not items and not sequence.is_open:
        return True
    keeps_lines = level > 0 or not kind.is_declarative or form is Form.PARAMETERS
    if keeps_lines and form is not Form.LOAD:
        return _was_on_one_line(sequence)
    if sequence.is_open:
        return False
    return sequence.is_compact or len(items) <= 1


def _was_on_one_line(sequence: Sequence) -> bool:
    """Whether each item, and the closing bracket, began on the line on which the one before ended."""
    line = sequence.open_line
    for item in sequence.items:
        if item.line != line:
            return False
        line = item.last_line
    return sequence.close is None or sequence.close.line == line


def has_comma_at_end(form: Form, last: Node) -> bool:
    """Whether a comma follows the last item when each has a line of its own."""
    if form is Form.ARGUMENTS:
        return not (isinstance(last, Unary) and last.operator in ("*", "**"))
    return form not in (Form.PARAMETERS, Form.PARENTHESES)


def stand_together(first: Node, second: Node, kind: Kind, level: int) -> bool:
    """Whether no empty line separates the two statements."""
    if second.before or first.after:
        return False
    if isinstance(first, Load) or isinstance(second, Load):
        return isinstance(first, Load) and isinstance(second, Load)
    if isinstance(first, CommentBlock) or isinstance(second, CommentBlock):
        return False
    if kind.is_declarative and level == 0:
        return False
    if isinstance(first, Def) or isinstance(second, Def):
        return False
    return second.line - first.last_line <= 1
