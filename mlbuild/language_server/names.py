"""What a name means at a place in a file: where it is defined, its value as far as that is known, and how it is called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from mlbuild.diagnostics import UserError
from mlbuild.lang import UNIVERSE, Builtin
from mlbuild.lang.compiler.resolve import bindings
from mlbuild.lang.runtime.members import attribute_names
from mlbuild.lang.syntax import tree
from mlbuild.language_server import signature
from mlbuild.language_server.signature import Place, Signature
from mlbuild.language_server.universe import WORDS
from mlbuild.language_server.workspace import EditedWorkspace
from mlbuild.loading.rule import RuleFunction
from mlbuild.terms import BadLabel, Provider

UNKNOWN = object()
_DEEPEST = 8


@dataclass(frozen=True, slots=True)
class Meaning:
    """`what` is local, parameter, global, loaded or given. `value` is `UNKNOWN` unless loading tells it."""

    name: str
    what: str
    place: Place | None
    value: object = UNKNOWN
    node: tree.Statement | tree.Parameter | None = None


def functions_around(statements: list[tree.Statement], offset: int, end: int) -> tuple[tree.Def, ...]:
    """The functions that the offset is in, outermost first."""
    found: list[tree.Def] = []
    while True:
        inside: tree.Statement | None = None
        for index, each in enumerate(statements):
            following = statements[index + 1].offset if index + 1 < len(statements) else end
            if each.offset <= offset < following or (index + 1 == len(statements) and offset >= each.offset):
                inside = each
        if isinstance(inside, tree.Def):
            found.append(inside)
            statements = inside.body
        elif isinstance(inside, tree.For | tree.While):
            statements = inside.body
        elif isinstance(inside, tree.If):
            statements = [each for _, body in inside.branches for each in body] + inside.otherwise
        else:
            return tuple(found)


def functions_at(workspace: EditedWorkspace, path: str, offset: int) -> tuple[tree.Def, ...]:
    """The functions of the file that the offset is in. A place at a line's beginning is in none."""
    file = workspace.file(path)
    if file is None:
        return ()
    line_start = file.text.rfind("\n", 0, offset) + 1
    if offset < len(file.text) and file.text[line_start : line_start + 1] not in (" ", "\t", "", "\n", ")"):
        starts = [each for each in file.statements if isinstance(each, tree.Def)]
        return tuple(
            each for each in starts if line_start <= each.offset < offset and _on_line(file.text, each, offset)
        )
    return functions_around(file.statements, offset, len(file.text) + 1)


def _on_line(text: str, node: tree.Def, offset: int) -> bool:
    return "\n" not in text[node.offset : offset]


def lookup(workspace: EditedWorkspace, path: str, name: str, offset: int) -> Meaning | None:
    """What the name means at the offset."""
    for function in reversed(functions_at(workspace, path, offset)):
        for parameter in function.parameters:
            if parameter.name == name:
                return Meaning(name, "parameter", Place(path, parameter.offset), node=parameter)
        for bound, place in bindings(function.body):
            if bound == name:
                return Meaning(name, "local", Place(path, place))
    return of_file(workspace, path, name)


def of_file(workspace: EditedWorkspace, path: str, name: str) -> Meaning | None:
    """What the name means at the top level of the file."""
    file = workspace.file(path)
    for statement in file.statements if file is not None else ():
        if isinstance(statement, tree.Load):
            for offset, local, exported in statement.bindings:
                if local == name:
                    module = module_path(workspace, path, statement.module)
                    value = UNKNOWN if module is None else workspace.module(module).get(exported, UNKNOWN)
                    return Meaning(name, "loaded", Place(path, offset), value, statement)
        else:
            for bound, place in bindings((statement,)):
                if bound == name:
                    value = workspace.module(path).get(name, UNKNOWN) if path.endswith(".bzl") else UNKNOWN
                    return Meaning(name, "global", Place(path, place), value, statement)
    return _given(workspace, path, name)


def _given(workspace: EditedWorkspace, path: str, name: str) -> Meaning | None:
    given = workspace.names(path)
    value = given[name] if name in given else UNIVERSE.get(name, UNKNOWN)
    return None if value is UNKNOWN else Meaning(name, "given", place_of_value(workspace, value), value)


def definition(workspace: EditedWorkspace, path: str, name: str, offset: int) -> Place | None:
    """Where the name is defined, through every `load`."""
    meaning = lookup(workspace, path, name, offset)
    for _ in range(_DEEPEST):
        if meaning is None or not isinstance(meaning.node, tree.Load):
            break
        exported = next(each for _, local, each in meaning.node.bindings if local == meaning.name)
        assert meaning.place is not None
        module = module_path(workspace, meaning.place.path, meaning.node.module)
        inner = None if module is None or workspace.text(module) is None else of_file(workspace, module, exported)
        if inner is None or inner.what == "given":
            return meaning.place
        meaning = inner
    return None if meaning is None else meaning.place


def module_path(workspace: EditedWorkspace, path: str, module: str) -> str | None:
    """The path of what a `load` names."""
    try:
        return workspace.loader().label_in(path, module).path
    except (BadLabel, UserError):
        return None


def visible(workspace: EditedWorkspace, path: str, offset: int) -> Mapping[str, Meaning]:
    """All names that can be used at the offset."""
    found: dict[str, Meaning] = {}
    for function in functions_at(workspace, path, offset):
        for parameter in function.parameters:
            if parameter.name:
                found[parameter.name] = Meaning(
                    parameter.name, "parameter", Place(path, parameter.offset), node=parameter
                )
        for bound, place in bindings(function.body):
            found.setdefault(bound, Meaning(bound, "local", Place(path, place)))
    file = workspace.file(path)
    for statement in file.statements if file is not None else ():
        for name, _ in bindings((statement,)):
            if name not in found:
                meaning = of_file(workspace, path, name)
                if meaning is not None:
                    found[name] = meaning
    for name, value in {**UNIVERSE, **workspace.names(path)}.items():
        if name not in found:
            found[name] = Meaning(name, "given", None, value)
    for name in ("True", "False", "None"):
        found.setdefault(name, Meaning(name, "given", None))
    return found


def value_of(workspace: EditedWorkspace, path: str, dotted: str, offset: int) -> object:
    """The value of names with dots, or `UNKNOWN`."""
    first, *rest = dotted.split(".")
    if first == "native" and rest:
        return native_member(workspace, rest[0]) if len(rest) == 1 else UNKNOWN
    meaning = lookup(workspace, path, first, offset)
    found = UNKNOWN if meaning is None else meaning.value
    for name in rest:
        found = member(found, name)
    return found


def native_member(workspace: EditedWorkspace, name: str) -> object:
    """`native.NAME` in a module: functions of packages and every rule."""
    return {**workspace.prelude(), **workspace.package_functions()}.get(name, UNKNOWN)


def member(found: object, name: str) -> object:
    """`value.name`, where looking runs nothing."""
    if found is UNKNOWN or not hasattr(type(found), "starlark_attr") or name not in attribute_names(found):
        return UNKNOWN
    value: object = found.starlark_attr(name)  # type: ignore[attr-defined]
    return value


def signature_of(workspace: EditedWorkspace, path: str, dotted: str, offset: int) -> Signature | None:
    """How what the names mean is called, if it is known."""
    from mlbuild.language_server.receivers import method_signature

    if not dotted:
        return None
    first, _, rest = dotted.partition(".")
    if not rest:
        meaning = lookup(workspace, path, first, offset)
        if meaning is not None and isinstance(meaning.node, tree.Def):
            return of_definition(workspace, meaning.node, path)
    found = value_of(workspace, path, dotted, offset)
    if found is not UNKNOWN:
        return of_value(workspace, dotted.rpartition(".")[2], found, is_universal=found is UNIVERSE.get(dotted))
    return method_signature(workspace, path, dotted, offset) if rest else None


def of_value(workspace: EditedWorkspace, name: str, found: object, *, is_universal: bool = False) -> Signature | None:
    """How a value of the language is called."""
    if isinstance(found, RuleFunction):
        return signature.of_rule(name, found.rule, place_of_value(workspace, found))
    if isinstance(found, Builtin):
        return signature.of_builtin(name, found, WORDS.get(name, "") if is_universal else "")
    if isinstance(found, Provider):
        from mlbuild.language_server.words import PROVIDERS

        return signature.of_provider(name, found, None, found.doc or PROVIDERS.get(name, ""))
    if signature.is_function(found):
        place = code_place(found)
        node = None if place is None else definition_named(workspace, *place)
        if node is not None and place is not None:
            shown = of_definition(workspace, node, place[0])
            return shown if shown.name == name else replace(shown, name=name)
    return None


def of_definition(workspace: EditedWorkspace, node: tree.Def, path: str, depth: int = 0) -> Signature:
    """Of a function, with the arguments of the rule or macro that it hands its `**` arguments to."""
    shown = signature.of_def(node, path)
    rest = next((each.name for each in node.parameters if each.kind == "**"), None)
    if rest is None or depth > _DEEPEST:
        return shown
    for call in calls_in(node.body):
        if any(each.kind == "**" and each.value == tree.Name(_offset(each.value), rest) for each in call.arguments):
            callee = dotted_name(call.function)
            inner = _callee(workspace, path, callee, call.offset, depth) if callee else None
            if inner is not None and inner.what in ("rule", "macro"):
                fixed = {
                    each.name: each.value.name if isinstance(each.value, tree.Name) else None
                    for each in call.arguments
                    if each.kind == "="
                }
                return signature.as_macro(shown, inner, fixed)
    return shown


def _callee(workspace: EditedWorkspace, path: str, dotted: str, offset: int, depth: int) -> Signature | None:
    meaning = lookup(workspace, path, dotted, offset) if "." not in dotted else None
    if meaning is not None and isinstance(meaning.node, tree.Def):
        return of_definition(workspace, meaning.node, path, depth + 1)
    found = value_of(workspace, path, dotted, offset)
    if signature.is_function(found):
        place = code_place(found)
        node = None if place is None else definition_named(workspace, *place)
        return None if node is None or place is None else of_definition(workspace, node, place[0], depth + 1)
    return None if found is UNKNOWN else of_value(workspace, dotted, found)


def _offset(node: tree.Expression) -> int:
    return node.offset


def code_place(found: object) -> tuple[str, str] | None:
    """The file and the name of a module's function."""
    code = getattr(found, "__code__", None)
    return None if code is None else (code.co_filename, code.co_name.lstrip("·"))


def definition_named(workspace: EditedWorkspace, path: str, name: str) -> tree.Def | None:
    file = workspace.file(path)
    for each in file.statements if file is not None else ():
        if isinstance(each, tree.Def) and each.name == name:
            return each
    return None


def place_of_value(workspace: EditedWorkspace, found: object) -> Place | None:
    """Where the file is that defines a rule or a function."""
    if isinstance(found, RuleFunction) and found.rule.module:
        file = workspace.file(found.rule.module)
        for name, offset in bindings(file.statements) if file is not None else ():
            if name == found.rule.name:
                return Place(found.rule.module, offset)
        return Place(found.rule.module, 0)
    if signature.is_function(found):
        place = code_place(found)
        node = None if place is None else definition_named(workspace, *place)
        return None if node is None or place is None else Place(place[0], node.offset)
    return None


def dotted_name(node: tree.Expression) -> str:
    """`a.b.c` of names and dots; nothing for anything else."""
    parts: list[str] = []
    while isinstance(node, tree.Dot):
        parts.insert(0, node.name)
        node = node.value
    return ".".join([node.name, *parts]) if isinstance(node, tree.Name) else ""


def calls_in(node: object) -> Iterator[tree.Call]:
    """All calls in a part of a tree, outer ones first."""
    stack = [node]
    while stack:
        each = stack.pop()
        if isinstance(each, tree.Call):
            yield each
        if isinstance(each, (tuple, list)):
            stack.extend(reversed(each))
