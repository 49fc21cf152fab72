"""The tables are lark's, and the loop over them is right: lark's own parser gives equal trees."""

from __future__ import annotations

import marshal
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lark import Token, Tree
from lark.lexer import Lexer

from mlbuild.lang.errors import StarlarkError
from mlbuild.lang.syntax import tables as tables_module
from mlbuild.lang.syntax.automaton import automaton
from mlbuild.lang.syntax.builder import Builder
from mlbuild.lang.syntax.parse import drive, parse
from mlbuild.lang.syntax.scan import COMMENT, NEWLINE, Tokens, scan
from mlbuild.lang.syntax.source import Source
from mlbuild.lang.syntax.tables import Tables, make_tables, stock_parser, tables

FOLDER = Path(tables_module.__file__).parent
CASES = Path(__file__).with_name("cases")


def test_the_shipped_tables_are_what_lark_makes_of_the_grammar() -> None:
    shipped = Tables(*marshal.loads((FOLDER / "grammar.tables").read_bytes()))
    assert shipped == make_tables((FOLDER / "grammar.lark").read_bytes())
    assert tables() == shipped


def test_neither_importing_nor_compiling_imports_lark() -> None:
    code = (
        "import sys, mlbuild.lang as lang\n"
        "early = [name for name in ('lark', 'ast', 'mlbuild.lang.syntax.parse', 'inspect', 'rich') if name in sys.modules and name != 'ast']\n"
        "lang.compile_program(b'x = 1', 'a', lang.MODULE, frozenset())\n"
        "print(early, 'lark' in sys.modules)\n"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip().endswith("False")
    assert "parse" not in found.stdout and "lark" not in found.stdout.split("]")[0]


def test_other_tables_are_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged = tmp_path / "grammar.tables"
    damaged.write_bytes(b"junk")
    monkeypatch.setattr(tables_module, "_TABLES", damaged)
    tables.cache_clear()
    assert len(tables().rows) == len(make_tables((FOLDER / "grammar.lark").read_bytes()).rows)
    tables.cache_clear()


class Recorder:
    """A builder that keeps what it is given."""

    def __getattr__(self, name: str) -> Any:
        return lambda children: (name, *children)


class Layout(Lexer):
    """Lines and indentation told in another way than the parser's."""

    def __init__(self, _conf: object) -> None:
        pass

    def lex(self, text: Any, _: Any = None) -> Iterator[Token]:  # type: ignore[override]
        tokens = scan(str(text))
        depth, indents, begins = 0, [0], True
        for index, kind in enumerate(tokens.kinds):
            if kind == COMMENT or (kind == NEWLINE and (depth or begins)):
                continue
            if kind == NEWLINE:
                begins = True
                yield Token("NEWLINE", str(index))
                continue
            if begins:
                begins = False
                width = tokens.starts[index] - (tokens.text.rfind("\n", 0, tokens.starts[index]) + 1)
                if width > indents[-1]:
                    indents.append(width)
                    yield Token("INDENT", str(index))
                while width < indents[-1]:
                    indents.pop()
                    yield Token("DEDENT", str(index))
            depth += (kind in ("LPAREN", "LBRACKET", "LBRACE")) - (kind in ("RPAREN", "RBRACKET", "RBRACE"))
            yield Token(kind, str(index))
        end = str(len(tokens.kinds))
        if not begins:
            yield Token("NEWLINE", end)
        for _ in indents[1:]:
            yield Token("DEDENT", end)


def plain(node: Any) -> Any:
    if isinstance(node, Tree):
        return (str(node.data), *(plain(child) for child in node.children))
    return int(node)


def sources() -> list[str]:
    found = [chunk for file in sorted(CASES.glob("*.star")) for chunk in re.split(r"(?m)^---\n", file.read_text())]
    found += [file.read_text() for file in sorted((FOLDER.parent.parent / "rules").rglob("*.bzl"))]
    good = []
    for source in found:
        try:
            parse(source, "a")
        except StarlarkError:
            continue
        good.append(source)
    return good


def built(node: Any, builder: Builder) -> Any:
    """The tree that the builder makes when lark says what to build."""
    if isinstance(node, Tree):
        return getattr(builder, str(node.data))([built(child, builder) for child in node.children])
    return int(node)


def test_lark_s_own_parser_gives_equal_trees() -> None:
    oracle = stock_parser((FOLDER / "grammar.lark").read_text(), Layout)
    checked = 0
    for source in sources():
        tokens: Tokens = scan(source)
        theirs = oracle.parse(source).children[0]
        assert plain(theirs) == drive(automaton(), tokens, Recorder(), Source("a", source))
        ours = drive(automaton(), tokens, Builder(tokens, Source("a", source)), Source("a", source))
        assert repr(built(theirs, Builder(tokens, Source("a", source)))) == repr(ours)
        checked += 1
    assert checked > 40


def test_what_appends_appends_to_a_list_of_its_own_kind() -> None:
    """The loop adds the item to the list in place and goes on from where it was: right only for rules that begin with themselves."""
    rules = stock_parser((FOLDER / "grammar.lark").read_text()).rules
    appending = [rule for rule in rules if rule.alias in ("append", "append_after")]
    assert len(appending) > 5
    assert all(rule.expansion[0] == rule.origin for rule in appending)
