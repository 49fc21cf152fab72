"""To which node each comment belongs: the one that follows, for a comment on a line of its own; else the one that ends before it."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate

from mlbuild.lang.formatting.nodes import Close, Comment, CommentBlock, Def, File, For, If, Index, Node, Slice, While
from mlbuild.lang.syntax.scan import COMMENT, NEWLINE, Tokens

_OPEN = frozenset(("LPAREN", "LBRACKET", "LBRACE"))
_CLOSE = frozenset(("RPAREN", "RBRACKET", "RBRACE"))
_STATEMENTS: dict[type[Node], tuple[str, ...]] = {
    File: ("statements",),
    Def: ("body",),
    For: ("body",),
    While: ("body",),
    If: ("body", "otherwise"),
}
_NEVER_SUFFIXED = (File, Def, If, For, While, CommentBlock)


def comment_at(tokens: Tokens, index: int, line: int) -> Comment:
    """The comment that is the token."""
    start = tokens.starts[index]
    return Comment(start, start - tokens.text.rfind("\n", 0, start), line, tokens.texts[index])


def attach_comments(file: File, tokens: Tokens, lines: list[int]) -> None:
    """Gives the comments that do not stand between statements to the nodes."""
    if not any(text.startswith("#") for text in tokens.texts):
        return
    suffixes, whole_lines = _inner_comments(tokens, lines)
    if not suffixes and not whole_lines:
        return
    outer_first, inner_first = _orders(file)
    for node in reversed(inner_first):
        if not suffixes:
            break
        if isinstance(node, _NEVER_SUFFIXED):
            continue
        found = []
        while suffixes and node.end <= suffixes[-1].offset:
            found.append(suffixes.pop())
        if found:
            node.suffix = tuple(reversed(found))
    file.before += tuple(suffixes)
    _attach_whole_lines(file, outer_first, whole_lines, tokens)


def _attach_whole_lines(file: File, nodes: list[Node], comments: list[Comment], tokens: Tokens) -> None:
    """Gives each comment to the node that follows it, or to the bracket before that if the language takes no comment there."""
    indices = [node.close for node in nodes if isinstance(node, Index | Slice)]
    skipped = set(map(id, indices))
    outside = _Outside(nodes, tokens)
    waiting = 0
    for node in nodes:
        first = waiting
        while waiting < len(comments) and node.start >= comments[waiting].offset and id(node) not in skipped:
            waiting += 1
        if waiting == first:
            continue
        taken = tuple(comments[first:waiting])
        if indices and outside.has(node):
            node = min((each for each in indices if each.start > taken[0].offset), key=lambda each: each.start)
        node.before = tuple(sorted(node.before + taken, key=lambda each: each.offset))
    file.after += tuple(comments[waiting:])


class _Outside:
    """Which nodes are in the middle of a statement, outside of all brackets."""

    def __init__(self, nodes: list[Node], tokens: Tokens) -> None:
        self._tokens = tokens
        self._statements = {
            id(each) for node in nodes for part in _STATEMENTS.get(type(node), ()) for each in getattr(node, part)
        }
        self._depths = list(accumulate((kind in _OPEN) - (kind in _CLOSE) for kind in tokens.kinds))

    def has(self, node: Node) -> bool:
        """Whether the node begins there."""
        if isinstance(node, Close) or id(node) in self._statements:
            return False
        index = bisect_right(self._tokens.starts, node.start) - 1
        return self._depths[index] == (self._tokens.kinds[index] in _OPEN)


def _inner_comments(tokens: Tokens, lines: list[int]) -> tuple[list[Comment], list[Comment]]:
    """Comments at the end of lines, and comments on lines of their own that are inside of brackets."""
    suffixes: list[Comment] = []
    whole_lines: list[Comment] = []
    depth = newlines = 0
    previous = NEWLINE
    for index, kind in enumerate(tokens.kinds):
        if kind == NEWLINE:
            newlines += 1
        elif kind == COMMENT and tokens.texts[index][0] == "#":
            if depth or previous != NEWLINE:
                comment = comment_at(tokens, index, lines[index])
                if depth and newlines > 1:
                    whole_lines.append(comment._replace(text=""))
                (suffixes if _ends_a_line(tokens, comment) else whole_lines).append(comment)
            newlines = 0
        elif kind != COMMENT:
            newlines = 0
            if kind in _OPEN:
                depth += 1
            elif kind in _CLOSE:
                depth -= 1
        previous = kind
    return suffixes, whole_lines


def _ends_a_line(tokens: Tokens, comment: Comment) -> bool:
    """Whether something that the comment can be about stands before it on its line: more than an opening bracket."""
    before = tokens.text[comment.offset - comment.column + 1 : comment.offset].strip().replace(" ", "")
    return before not in ("", "):") and before[-1] not in "([{"


def _orders(file: File) -> tuple[list[Node], list[Node]]:
    """All nodes, outer before inner; and all nodes, inner before outer. Both in the order of the text."""
    outer_first: list[Node] = []
    inner_first: list[Node] = []
    waiting: list[tuple[Node, bool]] = [(file, False)]
    while waiting:
        node, is_done = waiting.pop()
        if is_done:
            inner_first.append(node)
            continue
        outer_first.append(node)
        parts = [] if isinstance(node, Close) else node.parts()
        if parts:
            waiting.append((node, True))
            waiting += [(part, False) for part in reversed(parts)]
        else:
            inner_first.append(node)
    return outer_first, inner_first
