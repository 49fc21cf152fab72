"""lark's LALR tables, arranged as they are walked so that one token costs few steps of Python.

Nothing is known of Starlark here. Three steps are saved, each as the automaton would take it:

* a token whose state can only be reduced is reduced as it is shifted (`LEAF`, `CLOSE`);
* a reduction that only passes its child on is skipped: the row of a state, seen from the row below it, already says
  what happens after it;
* where each state leads is worked out when it is first met and then kept, for all files of the process.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from mlbuild.lang.syntax.tables import Tables, tables

LEAF, APPEND, REDUCE, CLOSE, PASS = range(5)
"""What a `Step` does: shift and reduce a token alone; add the last symbol to the list in the first; reduce; shift a closing
bracket and reduce; nothing but go on."""

_OPENING = frozenset(("LPAREN", "LBRACKET", "LBRACE"))
_CLOSING = frozenset(("RPAREN", "RBRACKET", "RBRACE"))
_APPENDS = {"append": 1, "append_after": 2}
"""Which of the symbols is added to the list that the first symbol is."""


Step = tuple[int, int, str, str, int]
"""What happens in a state at a symbol that is not merely shifted: the code, how many symbols it takes, the builder's method
(`PASS`: none), the symbol made, for `APPEND` which symbol from the end is added."""


DONE: Step = (PASS, 0, "", "", 0)
"""The file is whole."""


class Row(dict[str, Any]):
    """A state, seen from the row below it on the stack. For each symbol the row to shift or go to, a step, or None (no action)."""

    __slots__ = ("below", "machine", "state")

    def __init__(self, machine: Automaton, state: int, below: Row | None) -> None:
        super().__init__()
        self.machine, self.state, self.below = machine, state, below

    def __missing__(self, symbol: str) -> Any:
        made = self[symbol] = self.machine.action(self, symbol)
        return made


class Opened(Row):
    """The state after an opening bracket."""

    __slots__ = ()


class Closed(Row):
    """The state after a closing bracket."""

    __slots__ = ()


class Automaton:
    """The tables, and the rows made of them so far."""

    def __init__(self, made: Tables) -> None:
        self._rules, self._rows, self._end = made.rules, made.rows, made.end
        self._plain: dict[int, Row] = {}
        self.methods = sorted({method for _, _, method in made.rules if method})
        self.start = self._row(made.start, None, "")

    def action(self, row: Row, symbol: str) -> Row | Step | None:
        """What the automaton does in the row at the symbol, with the steps in between left out."""
        *_, state = self._states(row, symbol)
        if state == self._end:
            return DONE
        found = self._rows[state].get(symbol)
        if found is None and not symbol.isupper():  # what a reduction above the row made
            found = self._goto(row, symbol)
        if found is None:
            return None
        if found >= 0:
            return self._shift(row, found, symbol)
        return self._step(-1 - found)

    def allowed(self, row: Row, symbol: str) -> Mapping[str, int]:
        """The symbols that the automaton takes where it refuses this one."""
        *_, last = self._states(row, symbol)
        return self._rows[last]

    def _states(self, row: Row, symbol: str) -> list[int]:
        """The states that the row stands for in turn, as reductions at the symbol pass their one child on."""
        states = [row.state]
        while row.below is not None:
            action = self._rows[states[-1]].get(symbol, 0)
            if action >= 0 or not self._passes_on(-1 - action):
                break
            states.append(self._rows[row.below.state][self._rules[-1 - action][1]])
        return states

    def _goto(self, row: Row, symbol: str) -> int | None:
        """Where the state goes at a symbol that was made; if the row stands for several states, they agree."""
        reached, more = {row.state}, [row.state]
        while more and row.below is not None:
            for action in self._rows[more.pop()].values():
                if action < 0 and self._passes_on(-1 - action):
                    state = self._rows[row.below.state][self._rules[-1 - action][1]]
                    if state not in reached:
                        reached.add(state)
                        more.append(state)
        targets = {self._rows[state][symbol] for state in reached if symbol in self._rows[state]}
        if len(targets) > 1:
            raise AssertionError(f"the grammar is not one that rows can be made of: {symbol} in state {row.state}")
        return targets.pop() if targets else None

    def _shift(self, row: Row, state: int, symbol: str) -> Row | Step:
        actions = set(self._rows[state].values())
        if len(actions) == 1 and symbol.isupper():
            (only,) = actions
            if only < 0 and not self._passes_on(-1 - only):
                code, size, method, made, item = self._step(-1 - only)
                if code == REDUCE and (size == 1 or symbol in _CLOSING):
                    return CLOSE if symbol in _CLOSING else LEAF, size, method, made, item
        return self._row(state, row, symbol)

    def _step(self, rule: int) -> Step:
        size, symbol, method = self._rules[rule]
        if not method:
            return PASS, size, "", symbol, 0
        if method in _APPENDS:
            return APPEND, size, method, symbol, _APPENDS[method] - size
        return REDUCE, size, method, symbol, 0

    def _row(self, state: int, below: Row | None, symbol: str) -> Row:
        """The state's row: one for all places, unless what it passes on depends on the row below."""
        kind = Opened if symbol in _OPENING else Closed if symbol in _CLOSING else Row
        passes = any(action < 0 and self._passes_on(-1 - action) for action in self._rows[state].values())
        if passes and below is not None and below.below is None:
            return kind(self, state, below)
        row = self._plain.get(state)
        if row is None:
            row = self._plain[state] = kind(self, state, None)
        return row

    def _passes_on(self, rule: int) -> bool:
        return not self._rules[rule][2]


@lru_cache(maxsize=1)
def automaton() -> Automaton:
    """The automaton of the grammar, made once a process."""
    return Automaton(tables())
