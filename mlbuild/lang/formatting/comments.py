"""To which node each comment belongs: the one that follows, for a comment on a line of its own; else the one that ends before it."""

from __future__ import annotations

from mlbuild.lang.formatting.nodes import Close, Comment, CommentBlock, Def, File, For, If, Node, While
from mlbuild.lang.scan import COMMENT, NEWLINE, Tokens

_OPEN = frozenset(("LPAREN", "LBRACKET", "LBRACE"))
_CLOSE = frozenset(("RPAREN", "RBRACKET", "RBRACE"))
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
    waiting = 0
    for node in outer_first:
        first = waiting
        while waiting < len(whole_lines) and node.start >= whole_lines[waiting].offset:
            waiting += 1
        if waiting > first:
            node.before = tuple(sorted(node.before + tuple(whole_lines[first:waiting]), key=lambda each: each.offset))
    file.after += tuple(whole_lines[waiting:])


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
