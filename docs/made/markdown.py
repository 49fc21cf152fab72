"""Tables and names in Markdown, and the signatures of functions as Starlark shows them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence

OPTIONAL = "…"
"""Stands for a default that nobody can write."""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The lines of a table."""
    yield _row(head)
    yield _row(["---"] * len(head))
    for row in rows:
        yield _row(row)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"


def listed(names: Iterable[str]) -> str:
    """The names, sorted, as code."""
    return ", ".join(f"`{name}`" for name in sorted(names))


def sentence(text: str) -> str:
    """With a capital and a full stop."""
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".") if text else ""


def signature(name: str, function: Callable[..., object]) -> str:
    """`glob(include = [], exclude = [], *, allow_empty = False)`, without what Starlark does not give."""
    kinds = inspect.Parameter
    shown = [each for each in inspect.signature(function).parameters.values() if each.name not in ("self", "thread")]
    words: list[str] = []
    for index, each in enumerate(shown):
        before = shown[index - 1].kind if index else None
        if before == kinds.POSITIONAL_ONLY and each.kind != before:
            words.append("/")
        if each.kind == kinds.KEYWORD_ONLY and before not in (kinds.KEYWORD_ONLY, kinds.VAR_POSITIONAL):
            words.append("*")
        stars = "*" if each.kind == kinds.VAR_POSITIONAL else "**" if each.kind == kinds.VAR_KEYWORD else ""
        default = "" if each.default is kinds.empty else f" = {value(each.default)}"
        words.append(stars + each.name + default)
    if shown and shown[-1].kind == kinds.POSITIONAL_ONLY:
        words.append("/")
    return f"{name}({', '.join(words)})"


def host_function(function: object) -> Callable[..., object]:
    """The Python function behind one of Starlark's: what `mlbuild.lang.builtin` has wrapped, if it has."""
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
