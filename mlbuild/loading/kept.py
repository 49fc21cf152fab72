"""Evaluated packages, kept: a BUILD file that says what it said, in a workspace that answers as it answered, is not evaluated.

An entry is found by the bytes of the BUILD file, and believed only if everything else that the evaluation saw is as it was: the
modules that it loads (their bytes, and the package that each belongs to), and every question that it asked of the source
tree (`glob`, `subpackages`, whether a file exists). What printed something is not kept, nor what failed: that is told again.
"""

from __future__ import annotations

import marshal
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from mlbuild.diagnostics import Frame, Location, UserError
from mlbuild.lang import FrozenDict, FrozenList
from mlbuild.loading.folders import Folders
from mlbuild.loading.native import NATIVE_RULES
from mlbuild.loading.package import Package
from mlbuild.loading.rule import RuleFunction
from mlbuild.seams import EntryKind
from mlbuild.terms import Label, Rule, Select, Selector, Target

FORMAT = 1


class Keeper(Protocol):
    """Bytes by key: what was kept may be gone, but what is given is what was kept."""

    def read(self, key: str) -> bytes | memoryview | None: ...

    def write(self, key: str, body: bytes) -> None: ...


class Asked:
    """The folders as an evaluation asks about them: each question is remembered with its answer."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders
        self.questions: dict[tuple[object, ...], object] = {}

    def glob(self, package_folder: str, pattern: str, with_directories: bool = False) -> tuple[str, ...]:
        answer = self._folders.glob(package_folder, pattern, with_directories)
        self.questions["glob", package_folder, pattern, with_directories] = answer
        return answer

    def packages_below(self, folder: str) -> Iterator[str]:
        answer = tuple(self._folders.packages_below(folder))
        self.questions["packages_below", folder] = answer
        return iter(answer)

    def enclosing_package(self, folder: str) -> str | None:
        answer = self._folders.enclosing_package(folder)
        self.questions["enclosing_package", folder] = answer
        return answer

    def kind(self, path: str) -> EntryKind | None:
        answer = self._folders.kind(path)
        self.questions["kind", path] = answer
        return answer


ModuleState = tuple[str, str, str]
"""A module's path, the digest of its bytes, the package that it belongs to."""


class World(Protocol):
    """What a package's evaluation depends on, as it is now."""

    def digest(self, path: str) -> str | None:
        """The digest of the file's bytes; nothing if there is no such file."""

    def package_of(self, path: str) -> str:
        """The package that a module belongs to."""

    def exported(self, path: str, name: str) -> object:
        """What a module exports under the name. Raises UserError, KeyError."""


class KeptPackages:
    """Packages by their BUILD files. `about` names all else that evaluation depends on: mlbuild itself, the prelude."""

    def __init__(self, keeper: Keeper, world: World, folders: Folders, about: Callable[[], str]) -> None:
        self._keeper, self._world, self._folders, self._about = keeper, world, folders, about
        self._states: dict[str, ModuleState | None] = {}
        self._rules: dict[tuple[str, str], Rule | None] = {}

    def restore(self, path: str, repository: str, name: str) -> tuple[Package, tuple[str, ...]] | None:
        """The package of the BUILD file, and the modules behind it, if its evaluation would give what it gave."""
        key = self._key(path)
        body = None if key is None else self._keeper.read(key)
        if body is None:
            return None
        try:
            kept, modules, questions, rules, labels, targets, exported = marshal.loads(body)
        except (ValueError, EOFError, TypeError):
            return None
        if kept != key or any(self._state(state[0]) != state for state in modules):
            return None
        try:
            if any(_answer(self._folders, question) != answer for question, answer in questions):
                return None
        except UserError:  # a folder that cannot be listed any more: evaluation tells it, at the call that asks
            return None
        found = [self._rule(*each) for each in rules]
        known = [rule for rule in found if rule is not None]
        if len(known) < len(found):
            return None
        package = _Decoder(repository, name, known, [Label(*each) for each in labels]).package(targets, tuple(exported))
        return package, tuple(path for path, _, _ in modules)

    def keep(self, path: str, package: Package, modules: Iterable[str], asked: Asked) -> None:
        """Keeps what the BUILD file evaluated to. What cannot be told in bytes is not kept."""
        key = self._key(path)
        states = [self._state(each) for each in modules]
        if key is None or None in states:
            return
        encoder = _Encoder()
        try:
            targets = [encoder.target(target) for target in package.targets.values()]
            outputs = {
                output: list(package.targets).index(target.label.name) for output, target in package.outputs.items()
            }
        except _NotPlain:
            return
        if any(self._rule(*each) is not rule for each, rule in encoder.rules.items()):
            return
        body = (
            key, states, list(asked.questions.items()), list(encoder.rules), list(encoder.labels),
            (targets, list(outputs.items())), package.exported,
        )  # fmt: skip
        self._keeper.write(key, marshal.dumps(body))

    def _key(self, path: str) -> str | None:
        from xxhash import xxh3_128_hexdigest

        digest = self._world.digest(path)
        if digest is None:
            return None
        return xxh3_128_hexdigest(f"{FORMAT}\0{self._about()}\0{digest}\0{path}".encode("utf-8", "surrogatepass"))

    def _state(self, module: str) -> ModuleState | None:
        if module not in self._states:
            digest = self._world.digest(module)
            self._states[module] = None if digest is None else (module, digest, self._world.package_of(module))
        return self._states[module]

    def _rule(self, module: str, name: str) -> Rule | None:
        key = module, name
        if key not in self._rules:
            try:
                found = self._world.exported(module, name) if module else NATIVE_RULES[name]
            except (UserError, KeyError):
                found = None
            self._rules[key] = found.rule if isinstance(found, RuleFunction) else None
        return self._rules[key]


def _answer(folders: Folders, question: tuple[object, ...]) -> object:
    method, *arguments = question
    answer = getattr(folders, str(method))(*arguments)
    return tuple(answer) if method == "packages_below" else answer


class _NotPlain(Exception):
    """A value that has no form in bytes."""


_LABEL, _LABELS, _LIST, _TUPLE, _DICT, _SELECT, _SELECTOR = range(7)
_PLAIN = frozenset((str, int, float, bool, type(None)))


class _Encoder:
    """Targets as nested tuples of plain values. Labels and rules are told once, then by number."""

    def __init__(self) -> None:
        self.labels: dict[tuple[str, str, str], int] = {}
        self.rules: dict[tuple[str, str], Rule] = {}

    def target(self, target: Target) -> object:
        rule = target.rule.module, target.rule.name
        if self.rules.setdefault(rule, target.rule) is not target.rule:
            raise _NotPlain
        return (
            target.label.name,
            list(self.rules).index(rule),
            {name: self._value(value) for name, value in target.attributes.items()},
            _place(target.location),
            target.visibility,
            tuple((_place(frame.location), frame.function) for frame in target.frames),
            target.tags,
            tuple((key, self._label(label)) for key, label in target.implicit_outputs),
        )

    def _label(self, label: Label) -> int:
        return self.labels.setdefault((label.repository, label.package, label.name), len(self.labels))

    def _value(self, value: object) -> object:
        kind = type(value)
        if kind in _PLAIN:
            return value
        if isinstance(value, Label):
            return _LABEL, self._label(value)
        if kind is FrozenList and isinstance(value, list):
            if value and all(type(each) is Label for each in value):
                return _LABELS, tuple(map(self._label, value))
            return _LIST, tuple(map(self._value, value))
        if kind is tuple and isinstance(value, tuple):
            return _TUPLE, tuple(map(self._value, value))
        if kind is FrozenDict and isinstance(value, dict):
            return _DICT, tuple((self._value(key), self._value(each)) for key, each in value.items())
        if isinstance(value, Select):
            return _SELECT, value.operator, tuple(map(self._value, value.parts))
        if isinstance(value, Selector):
            cases = tuple((self._value(condition), self._value(each)) for condition, each in value.cases)
            return _SELECTOR, cases, value.no_match_error
        raise _NotPlain


class _Decoder:
    def __init__(self, repository: str, name: str, rules: list[Rule], labels: list[Label]) -> None:
        self._repository, self._name, self._rules, self._labels = repository, name, rules, labels

    def package(self, body: tuple[list[Any], list[tuple[str, int]]], exported: tuple[str, ...]) -> Package:
        targets = {}
        for name, rule, attributes, place, visibility, frames, tags, implicit in body[0]:
            targets[name] = Target(
                Label(self._repository, self._name, name),
                self._rules[rule],
                {key: value if type(value) in _PLAIN else self._value(value) for key, value in attributes.items()},
                Location(*place),
                visibility,
                tuple(Frame(Location(*at), function) for at, function in frames),
                tags,
                tuple((key, self._labels[number]) for key, number in implicit),
            )
        order = list(targets.values())
        outputs = {output: order[number] for output, number in body[1]}
        return Package(self._repository, self._name, targets, outputs, exported)

    def _value(self, value: object) -> object:
        if type(value) is not tuple:
            return value
        kind, *parts = value
        if kind == _LABEL:
            return self._labels[parts[0]]
        if kind == _LABELS:
            return FrozenList(map(self._labels.__getitem__, parts[0]))
        if kind == _LIST:
            return FrozenList(map(self._value, parts[0]))
        if kind == _TUPLE:
            return tuple(map(self._value, parts[0]))
        if kind == _DICT:
            return FrozenDict((self._value(key), self._value(each)) for key, each in parts[0])
        if kind == _SELECT:
            return Select(tuple(map(self._value, parts[1])), parts[0])
        return Selector(tuple((self._value(key), self._value(each)) for key, each in parts[0]), parts[1])


def _place(location: Location) -> tuple[str, int, int]:
    return location.path, location.line, location.column
