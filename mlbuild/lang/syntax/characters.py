"""Characters that begin no token, in words: strings without an end, look-alikes, signs of other languages."""

from __future__ import annotations

from mlbuild.lang.syntax.place import Place, shown
from mlbuild.lang.syntax.source import Fix, SyntaxMistake

_SIGNS = {
    "?": ("`? :` does not exist in Starlark", "write `a if condition else b`"),
    "$": ("`$` is not an operator", "a name is used as it is: `name`"),
    "`": ("backticks are not quotes", 'use `"`'),
    "\\": ("`\\` must be the last character of its line", "delete what follows it, or the `\\`"),
}
_LOOK_ALIKES = {
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d", "-"),
    **dict.fromkeys("\u00d7\u2217\uff0a", "*"),
    **dict.fromkeys("\u00f7\u2215\u2044\uff0f", "/"),
    **dict.fromkeys("\uff0c\u201a\u3001", ","),
    **dict.fromkeys("\uff1a\u2236\u02d0", ":"),
    "\uff08": "(", "\uff09": ")", "\uff3b": "[", "\uff3d": "]", "\uff5b": "{", "\uff5d": "}", "\u3010": "[", "\u3011": "]",
    "\uff1d": "=", "\uff0b": "+", "\uff1b": ";", "\u037e": ";", "\uff0e": ".", "\u3002": ".", "\uff05": "%", "\uff5c": "|",
    "\u2260": "!=", "\u2264": "<=", "\u2265": ">=", "\uff1c": "<", "\uff1e": ">", "\u2208": "in", "\u2227": "and", "\u2228": "or", "\u00ac": "not",
}  # fmt: skip
_QUOTES = {
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb\uff02\u2033", '"'),
    **dict.fromkeys("\u2018\u2019\u201b\u2032\uff07\u00b4", "'"),
}
_INVISIBLE = "\ufeff\u200b\u200c\u200d\u2060\u00a0\u00ad\u2003\u2002\u2009\u202f\u3000\u000b\u000c\u2028\u2029"


def explain_characters(place: Place) -> SyntaxMistake:
    """Why the characters at the place are no token."""
    text = place.text
    first = text[0]
    if first in "\"'":
        return _unclosed_string(place, first)
    if first.isdigit() or first == ".":
        hint = "numbers have no `_` between digits" if "_" in text or place.after.startswith("_") else None
        return place.error(f"invalid number literal `{shown(text)}`", hint, code="invalid-literal")
    if first == "!":
        return place.instead(place.error("`!` is not an operator", "write `not`, or `!=` to compare"), ("NOT", "not"))
    if first == "@":
        if place.begins_statement:
            return place.foreign(
                "decorators do not exist in Starlark", "call the function on the other: `f = decorate(f)`"
            )
        return place.error("`@` is not an operator", "write a label as a string")
    if first in _SIGNS:
        return place.error(*_SIGNS[first])
    if first in _QUOTES:
        return _quoted(place, first)
    if first in _INVISIBLE or ("\x00" <= first < " "):
        mistake = place.error(f"invisible character U+{ord(first):04X}", "delete it")
        return place.instead(mistake) if all(each in _INVISIBLE for each in text) else mistake
    if first in _LOOK_ALIKES:
        return _look_alike(place, first)
    return place.error(f"invalid character: '{shown(first)}'")


def missing_quote(place: Place) -> SyntaxMistake | None:
    """`["a.py, "b.py"]`: a string ends where the next should begin, and the last has no end."""
    if place.kind != "NAME" or place.before_kind != "STRING" or not place.touches:
        return None
    for at in place.line_tokens():
        if at > place.index and place.tokens.kinds[at] == "bad" and place.tokens.texts[at].strip(" \t")[0] in "\"'":
            hint = "the quotes of this line do not pair up: one is missing at its end"
            return place.error("unclosed string literal", hint, place.before_offset, "unclosed-string")
    return None


def _unclosed_string(place: Place, quote: str) -> SyntaxMistake:
    hint = f"end it with `{quote}` on the same line, or use `{quote * 3}`"
    if place.source.text.startswith(quote * 3, place.offset):
        hint = f"end it with `{quote * 3}`"
    return place.error("unclosed string literal", hint, code="unclosed-string")


def _quoted(place: Place, quote: str) -> SyntaxMistake:
    mistake = place.error(f"`{quote}` is not a quote", f"use `{_QUOTES[quote]}`")
    for at in place.line_tokens():
        if at > place.index and place.tokens.texts[at].strip(" \t")[0] in _QUOTES:
            mistake.fix = Fix(place.offset, at + 1 - place.index, (("STRING", '""'),))
            break
    return mistake


def _look_alike(place: Place, first: str) -> SyntaxMistake:
    import unicodedata

    from mlbuild.lang.syntax.scan import scan

    meant = _LOOK_ALIKES[first]
    name = unicodedata.name(first, f"U+{ord(first):04X}").lower()
    mistake = place.error(f"`{first}` ({name}, U+{ord(first):04X}) is not `{meant}`", f"write `{meant}`")
    if place.text == first and meant not in "()[]{}":
        return place.instead(mistake, (scan(meant).kinds[0], meant))
    return mistake
