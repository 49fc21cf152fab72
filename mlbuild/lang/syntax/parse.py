"""From tokens to the tree: a loop over the automaton. Layout (lines, indentation, brackets) is settled here too."""

from __future__ import annotations

from typing import Any

from mlbuild.lang.syntax import tree
from mlbuild.lang.syntax.automaton import APPEND, CLOSE, DONE, LEAF, PASS, Automaton, Closed, Opened, Row, automaton
from mlbuild.lang.syntax.builder import Builder, Misplaced
from mlbuild.lang.syntax.scan import COMMENT, NEWLINE, Tokens, scan
from mlbuild.lang.syntax.source import Source
from mlbuild.lang.syntax.syntax_errors import explain, misplaced_loads

_OPENS = {"RPAREN": "LPAREN", "RBRACKET": "LBRACKET", "RBRACE": "LBRACE"}
_MAX_INDENTS = 100


def parse(text: str, path: str) -> tree.File:
    """The tree of the file. Raises `StarlarkError` at the first place that is not Starlark."""
    source = Source(path, text)
    if "\r" in text:
        text = text.replace("\r\n", "\n")
        source = Source(path, text)
    tokens = scan(text)
    statements = drive(automaton(), tokens, Builder(tokens, source), source)
    if "load" in text:
        for mistake in misplaced_loads(source, tokens):
            raise mistake
    return tree.File(path, text, statements, tuple(source.mistakes))


def drive(machine: Automaton, tokens: Tokens, builder: Any, source: Source) -> Any:
    """Runs the automaton over the tokens; `builder` makes a value of every reduction, from token numbers and values.

    Where its class says `lists`, its methods `append` and `append_after` do what they are called, and need not be called.
    """
    try:
        return _Walk(machine, tokens, builder, source).whole()
    except Misplaced as error:
        raise source.error(error.code, error.message, error.offset, error.hint) from None


class _Walk:
    """One walk over a file's tokens."""

    def __init__(self, machine: Automaton, tokens: Tokens, builder: Any, source: Source) -> None:
        self._machine, self._tokens, self._source = machine, tokens, source
        self._methods = {name: getattr(builder, name) for name in machine.methods}
        self._lists = getattr(type(builder), "lists", False)
        self._rows: list[Row] = [machine.start]
        self._values: list[Any] = []
        self._brackets: list[tuple[str, int]] = []
        self._indents = [0]

    def whole(self) -> Any:
        """What the builder made of the file. The loop is the parser's whole cost: what is rare is in methods of its own."""
        rows, values, brackets = self._rows, self._values, self._brackets
        methods, lists = self._methods, self._lists
        row = rows[-1]
        begins = True
        index = -1
        for kind in self._tokens.kinds:
            index += 1
            if begins and kind != NEWLINE and kind != COMMENT:
                begins = False
                self._layout(index)
                row = rows[-1]
            while True:
                action = row[kind]
                what = action.__class__
                if what is Row:
                    row = action
                    rows.append(row)
                    values.append(index)
                    break
                if what is tuple:
                    code, size, method, symbol, item = action
                    if code == LEAF:
                        values.append(methods[method]([index]))
                        row = row[symbol]
                        rows.append(row)
                        break
                    if code == APPEND and lists:
                        values[-size].append(values[item])
                        size -= 1
                        del values[-size:], rows[-size:]
                        row = rows[-1]
                    elif code == CLOSE:
                        brackets.pop()
                        values.append(index)
                        values[-size:] = [methods[method](values[-size:])]
                        if size > 1:
                            del rows[1 - size :]
                        row = rows[-1][symbol]
                        rows.append(row)
                        break
                    elif size == 1 and code != PASS:
                        values[-1] = methods[method](values[-1:])
                        row = rows[-2][symbol]
                        rows[-1] = row
                    elif size and code != PASS:
                        values[-size:] = [methods[method](values[-size:])]
                        del rows[-size:]
                        row = rows[-1][symbol]
                        rows.append(row)
                    else:
                        self._reduce(code, size, method, symbol)
                        row = rows[-1]
                elif what is Opened or what is Closed:
                    self._bracket(kind, index, what is Opened)
                    row = action
                    rows.append(row)
                    values.append(index)
                    break
                elif kind == COMMENT or (kind == NEWLINE and (begins or brackets)):
                    break
                elif kind == NEWLINE:
                    kind, begins = "NEWLINE", True
                else:
                    raise self._refusal(index, kind)
        return self._end(begins)

    def _reduce(self, code: int, size: int, method: str, symbol: str) -> None:
        rows, values = self._rows, self._values
        if size == 0:
            values.append(self._methods[method]([]))
        else:
            if code != PASS:
                values[-size:] = [self._methods[method](values[-size:])]
            del rows[-size:]
        rows.append(rows[-1][symbol])

    def _feed(self, kind: str, index: int) -> None:
        """Takes a token that is not in the text."""
        while True:
            action = self._rows[-1][kind]
            if action is None:
                raise self._refusal(index, kind)
            if action.__class__ is tuple:
                code, size, method, symbol, _ = action
                if action is DONE:
                    return
                self._reduce(code, size, method, symbol)
            else:
                self._rows.append(action)
                self._values.append(index)
                return

    def _layout(self, index: int) -> None:
        """Takes the indentation before the first token of a line."""
        text, start, indents = self._tokens.text, self._tokens.starts[index], self._indents
        line = text.rfind("\n", 0, start) + 1
        width = start - line
        if width and "\t" in text[line:start]:
            message = "tab characters are not allowed for indentation"
            self._source.mistakes.append(self._source.diagnostic("tab-indentation", message, line, "use spaces"))
            width = len(text[line:start].expandtabs())
        if width > indents[-1]:
            if len(indents) > _MAX_INDENTS:
                raise self._source.error("too-deep", "too many levels of indentation", start)
            indents.append(width)
            self._feed("INDENT", index)
        while width < indents[-1]:
            indents.pop()
            self._feed("DEDENT", index)
        if width != indents[-1]:
            hint = "a line's indentation must equal that of a line of the block which it belongs to"
            raise self._source.error("indentation", "indentation matches no outer level", start, hint)

    def _bracket(self, kind: str, index: int, opens: bool) -> None:
        if opens:
            self._brackets.append((kind, index))
        else:
            self._brackets.pop()

    def _end(self, begins: bool) -> Any:
        end = len(self._tokens.texts)
        if self._brackets:
            raise explain(self._source, self._tokens, end, "$END", {}, self._brackets)
        if not begins:
            self._feed("NEWLINE", end)
        for _ in self._indents[1:]:
            self._feed("DEDENT", end)
        self._feed("$END", end)
        return self._values[-1]

    def _refusal(self, index: int, kind: str) -> Exception:
        brackets = self._brackets
        allowed = self._machine.allowed(self._rows[-1], kind)
        if kind in _OPENS and (not brackets or brackets[-1][0] != _OPENS[kind]):
            allowed = {}
        return explain(self._source, self._tokens, index, kind, allowed, brackets)
