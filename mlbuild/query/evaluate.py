"""What an expression evaluates to over a graph. The language is told in `functions.py`; its meaning is Bazel's."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from mlbuild.diagnostics import ExitCode, UserError
from mlbuild.loading.dependencies import attribute_labels
from mlbuild.query.attribute_text import attribute_texts
from mlbuild.query.expression import Call, Expression, Let, Operation, Operator, Pattern, SetOf, Variable, is_path
from mlbuild.query.graph import TargetGraph
from mlbuild.query.kinds import kind_of
from mlbuild.query.parse import Source
from mlbuild.query.walks import closure, shortest_path, turned
from mlbuild.records import record, replace
from mlbuild.terms import Entry, Label, SourceFile, Target
from mlbuild.terms.visibility import is_visible

Labels = dict[Label, None]
"""A set that keeps the order in which its members were found."""


@record
class Answer:
    """The labels that an expression comes to, as they were found. `is_path`: that order is the one to show."""

    labels: tuple[Label, ...]
    is_path: bool = False


class Evaluation:
    """One question to one graph. `universe` holds the patterns of `--universe_scope`."""

    def __init__(self, graph: TargetGraph, source: Source, universe: tuple[str, ...] = ()) -> None:
        self._graph = graph
        self._source = source
        self._universe = universe

    def answer(self, expression: Expression) -> Answer:
        """Raises UserError (exit code 7) for what cannot be loaded, or has no answer."""
        try:
            return Answer(tuple(self._value(expression, {})), is_path(expression))
        except UserError as error:
            raise UserError(*error.diagnostics, exit_code=ExitCode.QUERY_FAILED) from None

    def _value(self, expression: Expression, bound: Mapping[str, Labels]) -> Labels:
        match expression:
            case Pattern():
                return self._matching(expression.text, expression.offset)
            case Variable():
                return bound[expression.name]
            case Let():
                value = self._value(expression.value, bound)
                return self._value(expression.body, {**bound, expression.name: value})
            case SetOf():
                found: Labels = {}
                for pattern in expression.patterns:
                    found.update(self._matching(pattern.text, pattern.offset))
                return found
            case Operation():
                return self._operation(expression, bound)
            case Call():
                arguments = [
                    each if isinstance(each, (str, int, re.Pattern)) else self._value(each, bound)
                    for each in expression.arguments
                ]
                function: Callable[..., Labels] = getattr(self, f"_{expression.function.name}")
                try:
                    return function(*arguments)
                except _NoAnswer as none:
                    raise UserError(
                        self._source.diagnostic("no-answer", str(none), expression.offset, none.hint)
                    ) from None

    def _matching(self, pattern: str, offset: int) -> Labels:
        try:
            return dict.fromkeys(self._graph.matching(pattern))
        except UserError as error:
            location, line = self._source.place(offset)
            raise UserError(
                *(
                    replace(each, location=location, source_line=line) if each.location is None else each
                    for each in error.diagnostics
                )
            ) from None

    def _operation(self, expression: Operation, bound: Mapping[str, Labels]) -> Labels:
        found = dict(self._value(expression.first, bound))
        for operator, operand in expression.rest:
            other = self._value(operand, bound)
            if operator is Operator.UNION:
                found.update(other)
            else:
                is_kept = operator is Operator.INTERSECT
                found = {each: None for each in found if (each in other) is is_kept}
        return found

    # walks

    def _deps(self, x: Labels, depth: int | None = None) -> Labels:
        return dict.fromkeys(closure(x, self._graph.dependencies, depth))

    def _rdeps(self, universe: Labels, x: Labels, depth: int | None = None) -> Labels:
        users = turned(closure(universe, self._graph.dependencies), self._graph.dependencies)
        return dict.fromkeys(closure([each for each in x if each in users], users.__getitem__, depth))

    def _allrdeps(self, x: Labels, depth: int | None = None) -> Labels:
        if not self._universe:
            raise _NoAnswer(
                "`allrdeps` needs to be told where to look",
                "name the universe: `--universe_scope=//...`, or write `rdeps(//..., x)`",
            )
        universe: Labels = {}
        for pattern in self._universe:
            if pattern.startswith("-"):
                for each in self._graph.matching(pattern[1:]):
                    universe.pop(each, None)
            else:
                universe.update(dict.fromkeys(self._graph.matching(pattern)))
        return self._rdeps(universe, x, depth)

    def _same_pkg_direct_rdeps(self, x: Labels) -> Labels:
        return {each: None for each in self._siblings(x) if any(label in x for label in self._own_edges(each))}

    def _own_edges(self, label: Label) -> Iterable[Label]:
        """What is in the label's own package; the rest need not even load."""
        package = (label.repository, label.package)
        return (each for each in self._graph.written(label) if (each.repository, each.package) == package)

    def _siblings(self, x: Labels) -> Labels:
        return self._of_packages(x, lambda label: tuple(self._graph.siblings(label)))

    def _allpaths(self, start: Labels, end: Labels) -> Labels:
        users = turned(closure(start, self._graph.dependencies), self._graph.dependencies)
        ending = closure([each for each in end if each in users], users.__getitem__)
        return {each: None for each in users if each in ending}

    def _somepath(self, start: Labels, end: Labels) -> Labels:
        return dict.fromkeys(shortest_path(start, end, self._graph.dependencies))

    # filters

    def _kind(self, regex: re.Pattern[str], x: Labels) -> Labels:
        return self._those(x, lambda entry: regex.search(kind_of(entry)) is not None)

    def _filter(self, regex: re.Pattern[str], x: Labels) -> Labels:
        return {each: None for each in x if regex.search(str(each))}

    def _attr(self, name: str, regex: re.Pattern[str], x: Labels) -> Labels:
        return self._those(
            x,
            lambda entry: (
                isinstance(entry, Target) and any(regex.search(text) for text in attribute_texts(entry, name))
            ),
        )

    def _tests(self, x: Labels) -> Labels:
        return self._those(x, lambda entry: isinstance(entry, Target) and entry.rule.is_test)

    def _visible(self, viewers: Labels, x: Labels) -> Labels:
        packages = tuple({(each.repository, each.package): each for each in viewers}.values())
        return self._those(x, lambda entry: all(_sees(viewer, entry) for viewer in packages))

    def _some(self, x: Labels, count: int = 1) -> Labels:
        if not x:
            raise _NoAnswer("`some` was given an empty set", "make sure that its argument names something")
        return dict.fromkeys(tuple(x)[:count])

    def _those(self, x: Labels, is_wanted: Callable[[Entry], bool]) -> Labels:
        return {each: None for each in x if is_wanted(self._graph.entry(each))}

    # what labels lead to

    def _labels(self, name: str, x: Labels) -> Labels:
        found: Labels = {}
        for each in x:
            entry = self._graph.entry(each)
            if isinstance(entry, Target) and (attribute := entry.rule.attributes.get(name)) is not None:
                found.update(dict.fromkeys(self._graph.there(attribute_labels(entry, attribute), each)))
        return found

    def _loadfiles(self, x: Labels) -> Labels:
        return self._of_packages(x, self._graph.modules)

    def _buildfiles(self, x: Labels) -> Labels:
        modules = self._loadfiles(x)
        own = self._of_packages(x, lambda label: (self._graph.build_file(label),))
        return {**own, **modules, **self._of_packages(modules, self._graph.build_files)}

    def _of_packages(self, x: Labels, of_package: Callable[[Label], tuple[Label, ...]]) -> Labels:
        """For every package of the labels what a function says of it, asked once."""
        packages = {(each.repository, each.package): each for each in reversed(x)}
        found: Labels = {}
        for label in reversed(packages.values()):
            found.update(dict.fromkeys(of_package(label)))
        return found


class _NoAnswer(Exception):
    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def _sees(viewer: Label, entry: Entry) -> bool:
    """Whether a target in the viewer's package may depend on the entry; source files are visible to all."""
    if isinstance(entry, SourceFile):
        return True
    owner = entry if isinstance(entry, Target) else entry.target
    return is_visible(owner.visibility, owner.label, viewer)
