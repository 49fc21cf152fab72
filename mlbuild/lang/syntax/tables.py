"""The parse tables of `grammar.lark`. The only module that imports lark, and only when the shipped tables are of another grammar.

`grammar.tables` holds what lark makes of the grammar, as marshalled integers and names; `python -m mlbuild.lang.syntax.tables`
writes it anew after the grammar was changed, and a test proves the two equal.
"""

from __future__ import annotations

import hashlib
import marshal
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lark import Lark
    from lark.lexer import Lexer

_GRAMMAR = Path(__file__).with_name("grammar.lark")
_TABLES = Path(__file__).with_name("grammar.tables")


class Tables(NamedTuple):
    """An LALR automaton. `rows[state][symbol]` is the state to shift or go to, or `-1 - rule` to reduce by that rule."""

    grammar: str
    start: int
    end: int
    rules: tuple[tuple[int, str, str], ...]
    """Of each rule: how many symbols it takes, the symbol that it makes, the builder's method (empty: pass the child on)."""
    rows: tuple[dict[str, int], ...]


@lru_cache(maxsize=1)
def tables() -> Tables:
    """The tables of the grammar beside this file: as shipped, or made by lark if the grammar is another."""
    grammar = _GRAMMAR.read_bytes()
    digest = hashlib.sha256(grammar).hexdigest()
    try:
        shipped = Tables(*marshal.loads(_TABLES.read_bytes()))
        if shipped.grammar == digest:
            return shipped
    except (OSError, EOFError, ValueError, TypeError):
        pass
    return make_tables(grammar)


def make_tables(grammar: bytes) -> Tables:
    """What lark makes of the grammar, numbered in an order of our own so that equal grammars give equal bytes."""
    from lark.parsers.lalr_analysis import Shift

    parser = stock_parser(grammar.decode())
    table = parser.parser.parser._parse_table
    rule_numbers: dict[object, int] = {}
    rules: list[tuple[int, str, str]] = []
    for rule in parser.rules:
        passes_on = len(rule.expansion) == 1 and rule.alias is None
        rule_numbers[rule] = len(rules)
        rules.append(
            (len(rule.expansion), str(rule.origin.name), "" if passes_on else str(rule.alias or rule.origin.name))
        )
    numbers = _walk(table.states, table.start_states["file"])
    rows: list[dict[str, int]] = [{} for _ in numbers]
    for state, number in numbers.items():
        for symbol, (action, argument) in sorted(table.states[state].items()):
            rows[number][str(symbol)] = numbers[argument] if action is Shift else -1 - rule_numbers[argument]
    start, end = numbers[table.start_states["file"]], numbers[table.end_states["file"]]
    return Tables(hashlib.sha256(grammar).hexdigest(), start, end, tuple(rules), tuple(rows))


def stock_parser(grammar: str, lexer: type[Lexer] | None = None) -> Lark:
    """lark's own parser of the grammar, with a lexer that gives it the tokens and the layout."""
    from lark import Lark, Token
    from lark.lexer import Lexer

    class Unused(Lexer):
        def __init__(self, _conf: object) -> None:
            pass

        def lex(self, lexer_state: object, parser_state: object) -> Iterator[Token]:
            raise NotImplementedError

    return Lark(
        grammar, start="file", parser="lalr", lexer=lexer or Unused, keep_all_tokens=True, maybe_placeholders=False
    )


def _walk(states: dict[int, dict[str, tuple[object, int]]], start: int) -> dict[int, int]:
    """Numbers for the states, in the order in which a walk by sorted symbols meets them."""
    from lark.parsers.lalr_analysis import Shift

    numbers = {start: 0}
    queue = [start]
    for state in queue:
        for _, (action, target) in sorted(states[state].items()):
            if action is Shift and target not in numbers:
                numbers[target] = len(numbers)
                queue.append(target)
    return numbers


if __name__ == "__main__":
    _TABLES.write_bytes(marshal.dumps(tuple(make_tables(_GRAMMAR.read_bytes())), 2))
