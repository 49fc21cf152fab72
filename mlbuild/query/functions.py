"""The functions of the query language, in one table: it parses their arguments, and the reference page is made from it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from mlbuild.records import record


class Kind(Enum):
    """What an argument is."""

    EXPRESSION = "expression"
    WORD = "word"
    REGEX = "regular expression"
    NUMBER = "number"


@record
class Parameter:
    """One parameter of a function."""

    name: str
    kind: Kind
    is_optional: bool = False


@record
class Function:
    """One function. `doc` is what it evaluates to."""

    name: str
    parameters: tuple[Parameter, ...]
    doc: str
    example: str

    @property
    def signature(self) -> str:
        """As people write it: `deps(x[, depth])`."""
        wanted = ", ".join(each.name for each in self.parameters if not each.is_optional)
        more = "".join(f"[, {each.name}]" for each in self.parameters if each.is_optional)
        return f"{self.name}({wanted}{more})"


def _set(name: str) -> Parameter:
    return Parameter(name, Kind.EXPRESSION)


_X = _set("x")
_DEPTH = Parameter("depth", Kind.NUMBER, is_optional=True)
_REGEX = Parameter("regex", Kind.REGEX)
_ATTRIBUTE = Parameter("attribute", Kind.WORD)

FUNCTIONS: Mapping[str, Function] = {
    function.name: function
    for function in (
        Function("deps", (_X, _DEPTH), "`x` and all that it depends on, or what lies at most `depth` steps away.", "deps(//a:app, 1)"),
        Function("rdeps", (_set("universe"), _X, _DEPTH), "What depends on `x`, and `x`, within `universe` and all that it depends on.", "rdeps(//..., //a:lib, 1)"),
        Function("allrdeps", (_X, _DEPTH), "`rdeps` with the patterns of `--universe_scope` as the universe.", "allrdeps(//a:lib)"),
        Function("same_pkg_direct_rdeps", (_X,), "The targets that depend directly on one of `x` in their own package.", "same_pkg_direct_rdeps(//a:lib.txt)"),
        Function("siblings", (_X,), "Everything in the packages of `x`: rules, outputs, source files, BUILD file.", "siblings(//a:app)"),
        Function("allpaths", (_set("start"), _set("end")), "All that lies on any path of dependencies from `start` to `end`.", "allpaths(//a:app, //c)"),
        Function("somepath", (_set("start"), _set("end")), "One shortest path from `start` to `end`, shown in its order; nothing if there is none.", "somepath(//a:app, //c)"),
        Function("kind", (_REGEX, _X), "Those of `x` whose kind matches: `genrule rule`, `source file`, `generated file`, `part`.", "kind(\"genrule rule\", //...)"),
        Function("filter", (_REGEX, _X), "Those of `x` whose label, written out as `//package:name`, matches.", "filter(\"\\.txt$\", deps(//a:app))"),
        Function("attr", (_ATTRIBUTE, _REGEX, _X), "The rules of `x` that have the attribute with a value that matches; see below.", "attr(tags, \"[\\[ ]slow[,\\]]\", //...)"),
        Function("labels", (_ATTRIBUTE, _X), "What the attribute of the rules of `x` names, in every case of a `select`.", "labels(srcs, //a:app)"),
        Function("tests", (_X,), "Those of `x` that `mlbuild test` runs.", "tests(//...)"),
        Function("some", (_X, Parameter("count", Kind.NUMBER, is_optional=True)), "The first, or the first `count`, of `x`; an error if `x` is empty.", "some(//..., 2)"),
        Function("buildfiles", (_X,), "The BUILD files of the packages of `x`, the modules that they load, and these modules' BUILD files.", "buildfiles(deps(//a:app))"),
        Function("loadfiles", (_X,), "The modules that the BUILD files of the packages of `x` load, directly or not.", "loadfiles(//a:app)"),
        Function("visible", (_set("viewers"), _X), "Those of `x` that every one of `viewers` may depend on.", "visible(//b:all, //a:*)"),
    )
}  # fmt: skip
