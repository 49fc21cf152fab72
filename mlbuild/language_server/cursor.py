"""What stands around the cursor, told from the tokens before it: works in files that are half written."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from mlbuild.lang.syntax.scan import BAD, COMMENT, NEWLINE, Tokens, scan

_OPENING = {"LPAREN": "(", "LBRACKET": "[", "LBRACE": "{"}
_CLOSING = frozenset(("RPAREN", "RBRACKET", "RBRACE"))
_WORD = re.compile(r"\w*")
_UNCLOSED = re.compile(r"[rb]{0,2}(\"\"\"|'''|\"|')")


@dataclass(slots=True)
class Bracket:
    """A bracket that is open at the cursor, and what of it stands before the cursor."""

    kind: str
    offset: int
    function: str = ""
    """What is called, with its dots; nothing if the bracket is no call's."""
    function_offset: int = 0
    keyword: str = ""
    """The name of the argument that is being written."""
    index: int = 0
    """How many arguments or elements are complete."""
    given: list[str] = field(default_factory=list)
    """The names of the arguments so far, and behind the cursor."""
    first: str = ""
    """The first argument, if it is a string."""
    after_colon: bool = False
    """In a dict: the value is being written, not the key."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """The place of the cursor in terms of the language."""

    offset: int
    brackets: tuple[Bracket, ...]
    """Outermost first."""
    word_start: int
    word: str
    """The name that is being written, as far as the cursor."""
    receiver: str = ""
    """What stands before the dot before the word, when it is names and dots alone."""
    string_start: int | None = None
    """Where the content begins of the string that the cursor is in."""
    string_end: int = 0
    """Where it ends: at its quote, or where it looks as if it should."""
    is_closed: bool = True
    quote: str = ""
    in_comment: bool = False
    in_text: bool = False
    """In a string of several lines, where nothing is completed."""
    begins_statement: bool = False

    @property
    def call(self) -> Bracket | None:
        """The innermost call that the cursor is in."""
        return next((each for each in reversed(self.brackets) if each.kind == "(" and each.function), None)

    @property
    def inner(self) -> Bracket | None:
        return self.brackets[-1] if self.brackets else None


def cursor_at(code: str, offset: int) -> Cursor:
    """What is around the offset."""
    before = code[:offset]
    tokens = scan(before)
    brackets: list[Bracket] = []
    skipping = False
    depth_of_line = 0
    for index, kind in enumerate(tokens.kinds):
        text = tokens.texts[index]
        if kind == NEWLINE:
            skipping = False
            if text == "\n":
                depth_of_line = index
                if brackets and _begins_anew(tokens, index + 1):
                    brackets.clear()
            continue
        if skipping or (kind == COMMENT and not text.startswith("#")):
            continue
        if kind == COMMENT:
            if index == len(tokens.kinds) - 1:
                return _plain(before, offset, brackets, in_comment=True)
            continue
        if kind == BAD:
            text = text.lstrip(" \t")
            unclosed = _UNCLOSED.search(text)
            if unclosed is None:
                continue
            start = tokens.starts[index] + unclosed.start() + len(unclosed[0])
            if before.startswith(unclosed[1] * 3, start - 1) or len(unclosed[1]) == 3:
                return _plain(before, offset, brackets, in_text=True)
            if "\n" not in before[start:]:
                return _in_string(code, offset, start, unclosed[1], brackets)
            skipping = True
            continue
        _step(tokens, index, kind, brackets)
    return _word_at(code, tokens, offset, brackets, depth_of_line)


def _step(tokens: Tokens, index: int, kind: str, brackets: list[Bracket]) -> None:
    """What one token does to the brackets that are open."""
    inner = brackets[-1] if brackets else None
    if kind in _OPENING:
        bracket = Bracket(_OPENING[kind], tokens.starts[index])
        if kind == "LPAREN":
            bracket.function, bracket.function_offset = _dotted(tokens, index - 1)
        brackets.append(bracket)
    elif kind in _CLOSING:
        if brackets:
            brackets.pop()
    elif inner is None:
        return
    elif kind == "COMMA":
        inner.index += 1
        inner.keyword, inner.after_colon = "", False
    elif kind == "COLON":
        inner.after_colon = True
    elif kind == "EQUAL" and tokens.kinds[index - 1] == "NAME" and inner.kind == "(":
        inner.keyword = tokens.texts[index - 1]
        inner.given.append(inner.keyword)
    elif kind == "STRING" and inner.index == 0 and not inner.first:
        inner.first = tokens.texts[index].strip("\"'")


def _begins_anew(tokens: Tokens, index: int) -> bool:
    """Whether a line without indentation is a new statement, so that what was open has been forgotten to be closed."""
    kinds = tokens.kinds[index : index + 2]
    return kinds[:1] == ["DEF"] or kinds == ["NAME", "LPAREN"] or kinds == ["NAME", "EQUAL"]


def _dotted(tokens: Tokens, index: int) -> tuple[str, int]:
    """The names and dots that end with the token."""
    parts: list[str] = []
    start = 0
    while index >= 0 and tokens.kinds[index] == "NAME":
        if index and tokens.kinds[index - 1] == "DEF":
            return "", 0
        parts.insert(0, tokens.texts[index])
        start = tokens.starts[index]
        if index < 2 or tokens.kinds[index - 1] != "DOT":
            break
        index -= 2
    return ".".join(parts), start


def _plain(
    before: str, offset: int, brackets: list[Bracket], *, in_comment: bool = False, in_text: bool = False
) -> Cursor:
    return Cursor(offset, tuple(brackets), offset, "", in_comment=in_comment, in_text=in_text)


def _in_string(code: str, offset: int, start: int, quote: str, brackets: list[Bracket]) -> Cursor:
    line_end = code.find("\n", offset)
    rest = code[offset : line_end if line_end >= 0 else len(code)]
    end, is_closed = _string_end(rest, quote)
    _given_after(code, offset + end + is_closed, brackets)
    return Cursor(
        offset,
        tuple(brackets),
        start,
        code[start:offset],
        string_start=start,
        string_end=offset + end,
        is_closed=is_closed,
        quote=quote,
    )


def _string_end(rest: str, quote: str) -> tuple[int, bool]:
    """Where on the rest of its line a string ends, and whether a quote closes it.

    A quote behind blanks or commas begins another string: the one at the cursor has not been closed yet.
    """
    position = 0
    while position < len(rest):
        if rest[position] == "\\":
            position += 2
        elif rest[position] == quote:
            if re.search(r"[\s,=]", rest[:position]):
                break
            return position, True
        else:
            position += 1
    stop = re.search(r"\s*[,)\]}]|\s*$", rest)
    return (stop.start() if stop else len(rest)), False


def _word_at(code: str, tokens: Tokens, offset: int, brackets: list[Bracket], line_start: int) -> Cursor:
    kinds, texts, starts = tokens.kinds, tokens.texts, tokens.starts
    last = len(kinds) - 1
    word, word_start = "", offset
    if last >= 0 and starts[last] + len(texts[last]) == offset and texts[last].isidentifier():
        word, word_start = texts[last], starts[last]
        last -= 1
    receiver = ""
    if last >= 0 and kinds[last] == "DOT":
        receiver = _dotted(tokens, last - 1)[0] or _literal(tokens, last - 1)
    begins = not brackets and (last < 0 or kinds[last] == NEWLINE)
    tail = _WORD.match(code, offset)
    _given_after(code, tail.end() if tail else offset, brackets)
    return Cursor(offset, tuple(brackets), word_start, word, receiver, begins_statement=begins)


def _literal(tokens: Tokens, index: int) -> str:
    """What can be said of a receiver that is no name: a literal stands for its type."""
    if index < 0:
        return "?"
    kind = tokens.kinds[index]
    if kind == "STRING":
        return '""'
    opening = {"RBRACKET": "LBRACKET", "RBRACE": "LBRACE", "RPAREN": "LPAREN"}.get(kind)
    depth = 0
    for position in range(index, -1, -1) if opening else ():
        if tokens.kinds[position] in _CLOSING:
            depth += 1
        elif tokens.kinds[position] in _OPENING:
            depth -= 1
            if not depth:
                before = tokens.kinds[position - 1] if position else NEWLINE
                name = _dotted(tokens, position - 1)[0] if opening == "LPAREN" else ""
                if name:
                    return name + "()"
                if before in ("NAME", *_CLOSING, "STRING"):
                    return "?"
                return {"LBRACKET": "[]", "LBRACE": "{}"}.get(opening or "", "?")
    return "?"


def _given_after(code: str, offset: int, brackets: list[Bracket]) -> None:
    """Adds the names of arguments that stand behind the cursor to the innermost call."""
    call = next((index for index in range(len(brackets) - 1, -1, -1) if brackets[index].function), None)
    if call is None:
        return
    depth = len(brackets) - call
    tokens = scan(code[offset : offset + 20_000])
    for index, kind in enumerate(tokens.kinds):
        if kind in _OPENING:
            depth += 1
        elif kind in _CLOSING:
            depth -= 1
            if not depth:
                return
        elif kind == NEWLINE and tokens.texts[index] == "\n" and _begins_anew(tokens, index + 1):
            return
        elif kind == "EQUAL" and depth == 1 and index and tokens.kinds[index - 1] == "NAME":
            brackets[call].given.append(tokens.texts[index - 1])
