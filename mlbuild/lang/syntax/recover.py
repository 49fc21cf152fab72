"""Reads what can be read of a broken file, and tells all that is wrong in it.

The parser stops at the first mistake. Here the file is cut into its statements, each is parsed by itself, and where one fails,
the line that is to blame is mended or taken out and the statement parsed again. A file without mistakes never comes here.
"""

from __future__ import annotations

from mlbuild.diagnostics import Diagnostic
from mlbuild.lang.syntax import tree
from mlbuild.lang.syntax.automaton import automaton
from mlbuild.lang.syntax.builder import Builder
from mlbuild.lang.syntax.foreign import BLOCKS_OF
from mlbuild.lang.syntax.layout import Line, lines_of, statements_of
from mlbuild.lang.syntax.parse import drive
from mlbuild.lang.syntax.scan import Tokens, scan
from mlbuild.lang.syntax.source import Fix, Source, SyntaxMistake
from mlbuild.lang.syntax.syntax_errors import misplaced_loads, unclosed
from mlbuild.records import record

MOST = 100
"""So many mistakes of a file are told at most, and so often one statement is tried again."""
_TOKENS = 300_000
"""About so many tokens are read for a broken file, again and again, before it is left."""

_HEADERS = {
    **dict.fromkeys(("if", "try", "with", "class"), (("IF", "if"), ("INTEGER", "0"), ("COLON", ":"))),
    **dict.fromkeys(("elif", "else", "except", "finally"), (("ELIF", "elif"), ("INTEGER", "0"), ("COLON", ":"))),
    **dict.fromkeys(
        ("for", "while"),
        (("FOR", "for"), ("NAME", "_"), ("IN", "in"), ("LPAREN", "("), ("RPAREN", ")"), ("COLON", ":")),
    ),
}


@record
class Partial:
    """What a broken file holds nevertheless."""

    file: tree.File
    mistakes: tuple[Diagnostic, ...]
    names: frozenset[str]
    """Names that stand in what could not be read: they may be defined there."""
    broken: tuple[tuple[int, int], ...]
    """From where to where that is."""


def recover(text: str, path: str) -> Partial:
    """All that can be read of the file."""
    return _Recovery(text.replace("\r\n", "\n"), path).run()


class _Recovery:
    def __init__(self, text: str, path: str) -> None:
        self._text, self._path = text, path
        self._source = Source(path, text)
        self._budget = 2 * text.count("\n") + _TOKENS
        self._told: dict[tuple[int, str], Diagnostic] = {}
        self._names: set[str] = set()
        self._broken: list[tuple[int, int]] = []
        self._following: int | None = None
        """Where the next statement begins."""

    def run(self) -> Partial:
        tokens = scan(self._text)
        statements: list[tree.Statement] = []
        cut = statements_of(lines_of(tokens))
        for number, lines in enumerate(cut):
            self._following = cut[number + 1][0].starts[0] if number + 1 < len(cut) else None
            if len(self._told) >= MOST or self._budget < 0:
                self._names.update(text for line in lines for text in line.texts)
            else:
                statements += self._statement(lines)
        self._loads(tokens)
        found = [self._told[key] for key in sorted(self._told)]
        mistakes = dict.fromkeys(self._source.mistakes)
        return Partial(
            tree.File(self._path, self._text, statements, tuple(mistakes)),
            tuple(found),
            frozenset(self._names),
            tuple(self._broken),
        )

    def _loads(self, tokens: Tokens) -> None:
        for count, mistake in enumerate(misplaced_loads(self._source, tokens)):
            if count == MOST:
                return
            if not any(start <= mistake.offset < end for start, end in self._broken):
                self._tell(mistake)
                self._broken.append((mistake.offset, mistake.offset + 1))

    def _tell(self, mistake: SyntaxMistake) -> None:
        self._told.setdefault((mistake.offset, mistake.message), mistake.diagnostics[0])

    def _statement(self, lines: list[Line]) -> list[tree.Statement]:
        """What the lines hold. Each try mends a line or takes it out."""
        for number, line in enumerate(lines):
            if line.unclosed is not None:
                self._tell(unclosed(self._source, line.unclosed))
                self._break(lines, number)
        for _ in range(MOST):
            if self._budget < 0:
                break
            tokens = self._joined(lines)
            self._budget -= len(tokens.kinds)
            source = self._source
            known = len(source.mistakes)
            try:
                statements: list[tree.Statement] = drive(automaton(), tokens, Builder(tokens, source), source)
            except SyntaxMistake as mistake:
                del source.mistakes[known:]
                self._mend(lines, mistake)
            else:
                return statements
        self._names.update(text for line in lines for text in line.texts)
        return []

    def _joined(self, lines: list[Line]) -> Tokens:
        kinds, texts, starts = [], [], []
        for line in lines:
            kinds += line.kinds
            texts += line.texts
            starts += line.starts
        # The text ends where the statement does: an error at its end is not one at the end of the file.
        return Tokens(self._text[: lines[-1].end], kinds, texts, starts)

    def _mend(self, lines: list[Line], mistake: SyntaxMistake) -> None:
        number = max(
            (each for each, line in enumerate(lines) if line.starts and line.starts[0] <= mistake.offset), default=0
        )
        line = lines[number]
        is_new = mistake.reached > line.told and not line.broken
        if mistake.diagnostics[0].code == "indentation":
            if self._following is not None and mistake.offset == lines[-1].end:  # a header, and no block
                self._tell(
                    self._source.error("indentation", mistake.message, self._following, mistake.diagnostics[0].hint)
                )
            else:
                self._tell(mistake)
            if not self._mend_indentation(lines, number):
                self._break(lines, number)
            return
        if is_new and not self._goes_on(lines, number):
            self._tell(mistake)
        line.told = max(line.told, mistake.reached)
        if is_new and mistake.fix is not None:
            _apply(line, mistake.fix)
        else:
            self._break(lines, number)

    def _mend_indentation(self, lines: list[Line], number: int) -> bool:
        """Moves lines to where they may stand, or gives a header without a block a `pass`."""
        line = lines[number]
        if line.starts and "\t" in self._text[self._text.rfind("\n", 0, line.starts[0]) + 1 : line.starts[0]]:
            return False
        above = [each for each in lines[:number] if each.starts]
        last = above[-1] if above else None
        if line.starts and (last is None or line.width > last.width or not _ends_with_colon(last)):
            outer = max((each.width for each in above if each.width < line.width), default=0)
            if last is not None and last.width < line.width:
                outer = last.width
            width = line.width
            if width == outer:
                return False
            for each in lines[number:]:
                if each.starts and each.width < width:
                    break
                if each.starts and each.width == width:
                    each.starts[0] -= width - outer
                    each.width = outer
            return True
        header = line if last is None or _ends_with_colon(line) else last
        if not _ends_with_colon(header):
            return False
        at = len(header.kinds) - (header.kinds[-1] == "\n")
        header.kinds.insert(at, "PASS")
        header.texts.insert(at, "pass")
        header.starts.insert(at, header.starts[at - 1])
        return True

    def _goes_on(self, lines: list[Line], number: int) -> bool:
        """Whether the line belongs to a foreign statement that has been told: `except` under a `try`."""
        line = lines[number]
        first = BLOCKS_OF.get(line.texts[0]) if line.texts else None
        return first is not None and any(
            each.broken and each.width <= line.width and (not first or each.width == line.width)
            for each in lines[:number]
        )

    def _break(self, lines: list[Line], number: int) -> None:
        """Takes the line out; if a block belongs to it, something that can have a block stands for it."""
        line = lines[number]
        if not line.starts:
            line = next((each for each in lines if each.starts), line)
            if not line.starts:
                return
        start = line.starts[0]
        self._names.update(text for kind, text in zip(line.kinds, line.texts, strict=True) if kind == "NAME")
        self._broken.append((self._text.rfind("\n", 0, start) + 1, max(line.end, start + 1)))
        has_block = number + 1 < len(lines) and bool(lines[number + 1].starts) and lines[number + 1].width > line.width
        made = _header(line) if has_block and not line.broken else None
        if made is None and has_block and line.texts[0] == "elif":
            made = [("IF", "if", start), ("INTEGER", "0", start), ("COLON", ":", start)]
        if made is None:
            alone = number > 0 and lines[number - 1].width < line.width
            made = [("PASS", "pass", start)] if alone and not line.broken else []
        if made:
            made.append(("\n", "\n", made[-1][2]))
        line.kinds = [kind for kind, _, _ in made]
        line.texts = [text for _, text, _ in made]
        line.starts = [at for _, _, at in made]
        line.broken = True


def _header(line: Line) -> list[tuple[str, str, int]] | None:
    """A line that begins with the same word and can be read."""
    start = line.starts[0]
    words = line.texts[:3]
    if words[0] == "async":
        words = words[1:]
    if words[0] == "def":
        is_named = "NAME" in line.kinds[1:3]
        at = line.kinds.index("NAME") if is_named else 0
        name = (line.texts[at] if is_named else "_", line.starts[at])
        return [
            ("DEF", "def", start),
            ("NAME", *name),
            *((kind, text, name[1]) for kind, text in (("LPAREN", "("), ("RPAREN", ")"), ("COLON", ":"))),
        ]
    made = _HEADERS.get(words[0], ((("IF", "if"), ("INTEGER", "0"), ("COLON", ":"))))
    return [(kind, text, start) for kind, text in made]


def _apply(line: Line, fix: Fix) -> None:
    at = next((index for index, start in enumerate(line.starts) if start >= fix.offset), len(line.starts))
    until = at + fix.removed
    begins = line.starts[0]
    line.kinds[at:until] = [kind for kind, _ in fix.inserted]
    line.texts[at:until] = [text for _, text in fix.inserted]
    line.starts[at:until] = [fix.offset] * len(fix.inserted)
    if line.starts:
        line.starts[0] = begins


def _ends_with_colon(line: Line) -> bool:
    kinds = [kind for kind in line.kinds if kind != "\n"]
    return bool(kinds) and kinds[-1] == "COLON"
