"""The signatures of functions as Starlark shows them: of those of the host, without what Starlark does not give."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator

OPTIONAL = "…"
"""Stands for a default that nobody can write."""


def signature(name: str, function: Callable[..., object]) -> str:
    """`glob(include = [], exclude = [], *, allow_empty = False)`."""
    return f"{name}({', '.join(parameter_words(function))})"


def parameter_words(function: Callable[..., object]) -> Iterator[str]:
    """Each parameter, and the marks between them, as one would write them."""
    kinds = inspect.Parameter
    shown = parameters(function)
    for index, each in enumerate(shown):
        before = shown[index - 1].kind if index else None
        if before == kinds.POSITIONAL_ONLY and each.kind != before:
            yield "/"
        if each.kind == kinds.KEYWORD_ONLY and before not in (kinds.KEYWORD_ONLY, kinds.VAR_POSITIONAL):
            yield "*"
        stars = "*" if each.kind == kinds.VAR_POSITIONAL else "**" if each.kind == kinds.VAR_KEYWORD else ""
        default = "" if each.default is kinds.empty else f" = {value(each.default)}"
        yield stars + each.name + default
    if shown and shown[-1].kind == kinds.POSITIONAL_ONLY:
        yield "/"


def parameters(function: Callable[..., object]) -> list[inspect.Parameter]:
    """Those that Starlark sees."""
    return [each for each in inspect.signature(function).parameters.values() if each.name not in ("self", "thread")]


def host_function(function: object) -> Callable[..., object]:
    """The Python function behind one of Starlark's: what `mlbuild.lang.runtime.builtin` has wrapped, if it has."""
    call: Callable[..., object] = getattr(function, "call")  # noqa: B009 (a value of the language: any object)
    if not inspect.isfunction(call) or call.__name__ != "call":
        return call
    return next(cell.cell_contents for cell in call.__closure__ or () if inspect.isfunction(cell.cell_contents))


def value(given: object) -> str:
    """A default as one would write it."""
    if isinstance(given, str):
        return '"' + given.replace("\t", "\\t") + '"'
    if isinstance(given, (tuple, list)):
        return "[" + ", ".join(value(each) for each in given) + "]"
    if given is None or isinstance(given, (bool, int, float, dict)):
        return str(given)
    return OPTIONAL if type(given) is object else str(given)
