"""The text while it is written: the current line, the margin, and the comments that wait for the end of the line."""

from __future__ import annotations

from collections.abc import Iterable

from mlbuild.lang.formatting.nodes import Comment


class Paper:
    """Lines, written from the top."""

    def __init__(self) -> None:
        self.margin = 0
        self.depth = 0
        """How many brackets are open."""
        self.waiting: list[Comment] = []
        """Comments that wait for the end of the line."""
        self._lines: list[str] = []
        self._line: list[str] = []
        self._needs_newline = False

    def text(self) -> str:
        """All that was written."""
        return "\n".join([*self._lines, "".join(self._line)])

    def write(self, text: str) -> None:
        """Goes on in the line."""
        if "\n" in text:
            first, *others = text.split("\n")
            self._line.append(first)
            self._lines.append("".join(self._line))
            self._lines += others[:-1]
            self._line = others[-1:]
        else:
            self._line.append(text)

    def column(self) -> int:
        """How far the line has come, in bytes."""
        return len("".join(self._line).encode("utf-8", "surrogatepass"))

    def newline(self) -> None:
        """Ends the line, with the comments that wait for that. Only where the language lets a line end."""
        self._needs_newline = False
        if self.waiting:
            self._line.append("  ")
            for number, comment in enumerate(self.waiting):
                if number:
                    self._end_line()
                self._line.append(comment.text.strip())
            self.waiting.clear()
        self._end_line()

    def newline_later(self) -> None:
        """Ends the line before anything else is written: blocks that end together end one line."""
        self._needs_newline = True

    def newline_if_needed(self) -> None:
        """Ends the line if `newline_later` has asked for it."""
        if self._needs_newline:
            self.newline()

    def break_line(self) -> None:
        """Ends the line inside of an expression."""
        if self.depth:
            self.newline()
        else:
            self._lines.append("".join([*self._line, " \\"]))
            self._line = [" " * self.margin]

    def break_before_comment(self) -> None:
        """Ends the line so that the comments which wait stand on the next, at the margin."""
        self._lines.append("".join(self._line))
        self._line = [" " * (self.margin - 2)]

    def comment_lines(self, comments: Iterable[Comment]) -> None:
        """Writes comments, each on a line of its own."""
        for comment in comments:
            self._line.append(comment.text.strip())
            self.newline()

    def comments_before(self, comments: Iterable[Comment]) -> None:
        """Writes the comments of what comes next, at the margin."""
        line = "".join(self._line).rstrip(" ")
        if line:
            self._lines.append(line)
        self._line = [" " * self.margin]
        self.comment_lines(comments)

    def _end_line(self) -> None:
        self._lines.append("".join(self._line).rstrip(" "))
        self._line = [" " * self.margin]
