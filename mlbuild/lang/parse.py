"""From tokens to the tree: a loop over the LALR tables. Layout (lines, indentation, brackets) is settled here too."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from mlbuild.lang import tree
from mlbuild.lang.builder import Builder, Misplaced
from mlbuild.lang.scan import COMMENT, NEWLINE, Tokens, scan
from mlbuild.lang.syntax_errors import Source, check_loads, explain
from mlbuild.lang.tables import Tables, tables

_OPEN = frozenset(("LPAREN", "LBRACKET", "LBRACE"))
_CLOSE = {"RPAREN": "LPAREN", "RBRACKET": "LBRACKET", "RBRACE": "LBRACE"}
_MAX_INDENTS = 100

Reduction = tuple[int, str | None, str]
"""How many symbols, the builder's method, the symbol made."""


class Automaton:
    """The tables arranged for the loop: a row holds the next state, or the reduction to make."""

    def __init__(self, made: Tables) -> None:
        reductions: list[Reduction] = [(size, method or None, symbol) for size, symbol, method in made.rules]
        self.start = made.start
        self.end = made.end
        self.rows: list[dict[str, int | Reduction]] = [
            {symbol: action if action >= 0 else reductions[-1 - action] for symbol, action in row.items()}
            for row in made.rows
        ]


@lru_cache(maxsize=1)
def automaton() -> Automaton:
    """The automaton of the grammar, made once a process."""
    return Automaton(tables())


def parse(text: str, path: str) -> tree.File:
    """The tree of the file. Raises `StarlarkError` at the first place that is not Starlark."""
    source = Source(path, text)
    if "\r" in text:
        text = text.replace("\r\n", "\n")
        source = Source(path, text)
    tokens = scan(text)
    statements = drive(automaton(), tokens, Builder(tokens, source), source)
    if "load" in text:
        check_loads(source, tokens)
    return tree.File(path, text, statements, tuple(source.mistakes))


def drive(machine: Automaton, tokens: Tokens, builder: Any, source: Source) -> Any:
    """Runs the automaton over the tokens; `builder` makes a value of every reduction, from token numbers and values."""
    rows = machine.rows
    methods: dict[str | None, Callable[[list[Any]], Any]] = {
        row[1]: getattr(builder, row[1])
        for each in rows
        for row in each.values()
        if not isinstance(row, int) and row[1] is not None
    }
    states = [machine.start]
    values: list[Any] = []

    def feed(kind: str, index: int) -> int:
        """Takes one token: reduces while it must, then shifts."""
        current = states[-1]
        while True:
            action = rows[current].get(kind)
            if action is None:
                raise explain(source, tokens, index, kind, rows[current], brackets)
            if action.__class__ is int:
                states.append(action)
                values.append(index)
                return action
            size, method, symbol = action  # type: ignore[misc]
            if method is None:
                states.pop()
            elif size == 1:
                values[-1] = methods[method](values[-1:])
                states.pop()
            elif size:
                made = methods[method](values[-size:])
                del values[-size:], states[-size:]
                values.append(made)
            else:
                values.append(methods[method]([]))
            current = rows[states[-1]][symbol]  # type: ignore[assignment]
            states.append(current)

    text, starts = tokens.text, tokens.starts
    brackets: list[tuple[str, int]] = []
    indents = [0]
    line_begins = True
    index = -1
    try:
        for kind in tokens.kinds:
            index += 1
            if kind == COMMENT:
                continue
            if kind == NEWLINE:
                if not brackets and not line_begins:
                    line_begins = True
                    feed("NEWLINE", index)
                continue
            if line_begins:
                line_begins = False
                start = starts[index]
                line = text.rfind("\n", 0, start) + 1
                width = start - line
                if "\t" in text[line:start]:
                    message = "tab characters are not allowed for indentation"
                    source.mistakes.append(source.diagnostic("tab-indentation", message, line, "use spaces"))
                    width = len(text[line:start].expandtabs())
                if width != indents[-1]:
                    if width > indents[-1]:
                        if len(indents) > _MAX_INDENTS:
                            raise source.error("too-deep", "too many levels of indentation", start)
                        indents.append(width)
                        feed("INDENT", index)
                    else:
                        while width < indents[-1]:
                            indents.pop()
                            feed("DEDENT", index)
                        if width != indents[-1]:
                            hint = "a line's indentation must equal that of a line of the block which it belongs to"
                            raise source.error("indentation", "indentation matches no outer level", start, hint)
            if kind in _OPEN:
                brackets.append((kind, index))
            elif kind in _CLOSE:
                if not brackets or brackets[-1][0] != _CLOSE[kind]:
                    raise explain(source, tokens, index, kind, {}, brackets)
                feed(kind, index)
                brackets.pop()
                continue
            feed(kind, index)
        end = len(tokens.texts)
        if brackets:
            raise explain(source, tokens, end, "$END", {}, brackets)
        if not line_begins:
            feed("NEWLINE", end)
        for _ in indents[1:]:
            feed("DEDENT", end)
        return _finish(machine, states, values, methods, lambda: explain(source, tokens, end, "$END", {}, brackets))
    except Misplaced as error:
        raise source.error(error.code, error.message, error.offset, error.hint) from None


def _finish(
    machine: Automaton,
    states: list[int],
    values: list[Any],
    methods: dict[str | None, Callable[[list[Any]], Any]],
    refuse: Callable[[], Exception],
) -> Any:
    """The reductions that the end of the file asks for."""
    while True:
        action = machine.rows[states[-1]].get("$END")
        if action is None or isinstance(action, int):
            raise refuse()
        size, method, symbol = action
        if method is not None:
            made = methods[method](values[len(values) - size :])
            if size:
                del values[-size:]
            values.append(made)
        if size:
            del states[-size:]
        following = machine.rows[states[-1]][symbol]
        if following == machine.end:
            return values[-1]
        states.append(following)  # type: ignore[arg-type]
