"""Where the statements of a broken file begin, told from its tokens: brackets and quotes may be unbalanced."""

from __future__ import annotations

from mlbuild.lang.syntax.scan import BAD, COMMENT, NEWLINE, Tokens

OPENING = {"LPAREN": "(", "LBRACKET": "[", "LBRACE": "{"}
CLOSING = {"RPAREN": "LPAREN", "RBRACKET": "LBRACKET", "RBRACE": "LBRACE"}
_ALWAYS = frozenset(("DEF", "WHILE", "RETURN", "PASS", "BREAK", "CONTINUE", "ELIF"))
_AHEAD, _LOOKS_AHEAD = 300, 1000
_AFTER_NAME = frozenset(("EQUAL", "AUGMENTED", "LPAREN", "DOT"))


class Line:
    """A logical line: tokens without blank lines and comments, the `NEWLINE` at its end included if it has one."""

    __slots__ = ("broken", "end", "kinds", "starts", "texts", "told", "unclosed", "width")

    def __init__(
        self, kinds: list[str], texts: list[str], starts: list[int], width: int, end: int, unclosed: int | None = None
    ) -> None:
        self.kinds, self.texts, self.starts, self.width = kinds, texts, starts, width
        self.end = end
        """Where the text of the line ends."""
        self.unclosed = unclosed
        """Where a bracket begins that nothing closes."""
        self.told = -1
        """Where the last of its errors is that was told."""
        self.broken = False
        """Whether it stands here for a line that could not be read."""


def lines_of(tokens: Tokens) -> list[Line]:
    """The logical lines. Where brackets do not match, a line that looks like a new statement is one."""
    kinds, texts, starts = _without_unclosed_strings(tokens)
    whole = Tokens(tokens.text, kinds, texts, starts)
    return _Splitter(whole, _is_balanced(kinds)).lines()


def statements_of(lines: list[Line]) -> list[list[Line]]:
    """The lines, put together to statements of the top level with their blocks."""
    found: list[list[Line]] = []
    for line in lines:
        goes_on = line.width or line.texts[0] in ("elif", "else", "except", "finally")
        if found and goes_on:
            found[-1].append(line)
        else:
            found.append([line])
    return found


def _is_balanced(kinds: list[str]) -> bool:
    stack: list[str] = []
    for kind in kinds:
        if kind in OPENING:
            stack.append(kind)
        elif kind in CLOSING and (not stack or stack.pop() != CLOSING[kind]):
            return False
    return not stack and BAD not in kinds


def _without_unclosed_strings(tokens: Tokens) -> tuple[list[str], list[str], list[int]]:
    """The tokens without those that were made of the inside of a string that nothing ends."""
    if BAD not in tokens.kinds:
        return tokens.kinds, tokens.texts, tokens.starts
    kinds: list[str] = []
    texts: list[str] = []
    starts: list[int] = []
    inside = False
    for kind, text, start in zip(tokens.kinds, tokens.texts, tokens.starts, strict=True):
        if kind == NEWLINE:
            inside = False
        if inside:
            continue
        kinds.append(kind)
        texts.append(text)
        starts.append(start)
        if kind == BAD and text.strip(" \t")[:1] in ("'", '"'):
            if tokens.text.startswith(text.strip(" \t")[0] * 3, start):
                break  # to the end of the file
            inside = True
    return kinds, texts, starts


class _Splitter:
    def __init__(self, tokens: Tokens, balanced: bool) -> None:
        self._tokens = tokens
        self._balanced = balanced
        self._stack: list[tuple[str, int, int]] = []
        """Open brackets: kind, token, indentation of the line that it is on."""
        self._found: list[Line] = []
        self._taken: list[int] = []
        self._unclosed: int | None = None
        self._width = self._physical = 0
        self._budget = _LOOKS_AHEAD

    def lines(self) -> list[Line]:
        begins, quoted = True, -1
        for index, kind in enumerate(self._tokens.kinds):
            if kind == COMMENT:
                continue
            if kind == NEWLINE:
                if quoted >= 0:  # what the line opened, its lost end may have closed
                    self._stack = [each for each in self._stack if each[1] < quoted]
                    quoted = -1
                if not self._stack or self._is_header_end():
                    self._finish(index)
                begins = True
                continue
            if begins:
                begins = False
                self._width = _width(self._tokens, index)
                self._physical = index
                if self._stack and not self._balanced and self._looks_new(index):
                    self._finish(None)
            if kind == BAD and self._tokens.texts[index].strip(" \t")[:1] in ("'", '"'):
                quoted = self._physical
            self._taken.append(index)
            if kind in OPENING:
                self._stack.append((kind, index, self._width))
            elif kind in CLOSING:
                self._close(CLOSING[kind], index)
        self._finish(None)
        return self._found

    def _close(self, opening: str, index: int) -> None:
        stack = self._stack
        if not stack:
            return
        begins_line = index == self._physical
        for depth in range(len(stack) - 1, -1, -1):
            kind, _, width = stack[depth]
            if kind != opening or (not self._balanced and begins_line and self._width < width):
                continue
            if depth + 1 < len(stack) and self._unclosed is None:
                self._unclosed = stack[depth + 1][1]
            del stack[depth:]
            return
        stack.pop()

    def _is_header_end(self) -> bool:
        """`def f(a:` at the end of a physical line."""
        if self._balanced or not self._taken:
            return False
        first, last = self._tokens.texts[self._taken[0]], self._tokens.kinds[self._taken[-1]]
        return first in ("def", "if", "elif", "for") and last == "COLON" and self._stack[-1][0] != "LBRACE"

    def _looks_new(self, index: int) -> bool:
        kinds, texts = self._tokens.kinds, self._tokens.texts
        kind = kinds[index]
        following = kinds[index + 1] if index + 1 < len(kinds) else ""
        if kind in _ALWAYS:
            return True
        if self._width > self._stack[0][2] or self._is_closed_later(index):
            return False
        if kind == "NAME":
            return following in _AFTER_NAME
        if kind in ("FOR", "IF", "ELSE"):
            end = index
            while end < len(kinds) and kinds[end] != NEWLINE:
                end += 1
            return kinds[end - 1] == "COLON"
        return kind == "RESERVED" and texts[index] not in ("as", "is", "from")

    def _is_closed_later(self, index: int) -> bool:
        """Whether what follows, not too far away, closes all that is open, bracket by bracket."""
        if self._budget <= 0:
            return False
        self._budget -= 1
        stack = [kind for kind, _, _ in self._stack]
        for kind in self._tokens.kinds[index : index + _AHEAD]:
            if kind in OPENING:
                stack.append(kind)
            elif kind in CLOSING and stack.pop() != CLOSING[kind]:
                return False
            if not stack:
                return True
        return False

    def _finish(self, newline: int | None) -> None:
        if self._stack and self._unclosed is None:
            self._unclosed = self._stack[-1][1]
        self._stack.clear()
        taken, tokens = self._taken, self._tokens
        if taken:
            last = taken[-1]
            if newline is not None:
                taken.append(newline)
            self._found.append(
                Line(
                    [tokens.kinds[each] for each in taken],
                    [tokens.texts[each] for each in taken],
                    [tokens.starts[each] for each in taken],
                    _width(tokens, taken[0]),
                    tokens.starts[last] + len(tokens.texts[last]),
                    None if self._unclosed is None else tokens.starts[self._unclosed],
                )
            )
        self._taken = []
        self._unclosed = None


def _width(tokens: Tokens, index: int) -> int:
    start = tokens.starts[index]
    line = tokens.text.rfind("\n", 0, start) + 1
    return len(tokens.text[line:start].expandtabs())
