"""`select()`: a value that depends on the configuration, not yet chosen."""

from __future__ import annotations

from typing import ClassVar

from mlbuild.records import record

DEFAULT_CONDITION = "//conditions:default"


@record
class Selector:
    """One `select({condition: value, ...}, no_match_error = "")`. Conditions are strings or labels."""

    cases: tuple[tuple[object, object], ...]
    no_match_error: str = ""


@record
class Select:
    """What an attribute is set to: values and selectors, to be added up when the configuration is known."""

    parts: tuple[object, ...]
    operator: str = "+"

    starlark_type: ClassVar[str] = "select"
    starlark_hint: ClassVar[str] = (
        "which branch holds is not known while files are loaded: give the `select` to an attribute as it is, "
        "and put what is to be done with values into its branches"
    )

    def starlark_binary(self, operator: str, other: object, reflected: bool) -> object:
        if operator not in ("+", "|") or (len(self.parts) > 1 and operator != self.operator):
            return NotImplemented
        theirs = other.parts if isinstance(other, Select) else (other,)
        parts = (*theirs, *self.parts) if reflected else (*self.parts, *theirs)
        return Select(parts, operator)

    def starlark_repr(self) -> str:
        return f" {self.operator} ".join("select(...)" if isinstance(each, Selector) else "..." for each in self.parts)


def added(left: object, right: object) -> object:
    """The sum of two parts of an attribute's value."""
    match left, right:
        case dict(), dict():
            return {**left, **right}
        case (list(), list()):
            return [*left, *right]
        case (str(), str()):
            return left + right
        case (int() | float(), int() | float()):
            return left + right
    return right
