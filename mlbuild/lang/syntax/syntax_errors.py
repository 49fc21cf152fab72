"""Syntax errors in words. Each of the usual mistakes has a sentence of its own, and most say how to read on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from mlbuild.lang.syntax.characters import explain_characters, missing_quote
from mlbuild.lang.syntax.foreign import explain_foreign
from mlbuild.lang.syntax.place import STARTS, Place, shown
from mlbuild.lang.syntax.scan import KEYWORDS, RESERVED
from mlbuild.lang.syntax.source import Source, SyntaxMistake

if TYPE_CHECKING:
    from mlbuild.lang.syntax.scan import Tokens

_PUNCTUATION = {
    "NEWLINE": "newline",
    "INDENT": "indentation",
    "DEDENT": "end of the block",
    "$END": "end of file",
}
_OPENING = {"LPAREN": "(", "LBRACKET": "[", "LBRACE": "{"}
_CLOSING = {"LPAREN": ")", "LBRACKET": "]", "LBRACE": "}"}
_CLOSERS = frozenset(("RPAREN", "RBRACKET", "RBRACE"))
_HEADERS = {
    "def": "the line of a `def` ends with `:`",
    "if": "an `if` and its condition end with `:`",
    "elif": "an `elif` and its condition end with `:`",
    "else": "write `else:`",
    "for": "a `for` and what it goes through end with `:`",
}


def explain(
    source: Source,
    tokens: Tokens,
    index: int,
    kind: str,
    row: Mapping[str, object],
    brackets: list[tuple[str, int]],
) -> SyntaxMistake:
    """Why the token cannot stand here; `row` has the tokens that could."""
    place = Place(source, tokens, index, kind, row, brackets)
    if kind == "bad":
        return explain_characters(place)
    for rule in _RULES:
        found = rule(place)
        if found is not None:
            return found
    return _plain(place)


def misplaced_loads(source: Source, tokens: Tokens) -> Iterator[SyntaxMistake]:
    """Where `load` is not the first word of its statement: it is no name."""
    kinds = tokens.kinds
    index = -1
    for _ in range(tokens.texts.count("load")):
        index = tokens.texts.index("load", index + 1)
        previous = index - 1
        while previous >= 0 and kinds[previous] == "#":
            previous -= 1
        before = kinds[previous] if previous >= 0 else "\n"
        after = kinds[index + 1] if index + 1 < len(kinds) else "\n"
        if before == "DOT" or (before in ("COMMA", "LPAREN", "\n") and after == "EQUAL" and _in_brackets(kinds, index)):
            continue
        if before not in ("\n", "SEMICOLON", "COLON") or after != "LPAREN":
            hint = 'write `load("//package:file.bzl", "name")`'
            yield source.error("bad-load", "`load` is a statement of its own", tokens.starts[index], hint)


def _in_brackets(kinds: list[str], index: int) -> bool:
    before = kinds[:index]
    return sum(map(before.count, _OPENING)) > sum(map(before.count, _CLOSERS))


def _keyword_as_name(place: Place) -> SyntaxMistake | None:
    """`f(class = 1)`, `lambda = 2`, `x.from`, `def f(in):`."""
    at, word = place.index, place.text
    if place.kind == "EQUAL":  # `lambda = 2` is read as a lambda until here
        at, word = place.previous, place.before
    if (word not in KEYWORDS and word not in RESERVED) or at < 0:
        return None
    kinds = place.tokens.kinds
    before = kinds[at - 1] if at else "\n"
    after = kinds[at + 1] if at + 1 < len(kinds) else "\n"
    parameters = place.word == "def" and len(place.brackets) == 1 and place.inside == "LPAREN"
    if before == "DOT":
        what, hint = "the name of a field", f'use `getattr(value, "{word}")`'
    elif parameters and before in ("LPAREN", "COMMA", "STAR", "STARSTAR") and after in ("COMMA", "EQUAL", "RPAREN"):
        what, hint = "the name of a parameter", f"choose another name: `{word}_`"
    elif place.inside == "LPAREN" and after == "EQUAL" and before in ("LPAREN", "COMMA", "\n"):
        what, hint = "the name of an argument", f'pass it as `**{{"{word}": ...}}`, where the file may have that'
    elif not place.inside and after == "EQUAL" and before in ("\n", "SEMICOLON"):
        what, hint = "a variable", f"choose another name: `{word}_`"
    elif place.kind == "NAME" or (after == "EQUAL" and place.kind == "EQUAL"):
        return None
    else:
        return None
    message = f"syntax error at '{word}': it is a keyword, and cannot be {what}"
    mistake = place.error(message, hint, place.tokens.starts[at])
    if at == place.index:
        return place.instead(mistake, ("NAME", word + "_"))
    return place.up_to(mistake, at, ("NAME", word + "_"))


def _prefix(place: Place) -> SyntaxMistake | None:
    """`f"..."` and other prefixes of strings."""
    prefix, at, is_here = place.before, place.previous, False
    if place.kind == "NAME" and place.before_kind == "STRING":  # `"..." f"..."`
        end = place.offset + len(place.text)
        if not (place.after[:1] in ("'", '"') and place.tokens.starts[place.index + 1] == end):
            return None
        prefix, at, is_here = place.text, place.index, True
    elif place.kind != "STRING" or place.before_kind != "NAME" or not place.touches:
        return None
    if prefix.lower() in ("f", "fr", "rf"):
        message, hint = "f-strings do not exist in Starlark", 'use `"...{}...".format(value)` or `"...%s..." % value`'
    elif prefix.lower() in ("r", "b", "br", "rb"):
        message, hint = f"string prefix `{prefix}` is not lower case", f"write `{prefix.lower()}`"
    elif prefix in ("u", "U"):
        message, hint = "`u` strings do not exist in Starlark", "take the prefix away: all strings are Unicode"
    elif is_here:
        return None
    else:
        return place.foreign(f"missing operator between `{prefix}` and the string", None, place.before_offset)
    mistake = place.foreign(message, hint, place.tokens.starts[at])
    return place.instead(mistake) if is_here else place.up_to(mistake, at)


def _number(place: Place) -> SyntaxMistake | None:
    """`10px`, `1_000`."""
    if place.before_kind not in ("INTEGER", "FLOAT") or place.kind not in ("NAME", "INTEGER", "FLOAT"):
        return None
    if not place.touches:
        return None
    hint = "numbers have no `_` between digits" if place.text.startswith("_") else None
    message = f"syntax error at '{shown(place.text)}': invalid number literal `{shown(place.before + place.text)}`"
    return place.instead(place.error(message, hint, place.before_offset, "invalid-literal"))


def _strings(place: Place) -> SyntaxMistake | None:
    """`"a" "b"`, on one line or on two."""
    if place.kind != "STRING" or place.before_kind != "STRING":
        return None
    message = "strings next to each other are not joined in Starlark"
    if place.brackets and "COMMA" in place.row:
        mistake = place.foreign(message, "put a comma between them, or join them with `+`")
        return place.here(mistake, ("COMMA", ","))
    return place.here(place.foreign(message, "join them with `+`"), ("PLUS", "+"))


def _closing(place: Place) -> SyntaxMistake | None:
    """Brackets that close nothing or the wrong one, and those that nothing closes."""
    brackets = place.brackets
    if place.kind in _CLOSERS and not brackets:
        return place.instead(place.error(f"syntax error at '{place.text}': there is no bracket to close"))
    if not brackets:
        return None
    kind, opened = brackets[-1]
    start = place.tokens.starts[opened]
    if place.kind in _CLOSERS and not place.row:
        line = place.source.location(start).line
        message = f"syntax error at '{place.text}': it does not close '{_OPENING[kind]}' of line {line}"
        mistake = place.error(message, f"write `{_CLOSING[kind]}`")
        return place.instead(mistake, (kind.replace("L", "R", 1), _CLOSING[kind]))
    if place.at_end:
        return unclosed(place.source, start)
    return None


def unclosed(source: Source, offset: int) -> SyntaxMistake:
    """The bracket at the offset has no partner."""
    opening = {"(": "`)`", "[": "`]`", "{": "`}`"}
    bracket = source.text[offset]
    return source.error(
        "unclosed-bracket", f"'{bracket}' was never closed", offset, f"close it with {opening[bracket]}"
    )


def _indentation(place: Place) -> SyntaxMistake | None:
    if place.kind == "INDENT":
        return place.error("unexpected indentation", "start the line where the one before starts", code="indentation")
    if "INDENT" in place.row:
        hint = "indent the next line, or write `pass`"
        return place.error("expected an indented block after `:`", hint, code="indentation")
    return None


def _equal(place: Place) -> SyntaxMistake | None:
    if place.kind != "EQUAL":
        return None
    message = "syntax error at '=': an assignment cannot stand here"
    kinds, texts = place.tokens.kinds, place.tokens.texts
    since = list(place.since())
    words = {texts[at] for at in since}
    if words & {"if", "elif", "while", "return", "not", "and", "or", "assert"} and not (
        place.inside == "LPAREN" and place.before_kind == "NAME" and kinds[place.back(2)] in ("LPAREN", "COMMA")
    ):
        where = "a condition compares with `==`" if "return" not in words else "write `==` to compare"
        return place.instead(place.error(message, where), ("BINARY", "=="))
    if place.inside == "LPAREN":
        name = texts[place.previous].strip("\"'") if place.before_kind == "STRING" else ""
        hint = "the name of a keyword argument is a plain name; use `==` to compare"
        if name.isidentifier() and kinds[place.back(2)] in ("LPAREN", "COMMA"):
            mistake = place.error(message, f"write the name without quotes: `{name} = ...`")
            return place.up_to(mistake, place.previous, ("NAME", name))
        return place.error(message, hint)
    if place.inside == "LBRACE":
        mistake = place.error(message, "use `:` between key and value; `dict(a = 1)` takes names as keys")
        if "COLON" not in place.row:
            return mistake
        if place.before_kind == "NAME":  # `{a = 1}` means the key "a"
            return place.since_token(mistake, place.previous, ("STRING", f'"{place.before}"'), ("COLON", ":"))
        return place.instead(mistake, ("COLON", ":"))
    if place.inside:
        return place.error(message, "use `==` to compare")
    if place.word == "for":
        return place.error(message, "write `for x in range(n):`")
    return place.error(message, "assign to one target on a line" if "NEWLINE" in place.row else "use `==` to compare")


def _colon(place: Place) -> SyntaxMistake | None:
    """A `:` too much: annotations, entries that are in no dict."""
    if place.kind == "ARROW":
        message = "type annotations can stand only at the parameters and the result of a `def`"
        return place.foreign(message, "take the annotation away")
    if place.kind != "COLON":
        return None
    if place.wants_expression and place.brackets and place.after.isidentifier():
        mistake = place.error("syntax error at ':': expected an expression", f'a label is a string: `":{place.after}"`')
        return place.instead(mistake)
    if place.before_kind == "NAME" and place.back(2) >= 0 and place.tokens.kinds[place.back(2)] == "DEF":
        mistake = place.error("syntax error at ':': expected `(`", f"write `def {place.before}():`")
        return place.here(mistake, ("LPAREN", "("), ("RPAREN", ")"))
    if place.inside == "LPAREN" and "COMMA" in place.row and place.before_kind in ("NAME", "STRING"):
        name = place.before.strip("\"'")
        hint = f"an argument is given by name with `=`: `{name} = ...`; a dict is in `{{}}`"
        mistake = place.error("syntax error at ':': it stands between the key and the value of a dict", hint)
        return place.instead(mistake, ("EQUAL", "=")) if place.before_kind == "NAME" else mistake
    if not place.inside and place.before_kind == "NAME" and "NEWLINE" in place.row:
        message = "type annotations can stand only at the parameters and the result of a `def`"
        return place.foreign(message, f"write `{place.before} = ...`")
    if "COMMA" in place.row and place.brackets:
        hint = "a dict's entries are `key: value`, in `{}`; a list has no keys"
        return place.error("syntax error at ':': it stands between the key and the value of a dict", hint)
    return None


def _else_if(place: Place) -> SyntaxMistake | None:
    if place.kind != "IF" or place.before != "else":
        return None
    mistake = place.foreign("`else if` does not exist in Starlark", "write `elif`")
    return place.since_token(mistake, place.previous, ("ELIF", "elif"))


def _dict_or_set(place: Place) -> SyntaxMistake | None:
    """`{1, 2}`, and an entry without a value."""
    if place.inside != "LBRACE" or place.kind not in ("COMMA", "RBRACE") or "COLON" not in place.row:
        return None
    if any(place.tokens.kinds[at] == "COLON" for at in place.since()):
        mistake = place.error(f"syntax error at '{place.text}': expected `:`", "an entry of a dict is `key: value`")
        return place.here(mistake, ("COLON", ":"), ("NAME", "None"))
    return place.foreign("set literals do not exist in Starlark", "write `set([...])`")


def _missing_comma(place: Place) -> SyntaxMistake | None:
    if "COMMA" not in place.row or place.kind not in STARTS or not place.brackets or place.word == "lambda":
        return None
    hint = "put a comma after the item before"
    mistake = place.error(f"missing comma before '{shown(place.text)}'", hint, code="missing-comma")
    return place.here(mistake, ("COMMA", ","))


def _missing_colon(place: Place) -> SyntaxMistake | None:
    if "COLON" not in place.row:
        return None
    word = place.word
    if place.kind in ("NEWLINE", "$END") and not place.brackets:
        mistake = place.error("missing `:` at the end of the line", _HEADERS.get(word))
        return place.here(mistake, ("COLON", ":"))
    if place.kind in ("RETURN", "PASS", "BREAK", "CONTINUE") and word in _HEADERS:
        return place.here(place.error(f"missing `:` before '{place.text}'", _HEADERS[word]), ("COLON", ":"))
    if place.kind in STARTS and any(place.tokens.kinds[at] == "LAMBDA" for at in place.since()):
        mistake = place.error(f"missing `:` before '{shown(place.text)}'", "write `lambda a, b: ...`")
        return place.here(mistake, ("COLON", ":"))
    return None


def _missing_in(place: Place) -> SyntaxMistake | None:
    if "IN" not in place.row or place.text not in ("of", "from", "on"):
        return None
    return place.instead(
        place.error(f"syntax error at '{place.text}': expected `in`", "write `for x in xs`"), ("IN", "in")
    )


def _missing_else(place: Place) -> SyntaxMistake | None:
    if "ELSE" not in place.row or "IF" in place.row or place.kind == "COLON":
        return None
    if not any(place.tokens.kinds[at] == "IF" for at in place.since()):
        return None
    hint = "write `a if condition else b`; `None` may be `b`"
    mistake = place.error(f"syntax error at '{_what(place)}': this `if` needs an `else`", hint)
    return place.here(mistake, ("ELSE", "else"), ("NAME", "None"))


def _statement_in_expression(place: Place) -> SyntaxMistake | None:
    if not place.wants_expression or "RETURN" in place.row:
        return None
    if place.kind == "IF":
        return place.error("syntax error at 'if': expected an expression", "write `a if condition else b`")
    if place.kind in ("DEF", "RETURN", "FOR", "PASS", "BREAK", "CONTINUE"):
        message = f"syntax error at '{place.text}': it is a statement, and an expression must stand here"
        return place.error(message, "write the expression alone" if place.kind == "RETURN" else None)
    return None


def _unfinished(place: Place) -> SyntaxMistake | None:
    """An operator or `=` at the end of a line."""
    if place.kind != "NEWLINE" or not place.wants_expression or place.brackets or place.previous < 0:
        return None
    message = f"syntax error at 'newline': expected an expression after `{shown(place.before)}`"
    mistake = place.error(message, "an expression goes on in the next line only in brackets")
    return place.here(mistake, ("NAME", "None"))


_RULES = (
    _keyword_as_name,
    missing_quote,
    _prefix,
    _number,
    _strings,
    explain_foreign,
    _closing,
    _indentation,
    _equal,
    _colon,
    _else_if,
    _dict_or_set,
    _missing_in,
    _missing_colon,
    _missing_comma,
    _missing_else,
    _statement_in_expression,
    _unfinished,
)


def _plain(place: Place) -> SyntaxMistake:
    return place.error(f"syntax error at '{_what(place)}': expected {_expected(place.row, place.inside)}")


def _what(place: Place) -> str:
    return _PUNCTUATION.get(place.kind) or shown(place.text)


_NAMES = {
    "COLON": "`:`", "COMMA": "`,`", "RPAREN": "`)`", "RBRACKET": "`]`", "RBRACE": "`}`", "LPAREN": "`(`", "IN": "`in`",
    "ELSE": "`else`", "EQUAL": "`=`", "NEWLINE": "end of line", "NAME": "a name", "$END": "end of file",
    "DEDENT": "end of the block",
}  # fmt: skip


def _expected(row: Mapping[str, object], inside: str) -> str:
    if "INTEGER" in row:
        return "an expression" if "RETURN" not in row else "a statement"
    names = [name for kind, name in _NAMES.items() if kind in row]
    if "BINARY" in row:  # the end of an expression: much may follow
        kinds = ("COMMA", inside.replace("L", "R", 1)) if inside else ("NEWLINE",)
        ends = [_NAMES[kind] for kind in kinds if kind in row]
        return ", ".join(["an operator", *ends[:-1]]) + (f" or {ends[-1]}" if ends else "")
    if not names or len(names) > 4:
        return "something else"
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " or " + names[-1]
