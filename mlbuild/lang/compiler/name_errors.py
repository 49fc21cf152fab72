"""What to write for a name that is not defined: a name near it, or what Starlark has for what Python has."""

from __future__ import annotations

from collections.abc import Iterable

from mlbuild.diagnostics import did_you_mean

_OTHERS = {
    "null": "None", "none": "None", "nil": "None", "undefined": "None", "true": "True", "false": "False", "TRUE": "True", "FALSE": "False",
    "xrange": "range", "unicode": "str", "long": "int", "array": "list", "Array": "list", "println": "print", "printf": "print",
}  # fmt: skip
_INSTEAD = {
    **dict.fromkeys(("isinstance", "issubclass"), 'compare `type(x)` with a string: `type(x) == "list"`'),
    **dict.fromkeys(("map", "filter"), "write a comprehension: `[f(x) for x in xs if g(x)]`"),
    **dict.fromkeys(("open", "input", "raw_input"), "files of this language read nothing: let an action read the file"),
    **dict.fromkeys(("eval", "exec", "compile", "__import__"), 'use `load("//package:file.bzl", "name")`'),
    **dict.fromkeys(("os", "sys", "re", "math", "subprocess", "pathlib"), "Python's modules do not exist in Starlark"),
    **dict.fromkeys(("self", "this", "cls", "super", "object"), "there are no classes: pass the value as an argument"),
    **dict.fromkeys(("Exception", "ValueError", "TypeError", "KeyError"), 'use `fail("message")`'),
    **dict.fromkeys(("iter", "next"), "go through the values with `for`"),
    **dict.fromkeys(("chr", "ord"), "use `.elems()` to take a string apart"),
    **dict.fromkeys(("globals", "locals", "vars"), "use a dict"),
    "frozenset": "use `set(...)`",
    "sum": "add up in a loop",
    "pow": "multiply in a loop",
    "round": "use `int(x + 0.5)`",
    "format": 'use `"{}".format(x)`',
    "callable": 'compare `type(x)` with `"function"`',
    "__name__": "a file cannot be run by itself: call the function from a BUILD file",
}


def hint_for(name: str, visible: Iterable[str]) -> str | None:
    """What to try for a name that is not among the visible ones."""
    if name in _INSTEAD:
        return _INSTEAD[name]
    close = _OTHERS.get(name) or did_you_mean(name, visible)
    return f"did you mean `{close}`?" if close else None
