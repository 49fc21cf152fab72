"""What can be called, and with what: rules, macros, functions of modules and of the language, in one form."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import FunctionType

from mlbuild.lang import Builtin
from mlbuild.lang.runtime.signatures import host_function, parameters, value
from mlbuild.lang.syntax import tree
from mlbuild.language_server.words import ATTRIBUTES
from mlbuild.loading.rule import RuleFunction
from mlbuild.terms import Attribute, Provider, Rule

COMMON = {
    "name": Attribute("name", "string", None, "how labels call the target", is_mandatory=True),
    "visibility": Attribute(
        "visibility",
        "string_list",
        (),
        "who may depend on it: `//visibility:public`, `//visibility:private`, `//package:__pkg__` or `//package:__subpackages__`",
    ),
    "tags": Attribute(
        "tags", "string_list", (), "words; a target with `manual` is left out of patterns such as `//...`"
    ),
}
"""The attributes that every rule has."""

_SECTION = re.compile(
    r"^(Args|Arguments|Parameters|Returns|Raises|Example|Examples|Note|Deprecated):\s*$", re.MULTILINE
)
_ARGUMENT = re.compile(r"^[*]{0,2}(\w+)(?: \([^)]*\))?:\s*(.*)$")


@dataclass(frozen=True, slots=True)
class Place:
    """Where in which file something is defined."""

    path: str
    offset: int


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument that can be given. `default` is as one would write it; without one the argument is mandatory."""

    name: str
    doc: str = ""
    default: str | None = None
    kind: str = ""
    stars: str = ""
    attribute: Attribute | None = None
    is_named: bool = False
    """It can be given by name only."""
    is_placed: bool = False
    """It can be given by place only."""

    @property
    def is_mandatory(self) -> bool:
        return self.default is None and not self.stars

    def __str__(self) -> str:
        return self.stars + self.name + (f" = {self.default}" if self.default is not None else "")


@dataclass(frozen=True, slots=True)
class Signature:
    """`what` is rule, macro, function, provider or built-in function."""

    name: str
    what: str
    doc: str
    parameters: tuple[Parameter, ...]
    place: Place | None = None
    is_test: bool = False

    def parameter(self, name: str) -> Parameter | None:
        return next((each for each in self.parameters if each.name == name and not each.stars), None)


def of_rule(name: str, rule: Rule, place: Place | None) -> Signature:
    """A rule's: what is mandatory first."""
    shown = [COMMON["name"], *(each for each in rule.attributes.values() if not each.name.startswith("_"))]
    shown.sort(key=lambda each: not each.is_mandatory)
    shown += (COMMON["visibility"], COMMON["tags"])
    return Signature(name, "rule", rule.doc, tuple(map(of_attribute, shown)), place, rule.is_test)


def of_attribute(attribute: Attribute) -> Parameter:
    default = None if attribute.is_mandatory else value(attribute.default)
    return Parameter(attribute.name, attribute.doc, default, attribute.kind, attribute=attribute, is_named=True)


def of_builtin(name: str, builtin: Builtin, doc: str = "") -> Signature:
    return of_python(name, host_function(builtin), doc)


def of_python(name: str, function: Callable[..., object], doc: str = "") -> Signature:
    """Of a function of the host, as Starlark sees it."""
    kinds = inspect.Parameter
    found = tuple(
        Parameter(
            each.name,
            default=None if each.default is kinds.empty else value(each.default),
            stars="*" if each.kind == kinds.VAR_POSITIONAL else "**" if each.kind == kinds.VAR_KEYWORD else "",
            is_named=each.kind == kinds.KEYWORD_ONLY,
            is_placed=each.kind == kinds.POSITIONAL_ONLY,
        )
        for each in parameters(function)
    )
    return Signature(name, "built-in function", doc or inspect.getdoc(function) or "", found)


def of_provider(name: str, provider: Provider, place: Place | None, doc: str) -> Signature:
    fields = tuple(Parameter(each, default="None", is_named=True) for each in provider.fields or ())
    return Signature(name, "provider", doc, fields, place)


def of_def(node: tree.Def, path: str) -> Signature:
    """Of a function that a module defines, with what its docstring says of each argument."""
    doc, arguments = split_docstring(docstring(node.body))
    named = False
    found: list[Parameter] = []
    for each in node.parameters:
        if each.kind == "*":
            named = True
        if not each.name:
            continue
        default = None if each.default is None or each.kind else written(each.default)
        found.append(Parameter(each.name, arguments.get(each.name, ""), default, "", each.kind, None, named))
    return Signature(node.name, "function", doc, tuple(found), Place(path, node.offset))


def as_macro(function: Signature, rule: Signature, fixed: Mapping[str, str | None]) -> Signature:
    """A function that hands its `**` arguments to a rule or macro takes that one's too.

    `fixed`: the arguments that it gives itself, with the name of its own parameter where that is all it gives.
    """
    own = {fixed[name]: name for name in fixed if fixed[name] is not None}
    found: list[Parameter] = []
    for each in function.parameters:
        if each.stars == "**":
            continue
        same = rule.parameter(own.get(each.name, each.name))
        is_handed_on = each.name in own
        if same is not None:
            each = replace(
                each,
                doc=each.doc or same.doc,
                kind=same.kind if is_handed_on else "",
                attribute=same.attribute if is_handed_on else None,
            )
        found.append(each)
    taken = {each.name for each in found}
    found += (each for each in rule.parameters if each.name not in taken and each.name not in fixed and not each.stars)
    found.sort(key=lambda each: (not each.is_mandatory, bool(each.stars)))
    return Signature(function.name, "macro", function.doc or rule.doc, tuple(found), function.place, rule.is_test)


def docstring(body: list[tree.Statement]) -> str:
    first = body[0] if body else None
    if isinstance(first, tree.ExpressionStatement) and isinstance(first.value, tree.Literal):
        text = first.value.value
        if isinstance(text, str):
            return inspect.cleandoc(text)
    return ""


def split_docstring(text: str) -> tuple[str, Mapping[str, str]]:
    """What is said of the whole, and of each argument in the section `Args:`."""
    found = _SECTION.search(text)
    while found is not None and found[1] not in ("Args", "Arguments", "Parameters"):
        found = _SECTION.search(text, found.end())
    if found is None:
        return text.strip(), {}
    following = _SECTION.search(text, found.end())
    section = text[found.end() : following.start() if following else len(text)]
    rest = text[following.start() :] if following else ""
    return f"{text[: found.start()].strip()}\n\n{rest}".strip(), dict(_arguments(textwrap.dedent(section)))


def _arguments(section: str) -> Iterator[tuple[str, str]]:
    name, words = "", [""]
    for line in section.split("\n"):
        match = _ARGUMENT.match(line)
        if match and not line.startswith(" "):
            if name:
                yield name, " ".join(words).strip()
            name, words = match[1], [match[2]]
        else:
            words.append(line.strip())
    if name:
        yield name, " ".join(words).strip()


def written(node: tree.Expression) -> str:
    """A default in short: as written where that is short."""
    match node:
        case tree.Literal():
            return value(node.value)
        case tree.Name():
            return node.name
        case tree.ListDisplay() if not node.items:
            return "[]"
        case tree.DictDisplay() if not node.entries:
            return "{}"
        case tree.Unary() if isinstance(node.operand, tree.Literal):
            return f"{node.operator}{value(node.operand.value)}"
    return "…"


def kind_words(parameter: Parameter) -> str:
    """The type of an attribute's value: `label_list`, `label (`.lock`)`."""
    attribute = parameter.attribute
    if attribute is None:
        return parameter.kind
    if isinstance(attribute.allow_files, tuple):
        return f"{attribute.kind} ({', '.join(attribute.allow_files)})"
    return attribute.kind


def is_function(found: object) -> bool:
    """Whether the value is a function of a module."""
    return isinstance(found, FunctionType)


def rule_of(found: object) -> Rule | None:
    return found.rule if isinstance(found, RuleFunction) else None


def kind_doc(kind: str) -> str:
    """What values of a kind of attribute are."""
    return ATTRIBUTES.get(kind, "")
