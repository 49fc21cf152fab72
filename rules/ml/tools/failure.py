"""What a person can fix, in words: what is wrong, the facts, what to try."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ToolError(Exception):
    """Ends the tool with its text and no traceback."""

    def __init__(self, code: str, message: str, *, notes: Iterable[str] = (), hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.notes = tuple(notes)
        self.hint = hint

    def render(self) -> str:
        lines = [f"error[{self.code}]: {self.message}"]
        lines += [f"  {line}" for note in self.notes for line in note.split("\n")]
        if self.hint:
            first, *rest = self.hint.split("\n")
            lines += [f"  hint: {first}", *(f"        {line}" for line in rest)]
        return "\n".join(lines)


def and_list(names: Iterable[str]) -> str:
    """`a`, `b` and `c`."""
    quoted = [f"`{name}`" for name in names]
    if len(quoted) < 2:
        return "".join(quoted) or "none"
    return ", ".join(quoted[:-1]) + " and " + quoted[-1]


def did_you_mean(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate closest to `word`, or nothing when none is close."""
    close = difflib.get_close_matches(word, sorted(set(candidates)), n=1, cutoff=0.6)
    return close[0] if close else None
