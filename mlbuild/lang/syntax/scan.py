"""From text to tokens: three parallel lists, no token objects. Knows nothing of the grammar but the tokens' kinds."""

from __future__ import annotations

import re
from itertools import accumulate
from typing import NamedTuple

NEWLINE = "\n"
COMMENT = "#"
BAD = "bad"

# Every alternative begins with a literal or a set of characters and strings are unrolled: this is what keeps `split` linear and fast.
_DOUBLE = r'"(?!"")[^"\\\n]*(?:\\.[^"\\\n]*)*"'
_SINGLE = r"'(?!'')[^'\\\n]*(?:\\.[^'\\\n]*)*'"
_LONG_DOUBLE = r'"""[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*"""'
_LONG_SINGLE = r"'''[^'\\]*(?:(?:\\.|'(?!''))[^'\\]*)*'''"
_STRINGS = "|".join((_DOUBLE, _SINGLE, _LONG_DOUBLE, _LONG_SINGLE))
_NUMBER = (
    r"(?:0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+"
    r"|(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+|[0-9]+)"
)
_TOKEN = re.compile(
    r"(\n[ ]*|[,()\[\]{}:;~]"
    r"|not[ \t]+in\b"
    r"|(?:r|b|rb|br)(?:" + _STRINGS + r")"
    r"|[^\W\d]\w*"
    r"|==?|\.(?![0-9])|" + _STRINGS + r"|" + _NUMBER + r"|\#[^\n]*|<<=?|>>=?|//=?|\*\*|->|[-+*/%&|^<>]=?|!=|\\\n"
    r")",
    re.S,
)
"""A line's end takes the blanks of the next line's beginning with it; other blanks are between tokens."""

KEYWORDS = {
    **{
        word: word.upper()
        for word in ("def", "for", "while", "if", "else", "elif", "return", "break", "continue", "pass", "lambda")
    },
    "in": "IN",
    "not": "NOT",
    "and": "BINARY",
    "or": "BINARY",
}
RESERVED = frozenset(
    [
        "as",
        "assert",
        "async",
        "await",
        "class",
        "del",
        "except",
        "finally",
        "from",
        "global",
        "import",
        "is",
        "nonlocal",
        "raise",
        "try",
        "with",
        "yield",
    ]
)
_KINDS: dict[str, str] = {
    **KEYWORDS,
    **dict.fromkeys(RESERVED, "RESERVED"),
    **dict.fromkeys(["==", "!=", "<", ">", "<=", ">=", "|", "^", "&", "<<", ">>", "/", "//", "%"], "BINARY"),
    **dict.fromkeys(["+=", "-=", "*=", "/=", "//=", "%=", "&=", "|=", "^=", "<<=", ">>="], "AUGMENTED"),
    "+": "PLUS",
    "-": "MINUS",
    "*": "STAR",
    "**": "STARSTAR",
    "->": "ARROW",
    "~": "TILDE",
    "=": "EQUAL",
    ",": "COMMA",
    ":": "COLON",
    ";": "SEMICOLON",
    ".": "DOT",
    "(": "LPAREN",
    ")": "RPAREN",
    "[": "LBRACKET",
    "]": "RBRACKET",
    "{": "LBRACE",
    "}": "RBRACE",
    NEWLINE: NEWLINE,
    "\\\n": COMMENT,
}


class Tokens(NamedTuple):
    """Of each token its kind, its text and where it starts, counted in characters."""

    text: str
    kinds: list[str]
    texts: list[str]
    starts: list[int]


class _Kinds(dict[str, str]):
    """The kinds of the tokens seen so far."""

    def __missing__(self, token: str) -> str:
        kind = self[token] = _kind(token)
        return kind


def scan(text: str) -> Tokens:
    """The tokens of the text. What is no token becomes one of kind `BAD`, so that the parser can say what is wrong with it."""
    parts = _TOKEN.split(text)
    if "".join(parts[::2]).strip(" \t"):
        return _with_bad(text, parts)
    texts = parts[1::2]
    starts = list(accumulate(map(len, parts)))[::2]
    return Tokens(text, list(map(_Kinds(_KINDS).__getitem__, texts)), texts, starts)


def _kind(token: str) -> str:
    first = token[0]
    if first == "\n":
        return NEWLINE
    if first in "\"'" or token[-1] in "\"'":
        return COMMENT if first == "#" else "STRING"
    if first in "0123456789.":
        return "INTEGER" if token.isalnum() and not _is_exponent(token) else "FLOAT"
    if first == "#":
        return COMMENT
    return "BINARY" if " " in token or "\t" in token else "NAME"


def _is_exponent(token: str) -> bool:
    return ("e" in token or "E" in token) and token[1:2] not in ("x", "X")


def _with_bad(text: str, parts: list[str]) -> Tokens:
    kinds: list[str] = []
    texts: list[str] = []
    starts: list[int] = []
    position = 0
    for index, part in enumerate(parts):
        if index % 2:
            kinds.append(_KINDS.get(part) or _kind(part))
            texts.append(part)
            starts.append(position)
        elif part.strip(" \t"):
            kinds.append(BAD)
            texts.append(part)
            starts.append(position + len(part) - len(part.lstrip(" \t")))
        position += len(part)
    return Tokens(text, kinds, texts, starts)
