"""What people bring along from other languages, in words: their statements, operators and comments."""

from __future__ import annotations

from mlbuild.lang.syntax.place import STARTS, Place
from mlbuild.lang.syntax.source import SyntaxMistake

NO_WHILE = "`while` loops do not exist in Starlark", "use `for` over a `range` that is long enough, with `break`"
_NO_IMPORT = "`import` does not exist in Starlark", 'use `load("//package:file.bzl", "name")`'
_NO_TRY = "`try` does not exist in Starlark: errors cannot be caught", "test before, for example with `in` or `type()`"
_RESERVED: dict[str, tuple[str, str | None]] = {
    "class": ("classes do not exist in Starlark", "use `struct(...)` or a provider"),
    "import": _NO_IMPORT,
    "from": _NO_IMPORT,
    "try": _NO_TRY,
    "except": _NO_TRY,
    "finally": _NO_TRY,
    "raise": ("`raise` does not exist in Starlark", 'use `fail("message")`'),
    "assert": ("`assert` does not exist in Starlark", 'use `if not condition: fail("message")`'),
    "with": ("`with` does not exist in Starlark", "call the function and use its result: nothing needs to be closed"),
    "yield": ("generators do not exist in Starlark", "build and return a list"),
    "del": ("`del` does not exist in Starlark", "use `.pop()` or `.remove()`"),
    "global": ("`global` does not exist in Starlark: functions cannot rebind globals", "return the new value instead"),
    "nonlocal": (
        "`nonlocal` does not exist in Starlark: functions cannot rebind outer names",
        "keep the state in a list or dict",
    ),
    "async": ("`async` does not exist in Starlark", "write `def`: actions run in parallel by themselves"),
    "await": ("`await` does not exist in Starlark", "call the function: it returns when it is done"),
}
_STATEMENTS: dict[str, tuple[str, str]] = {
    "print": ("`print` is a function", "write `print(...)`"),
    "exec": ("`exec` does not exist in Starlark", 'use `load("//package:file.bzl", "name")`'),
    **dict.fromkeys(("var", "let", "const", "local", "auto", "val"), ("", "write `name = value`")),
    **dict.fromkeys(("function", "func", "fn", "fun", "sub", "proc"), ("", "write `def name(...):`")),
    **dict.fromkeys(("match", "switch", "case", "default"), ("", "use `if` and `elif`, or a dict")),
    **dict.fromkeys(("foreach",), ("", "write `for x in xs:`")),
    **dict.fromkeys(("unless",), ("", "write `if not ...:`")),
    **dict.fromkeys(("until", "loop"), ("", "use `for` over a `range` that is long enough, with `break`")),
    **dict.fromkeys(("throw",), ("", 'use `fail("message")`')),
    **dict.fromkeys(("struct", "enum", "interface", "record", "type"), ("", "use `struct(...)` or a provider")),
    **dict.fromkeys(
        ("include", "require", "using", "use", "package"), ("", 'use `load("//package:file.bzl", "name")`')
    ),
    **dict.fromkeys(("export", "public", "private", "static"), ("", "a name without `_` before it is public")),
    "new": ("", "call the function: `name(...)`"),
}
_TWICE = {"&": ("write `and`", "and"), "|": ("write `or`", "or")}
BLOCKS_OF = {"except": "try", "finally": "try", "case": "", "default": ""}
"""Lines of a foreign statement that has been told at its first line: told once is enough."""


def explain_foreign(place: Place) -> SyntaxMistake | None:
    """What the place has of another language, if anything."""
    for rule in (_word, _statement, _comment, _operator, _increment, _ellipsis, _star, _braces, _generator):
        found = rule(place)
        if found is not None:
            return found
    return None


def _word(place: Place) -> SyntaxMistake | None:
    kind, text = place.kind, place.text
    if kind == "WHILE":
        return place.foreign(*NO_WHILE)
    if kind != "RESERVED":
        return None
    if text == "is":
        words, meant = (("is not", "!="), ("is", "=="))[place.after != "not"]
        mistake = place.foreign(f"`{words}` does not exist in Starlark", f"compare with `{meant}`")
        if words == "is":
            return place.instead(mistake, ("BINARY", "=="))
        mistake.fix = None
        fixed = place.instead(mistake, ("BINARY", "!="))
        assert fixed.fix is not None
        fixed.fix = fixed.fix._replace(removed=2)
        return fixed
    if text in ("import", "from"):
        return place.foreign(_NO_IMPORT[0], _load_of(place))
    if text in _RESERVED:
        mistake = place.foreign(*_RESERVED[text])
        return place.instead(mistake) if text == "await" and place.wants_expression else mistake
    return place.error(f"syntax error at '{text}': it is a reserved word", "choose another name")


def _load_of(place: Place) -> str:
    """The `load` that comes nearest to the `import` of the line."""
    words = [place.tokens.texts[at] for at in place.line_tokens() if at >= place.index]
    if words[0] != "from" or "import" not in words:
        return _NO_IMPORT[1]
    module = "".join(words[1 : words.index("import")]).strip(".").replace(".", "/") or "file"
    names = " ".join(words[words.index("import") + 1 :]).replace("(", "").split(",")
    shown = [f'"{name.split()[0]}"' if len(name.split()) == 1 else f'{name.split()[2]} = "{name.split()[0]}"'
             for name in names if len(name.split()) in (1, 3) and name.split()[0].isidentifier()]  # fmt: skip
    return f'use `load(":{module}.bzl", {", ".join(shown)})`' if shown else _NO_IMPORT[1]


def _statement(place: Place) -> SyntaxMistake | None:
    """`print x`, `let x = 1`, `switch x:`, `new Thing()`."""
    before = place.before
    if place.before_kind != "NAME" or place.kind not in STARTS or place.kind in ("LPAREN", "LBRACKET"):
        return None
    if before in ("elseif", "elsif", "elif") and place.follows_first:
        return place.up_to(place.foreign(f"`{before}` does not exist in Starlark", "write `elif`", place.before_offset), place.previous, ("ELIF", "elif"))  # fmt: skip
    if before not in _STATEMENTS or not (place.follows_first or before == "new"):
        return None
    message, hint = _STATEMENTS[before]
    mistake = place.foreign(message or f"`{before}` does not exist in Starlark", hint, place.before_offset)
    if hint == "write `name = value`" or before == "new":
        return place.up_to(mistake, place.previous)
    if hint.startswith("write `def"):
        return place.up_to(mistake, place.previous, ("DEF", "def"))
    return mistake


def _comment(place: Place) -> SyntaxMistake | None:
    """`// text` and `/* text */`; in brackets, `//` may begin a label."""
    is_label = place.inside and place.after.isidentifier() and place.wants_expression
    if place.text == "//" and is_label and place.tokens.starts[place.index + 1] == place.offset + 2:
        return place.error("syntax error at '//': expected an expression", 'a label is a string: `"//package:name"`')
    hint = "a comment begins with `#`"
    if place.wants_expression and (place.text == "//" or (place.text == "/" and place.after == "*")):
        mistake = place.error(f"syntax error at '{place.text}': a comment does not begin so", hint)
        if place.text == "/":
            return mistake
        line = place.line_tokens()
        removed = place.instead(mistake)
        assert removed.fix is not None
        removed.fix = removed.fix._replace(removed=line.stop - place.index)
        return removed
    if place.kind in STARTS and place.before_kind in ("NAME", "INTEGER"):
        for at in place.line_tokens():
            if at < place.index and place.tokens.texts[at] == "//" and place.tokens.texts[at + 1].isidentifier():
                return place.error("`//` divides: it does not begin a comment", hint, place.tokens.starts[at])
    return None


def _operator(place: Place) -> SyntaxMistake | None:
    text, before = place.text, place.before
    touches = place.touches
    if text == before and text in _TWICE:
        hint, word = _TWICE[text]
        return place.since_token(
            place.error(f"`{text}{text}` is not an operator", hint), place.previous, ("BINARY", word)
        )
    if text == ">" and before == "<" and touches:
        mistake = place.error("`<>` is not an operator", "write `!=`", place.before_offset)
        return place.since_token(mistake, place.previous, ("BINARY", "!="))
    if text == ">" and before == "|" and touches:
        return place.error("`|>` is not an operator", "write `f(x)`", place.before_offset)
    if place.kind == "EQUAL" and before in ("==", "!=") and touches:
        mistake = place.error(f"`{before}=` is not an operator", f"write `{before}`", place.before_offset)
        return place.since_token(mistake, place.previous, ("BINARY", before))
    if place.kind == "EQUAL" and place.after == ">":
        return place.foreign("`=>` does not exist in Starlark", "write `lambda a, b: ...`")
    if place.kind == "COLON" and place.after == "=":
        return place.foreign("`:=` does not exist in Starlark", "assign on a line of its own")
    return None


def _increment(place: Place) -> SyntaxMistake | None:
    """`x++` and `x--`, which are read as `x + (+`."""
    sign = place.before
    first = place.back(2)
    if sign not in ("+", "-") or first < 0 or place.tokens.texts[first] != sign or not place.wants_expression:
        return None
    if place.kind not in ("NEWLINE", "RPAREN", "RBRACKET", "SEMICOLON", "$END", "COMMA"):
        return None
    mistake = place.error(f"`{sign}{sign}` is not an operator", f"write `x {sign}= 1`", place.tokens.starts[first])
    if place.brackets:
        return mistake
    return place.up_to(mistake, first, ("AUGMENTED", f"{sign}="), ("INTEGER", "1"))


def _ellipsis(place: Place) -> SyntaxMistake | None:
    if (
        place.kind != "DOT"
        or not place.wants_expression
        or place.tokens.texts[place.index : place.index + 3] != ["."] * 3
    ):
        return None
    is_statement = place.begins_statement or place.before_kind == "COLON"
    mistake = place.foreign("`...` does not exist in Starlark", "write `pass`" if is_statement else "write `None`")
    instead = place.instead(mistake, ("PASS", "pass") if is_statement else ("NAME", "None"))
    assert instead.fix is not None
    instead.fix = instead.fix._replace(removed=3)
    return instead


def _star(place: Place) -> SyntaxMistake | None:
    if place.kind == "STARSTAR":
        if place.wants_expression and place.inside == "LBRACE":
            return place.foreign("`**` does not exist in dicts", "join dicts with `|`: `a | {...}`")
        if place.wants_expression:
            return place.foreign("`**` can stand only before an argument of a call or a parameter")
        return place.instead(
            place.foreign("`**` is not an operator in Starlark", "multiply, for powers"), ("STAR", "*")
        )
    if place.kind == "STAR" and place.wants_expression:
        if place.inside in ("LBRACKET", "LBRACE"):
            return place.instead(place.foreign("`*` does not exist in lists", "join lists with `+`: `a + [...]`"))
        if not place.brackets:
            return place.instead(
                place.foreign("`*` does not exist in assignments", "take slices: `a, b = x[0], x[1:]`")
            )
        return place.foreign("`*` can stand only before an argument of a call or a parameter")
    if place.kind == "RPAREN" and place.before == "*" and place.word == "load":
        hint = 'write `load("//package:file.bzl", "a", "b")`'
        return place.error("`load` names each symbol that it loads", hint, place.before_offset, "bad-load")
    return None


def _braces(place: Place) -> SyntaxMistake | None:
    """`if x {`, `def f() {`, and `then`, `do` for a colon."""
    if "COLON" not in place.row or place.inside or place.word not in ("def", "if", "elif", "else", "for", "while"):
        return None
    if place.kind == "LBRACE":
        return place.foreign(
            "blocks in braces do not exist in Starlark", "write `:`, and indent the lines of the block"
        )
    if place.text in ("then", "do", "begin"):
        mistake = place.foreign(f"`{place.text}` does not exist in Starlark", "write `:`")
        return place.instead(mistake, ("COLON", ":"))
    return None


def _generator(place: Place) -> SyntaxMistake | None:
    if place.kind != "FOR" or not place.inside:
        return None
    if place.inside == "LBRACE":
        return place.foreign("set comprehensions do not exist in Starlark", "write `set([... for ...])`")
    if "COMMA" in place.row or place.inside == "LPAREN":
        return place.foreign("generator expressions do not exist in Starlark", "write `[... for ...]`")
    return None
