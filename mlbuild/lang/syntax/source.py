"""The text of a file: where a character is, and mistakes that point at it."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import NamedTuple

from mlbuild.diagnostics import Diagnostic, Location
from mlbuild.lang.errors import StarlarkError


class Fix(NamedTuple):
    """What to read instead, so that the rest of the statement can be read: tokens by kind and text."""

    offset: int
    removed: int
    inserted: tuple[tuple[str, str], ...]


class SyntaxMistake(StarlarkError):
    """What keeps a statement from being read: where, and how to go on if that is known."""

    offset = 0
    reached = 0
    """Where the parser was when it gave up, if that is not the place."""
    fix: Fix | None = None


class Source:
    """A file's text, for places and excerpts."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.mistakes: list[Diagnostic] = []
        """What does not keep the file from being parsed."""
        self.text = text
        self._begins: list[int] = []

    def location(self, offset: int) -> Location:
        """The place of the character."""
        if not self._begins:  # where lines begin: a broken file asks for many places
            self._begins = [0, *accumulate(len(line) + 1 for line in self.text.split("\n"))]
        offset = min(offset, len(self.text))
        line = bisect_right(self._begins, offset)
        return Location(self.path, line, offset - self._begins[line - 1] + 1)

    def diagnostic(self, code: str, message: str, offset: int, hint: str | None = None) -> Diagnostic:
        """A diagnostic that points at the character."""
        offset = min(offset, len(self.text))
        start, end = self.text.rfind("\n", 0, offset) + 1, self.text.find("\n", offset)
        line = self.text[start : end if end >= 0 else None].rstrip("\r")
        return Diagnostic(code, message, location=self.location(offset), source_line=line, hint=hint)

    def error(self, code: str, message: str, offset: int, hint: str | None = None) -> SyntaxMistake:
        """The error that points at the character."""
        mistake = SyntaxMistake(self.diagnostic(code, message, offset, hint))
        mistake.offset = mistake.reached = offset
        return mistake
