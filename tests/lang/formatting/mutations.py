"""Other layouts of a text that say the same: lines broken and joined inside of brackets, empty lines, quotes, comments."""

from __future__ import annotations

import random
from collections.abc import Iterator

from mlbuild.lang.syntax.scan import COMMENT, NEWLINE, Tokens, scan

_OPEN = ("LPAREN", "LBRACKET", "LBRACE")
_CLOSE = ("RPAREN", "RBRACKET", "RBRACE")
_WORDS = ("keep sorted", "do not sort", "buildifier: leave-alone", "")


def mutated(text: str, chance: random.Random, *, with_comments: bool = True) -> str:
    """The text with some of its layout changed, and with comments anywhere if that is wanted."""
    return "".join(_Mutation(chance, with_comments).pieces(scan(text)))


class _Mutation:
    def __init__(self, chance: random.Random, with_comments: bool) -> None:
        self._chance = chance
        self._rate = chance.choice((0.02, 0.1, 0.3))
        self._with_comments = with_comments
        self._count = 0

    def pieces(self, tokens: Tokens) -> Iterator[str]:
        depth = position = 0
        is_after_comment = False
        for kind, token, start in zip(tokens.kinds, tokens.texts, tokens.starts, strict=False):
            blank = tokens.text[position:start]
            position = start + len(token)
            if kind == NEWLINE:
                yield self._line_end(token, is_after_comment) if depth else self._statement_end(token, is_after_comment)
            elif depth and kind != COMMENT and self._hits():
                yield blank + self._break() + self._requoted(kind, token)
            else:
                yield blank + self._requoted(kind, token)
            is_after_comment = kind == COMMENT
            depth += (kind in _OPEN) - (kind in _CLOSE)
        yield tokens.text[position:]

    def _line_end(self, token: str, is_after_comment: bool) -> str:
        """A line's end inside of brackets: joined to the next, unless a comment ends the line; or followed by more."""
        if self._hits():
            return token if is_after_comment else " "
        return token + (self._break() if self._hits() else "")

    def _break(self) -> str:
        comment = self._comment()
        return self._chance.choice(("\n", "\n\n", " ", f"  {comment}\n" if comment else "\n", f"\n {comment}\n"))

    def _statement_end(self, token: str, is_after_comment: bool) -> str:
        if not self._hits():
            return token
        indent, comment = token[1:], self._comment()
        choices = ["\n" + token]
        if comment:
            anywhere = " " * self._chance.randrange(6)
            choices += ["" if is_after_comment else f" {comment}", f"\n{indent}{comment}", f"\n\n{anywhere}{comment}\n"]
        return self._chance.choice(choices) + token

    def _comment(self) -> str:
        if not self._with_comments:
            return ""
        self._count += 1
        word = self._chance.choice(_WORDS) if self._chance.random() < 0.2 else "c"
        return f"# {word} {self._count}."

    def _requoted(self, kind: str, token: str) -> str:
        is_plain = kind == "STRING" and token[0] == '"' and not set("'\"\\") & set(token.strip('"'))
        return token.replace('"', "'") if is_plain and self._hits() else token

    def _hits(self) -> bool:
        return self._chance.random() < self._rate
