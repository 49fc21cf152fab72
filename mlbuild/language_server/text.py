"""A file's text as an editor counts it: lines and units of UTF-16, and as the language counts it: characters."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence

from lsprotocol import types

_LINE_END = re.compile(r"\r\n|\r|\n")
_EXTENT = re.compile(r"[rb]{0,2}\"(?:[^\"\\\n]|\\.)*\"|[rb]{0,2}'(?:[^'\\\n]|\\.)*'|\w+|[^\w\s]|")
_WIDTHS: dict[types.PositionEncodingKind, Callable[[str], int]] = {
    types.PositionEncodingKind.Utf8: lambda char: len(char.encode("utf-8", "surrogatepass")),
    types.PositionEncodingKind.Utf16: lambda char: 2 if char > "\uffff" else 1,
    types.PositionEncodingKind.Utf32: lambda char: 1,
}


class Text:
    """One version of a text. `code` is what the language sees: its lines end with `\\n` alone; offsets count its characters."""

    __slots__ = ("_ascii", "_starts", "_width", "code", "encoding", "source")

    def __init__(
        self, source: str, encoding: types.PositionEncodingKind | str = types.PositionEncodingKind.Utf16
    ) -> None:
        self.source = source
        self.code = source.replace("\r\n", "\n")
        self.encoding = encoding
        self._width = _WIDTHS[types.PositionEncodingKind(encoding)]
        self._ascii = source.isascii()
        self._starts = [0, *(match.end() for match in _LINE_END.finditer(self.code))]

    def offset(self, position: types.Position) -> int:
        """The character at the position; a position behind a line's end is that end, one behind the text the text's end."""
        if position.line >= len(self._starts):
            return len(self.code)
        start = self._starts[position.line]
        return start + self._column(self.line_text(position.line), position.character)

    def position(self, offset: int) -> types.Position:
        """The editor's name for a place in `code`."""
        line = bisect_right(self._starts, offset) - 1
        before = self.code[self._starts[line] : offset]
        return types.Position(line, len(before) if self._ascii else sum(map(self._width, before)))

    def range(self, start: int, end: int) -> types.Range:
        return types.Range(self.position(start), self.position(end))

    def whole(self) -> types.Range:
        return self.range(0, len(self.code))

    def place(self, line: int, column: int) -> int:
        """The offset of a place that the language names, both from 1 (0: not known)."""
        start = 0
        for _ in range(line - 1):
            end = self.code.find("\n", start)
            if end < 0:
                break
            start = end + 1
        return min(start + max(column - 1, 0), len(self.code))

    def extent(self, offset: int) -> types.Range:
        """The word or string that begins at the offset, or the content of the string that begins before it."""
        if offset and self.code[offset - 1] in "\"'":
            end = self.code.find(self.code[offset - 1], offset)
            if end > offset and "\n" not in self.code[offset:end]:
                return self.range(offset, end)
        match = _EXTENT.match(self.code, offset)
        return self.range(offset, match.end() if match else offset)

    def line_text(self, line: int) -> str:
        """A line of the editor's without its end."""
        start = self._starts[line]
        end = self._starts[line + 1] if line + 1 < len(self._starts) else len(self.code)
        return self.code[start:end].rstrip("\r\n")

    def line_of(self, offset: int) -> int:
        """The number of the line that the offset is in, from 0."""
        return bisect_right(self._starts, offset) - 1

    def changed(self, changes: Sequence[types.TextDocumentContentChangeEvent]) -> Text:
        """The text after an editor's changes, each made to what the one before it left."""
        source = self.source
        for change in changes:
            if isinstance(change, types.TextDocumentContentChangePartial):
                before = Text(source, self.encoding)
                start, end = before._raw(change.range.start), before._raw(change.range.end)
                source = source[:start] + change.text + source[max(start, end) :]
            else:
                source = change.text
        return Text(source, self.encoding)

    def _raw(self, position: types.Position) -> int:
        """The place in `source`, which has the line ends as they are."""
        if position.line >= len(self._starts):
            return len(self.source)
        start = 0
        for match in _LINE_END.finditer(self.source):
            if position.line == 0:
                break
            start = match.end()
            position = types.Position(position.line - 1, position.character)
        end = _LINE_END.search(self.source, start)
        return start + self._column(self.source[start : end.start() if end else None], position.character)

    def _column(self, line: str, units: int) -> int:
        """The characters that so many units of a line are."""
        if self._ascii:
            return min(units, len(line))
        for index, char in enumerate(line):
            if units <= 0:
                return index
            units -= self._width(char)
        return len(line)
