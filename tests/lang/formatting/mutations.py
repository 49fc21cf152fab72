"""Other layouts of a text that say the same: lines broken and joined inside of brackets, comments, empty lines, quotes."""

from __future__ import annotations

import random
from collections.abc import Iterator

from mlbuild.lang.scan import COMMENT, NEWLINE, scan

_OPEN = ("LPAREN", "LBRACKET", "LBRACE")
_CLOSE = ("RPAREN", "RBRACKET", "RBRACE")
_WORDS = ("one", "two", "keep sorted", "do not sort", "buildifier: leave-alone", "")


def mutated(text: str, chance: random.Random) -> str:
    """The text with some of its layout changed."""
    return "".join(_pieces(text, chance, chance.choice((0.02, 0.1, 0.3))))


def _pieces(text: str, chance: random.Random, rate: float) -> Iterator[str]:
    tokens = scan(text)
    depth = position = number = 0
    after_comment = False
    for kind, token, start in zip(tokens.kinds, tokens.texts, tokens.starts, strict=False):
        blank = text[position:start]
        position = start + len(token)
        hit = chance.random() < rate
        if depth and kind == NEWLINE:
            # A line may be joined to the next, unless a comment ends it.
            joined = hit and not after_comment
            yield " " if joined else token
            if not joined and chance.random() < rate:
                number += 1
                yield chance.choice(("\n", "\n\n", f"  # {_word(chance, number)}\n"))
        elif depth and hit and kind != COMMENT:
            number += 1
            broken = chance.choice(
                ("\n", "\n\n", " ", f"  # {_word(chance, number)}\n", f"\n # {_word(chance, number)}\n")
            )
            yield blank + broken + _requoted(kind, token, chance)
        elif not depth and kind == NEWLINE and hit and token.strip(" ") == "\n":
            number += 1
            indent = token[1:]
            choice = chance.randrange(4)
            if choice == 0:
                yield "\n" + token
            elif choice == 1 and not after_comment:
                yield f" # {_word(chance, number)}" + token
            elif choice == 2:
                yield f"\n{indent}# {_word(chance, number)}" + token
            else:
                yield f"\n\n{' ' * chance.randrange(6)}# {_word(chance, number)}\n" + chance.choice(("", "\n")) + token
        else:
            yield blank + (_requoted(kind, token, chance) if hit else token)
        after_comment = kind == COMMENT
        depth += (kind in _OPEN) - (kind in _CLOSE)
    yield text[position:]


def _word(chance: random.Random, number: int) -> str:
    return f"{chance.choice(_WORDS) if chance.random() < 0.2 else 'c'} {number}"


def _requoted(kind: str, token: str, chance: random.Random) -> str:
    if kind == "STRING" and token[0] == '"' and not set("'\"\\") & set(token.strip('"')) and chance.random() < 0.5:
        return token.replace('"', "'")
    return token
