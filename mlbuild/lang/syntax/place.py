"""The place where the parser cannot go on, with all that is known there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from mlbuild.lang.syntax.source import Fix, Source, SyntaxMistake

if TYPE_CHECKING:
    from mlbuild.lang.syntax.scan import Tokens

STARTS = frozenset(("NAME", "INTEGER", "FLOAT", "STRING", "LPAREN", "LBRACKET", "LBRACE", "NOT", "LAMBDA", "TILDE"))
"""What can begin an expression, and cannot stand right after one."""
_BLANK = ("#", "\n")


class Place:
    """A token that cannot stand where it does. `row` has the tokens that could, `brackets` those that are open."""

    def __init__(
        self,
        source: Source,
        tokens: Tokens,
        index: int,
        kind: str,
        row: Mapping[str, object],
        brackets: list[tuple[str, int]],
    ) -> None:
        self.source, self.tokens, self.index = source, tokens, index
        self.kind, self.row, self.brackets = kind, row, brackets
        self.at_end = index >= len(tokens.texts)
        self.offset = len(tokens.text.rstrip()) if self.at_end else tokens.starts[index]
        self.text = "" if self.at_end else tokens.texts[index].strip(" \t")
        self.inside = brackets[-1][0] if brackets else ""
        """The bracket that is open."""
        self.previous = self._back(index)
        """The token before, or -1."""

    @property
    def before(self) -> str:
        """The text of the token before."""
        return self.tokens.texts[self.previous] if self.previous >= 0 else ""

    @property
    def before_kind(self) -> str:
        """The kind of the token before."""
        return self.tokens.kinds[self.previous] if self.previous >= 0 else ""

    @property
    def before_offset(self) -> int:
        """Where the token before begins."""
        return self.tokens.starts[self.previous] if self.previous >= 0 else 0

    @property
    def touches(self) -> bool:
        """Whether nothing is between this token and the one before."""
        return self.previous >= 0 and not self.at_end and self.before_offset + len(self.before) == self.offset

    @property
    def after(self) -> str:
        """The text of the token after, on the same line."""
        return self.tokens.texts[self.index + 1] if self.index + 1 < len(self.tokens.texts) else ""

    def back(self, count: int) -> int:
        """The token so many before this one, or -1."""
        found = self.index
        for _ in range(count):
            found = self._back(found)
        return found

    def first(self) -> int:
        """The first token of the statement."""
        at = min(self.brackets[0][1] if self.brackets else self.index, len(self.tokens.kinds)) - 1
        while at >= 0 and self.tokens.kinds[at] != "\n":
            at -= 1
        at += 1
        while at < self.index and self.tokens.kinds[at] in _BLANK:
            at += 1
        return at

    @property
    def word(self) -> str:
        """The first word of the statement."""
        first = self.first()
        return self.tokens.texts[first] if first < len(self.tokens.texts) else ""

    @property
    def begins_statement(self) -> bool:
        """Whether the token is the first of its statement."""
        return not self.brackets and self.first() >= self.index

    @property
    def follows_first(self) -> bool:
        """Whether the token is the second of its statement."""
        return not self.brackets and self.first() == self.previous

    @property
    def wants_expression(self) -> bool:
        """Whether an expression could begin here, and the token begins none."""
        return "INTEGER" in self.row

    def since(self) -> Iterator[int]:
        """The tokens before this one, backwards, to the open bracket or the beginning of the statement."""
        depth = 0
        stop = self.brackets[-1][1] if self.brackets else self.first() - 1
        for at in range(min(self.index, len(self.tokens.kinds)) - 1, stop, -1):
            kind = self.tokens.kinds[at]
            if kind in ("RPAREN", "RBRACKET", "RBRACE"):
                depth += 1
            elif kind in ("LPAREN", "LBRACKET", "LBRACE"):
                depth -= 1
            elif depth == 0 and kind not in _BLANK:
                yield at

    def line_tokens(self) -> range:
        """The tokens of the physical line."""
        first = last = min(self.index, len(self.tokens.kinds) - 1)
        while first > 0 and self.tokens.kinds[first - 1] != "\n":
            first -= 1
        while last < len(self.tokens.kinds) and self.tokens.kinds[last] != "\n":
            last += 1
        return range(first, last)

    # Mistakes
    def error(
        self, message: str, hint: str | None = None, at: int | None = None, code: str = "syntax"
    ) -> SyntaxMistake:
        """The mistake, at this token or at another place."""
        mistake = self.source.error(code, message, self.offset if at is None else at, hint)
        mistake.reached = self.offset
        return mistake

    def foreign(self, message: str, hint: str | None = None, at: int | None = None) -> SyntaxMistake:
        """What other languages have."""
        return self.error(message, hint, at, "not-starlark")

    def instead(self, mistake: SyntaxMistake, *inserted: tuple[str, str]) -> SyntaxMistake:
        """The mistake, and what to read for this token."""
        mistake.fix = Fix(self.offset, 1, inserted)
        return mistake

    def here(self, mistake: SyntaxMistake, *inserted: tuple[str, str]) -> SyntaxMistake:
        """The mistake, and what to read before this token."""
        mistake.fix = Fix(self.offset, 0, inserted)
        return mistake

    def since_token(self, mistake: SyntaxMistake, first: int, *inserted: tuple[str, str]) -> SyntaxMistake:
        """The mistake, and what to read for the tokens from that one to this one."""
        mistake.fix = Fix(self.tokens.starts[first], self.index + 1 - first, inserted)
        return mistake

    def up_to(self, mistake: SyntaxMistake, first: int, *inserted: tuple[str, str]) -> SyntaxMistake:
        """The mistake, and what to read for the tokens from that one to the one before this."""
        mistake.fix = Fix(self.tokens.starts[first], self.index - first, inserted)
        return mistake

    def _back(self, index: int) -> int:
        index = min(index, len(self.tokens.kinds)) - 1
        while index >= 0 and self.tokens.kinds[index] in _BLANK:
            index -= 1
        return index


def shown(text: str) -> str:
    """The first line of a token, not too long."""
    first = text.split("\n")[0]
    return first if len(first) <= 40 else first[:37] + "..."
