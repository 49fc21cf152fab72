"""Query expressions, cut into tokens."""

from __future__ import annotations

import re

from mlbuild.records import record

WORD = re.compile(r"[A-Za-z0-9/@._:$~\[\]][A-Za-z0-9*/@._:$~\[\]\-]*")
PUNCTUATION = "(),=+-^"
KEYWORDS = frozenset({"except", "in", "intersect", "let", "set", "union"})


class BadToken(ValueError):
    """No token begins at `offset`; the message says why, in words for a person."""

    def __init__(self, message: str, offset: int, hint: str) -> None:
        super().__init__(message)
        self.offset = offset
        self.hint = hint


@record
class Token:
    """`kind` is `word`, the keyword or punctuation itself, or `end`."""

    kind: str
    text: str
    offset: int


def tokens(text: str) -> tuple[Token, ...]:
    """The tokens of an expression, `end` last. Raises BadToken."""
    found: list[Token] = []
    position = 0
    while position < len(text):
        char = text[position]
        if char.isspace():
            position += 1
        elif char in PUNCTUATION:
            found.append(Token(char, char, position))
            position += 1
        elif char in "\"'":
            end = text.find(char, position + 1)
            if end < 0:
                raise BadToken("the quotes are not closed", position, f"add {char} after the word")
            found.append(Token("word", text[position + 1 : end], position))
            position = end + 1
        elif (match := WORD.match(text, position)) is not None:
            word = match.group()
            found.append(Token(word if word in KEYWORDS else "word", word, position))
            position = match.end()
        else:
            raise BadToken(f"no word begins with `{char}`", position, "put words with such characters in quotes")
    found.append(Token("end", "", len(text)))
    return tuple(found)
