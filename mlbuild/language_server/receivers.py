"""What stands before a dot, where that is evident: literals, `ctx` and what it gives, values that loading knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mlbuild.analysis.actions import Actions
from mlbuild.analysis.args import Args
from mlbuild.analysis.context import MAKERS, RuleContext
from mlbuild.lang import Struct
from mlbuild.lang.compiler.resolve import bindings
from mlbuild.lang.runtime.members import attribute_names
from mlbuild.lang.runtime.methods import METHODS
from mlbuild.lang.runtime.values import Set
from mlbuild.lang.syntax import tree
from mlbuild.language_server import names, signature
from mlbuild.language_server.signature import Signature
from mlbuild.language_server.universe import METHOD_WORDS
from mlbuild.language_server.words import ACTIONS, ARGS, FIELDS
from mlbuild.language_server.workspace import EditedWorkspace
from mlbuild.loading.rule import ATTR

_TYPES: Mapping[type, str] = {str: "string", bytes: "bytes", list: "list", dict: "dict", Set: "set"}
_RESULTS = {
    "str": "string", "repr": "string", "type": "string", "chr": "string", "list": "list", "sorted": "list",
    "reversed": "list", "dict": "dict", "set": "set", "glob": "list", "bytes": "bytes", "dir": "list",
    "package_name": "string", "ctx.actions.args": "Args", "ctx.actions.declare_file": "File",
    "ctx.actions.declare_directory": "File", "depset": "depset", "Label": "Label", "native.glob": "list",
}  # fmt: skip
"""The types of what functions return."""
_LABEL = ("name", "package", "repo_name", "workspace_root")
_FILE = (
    "basename", "dirname", "extension", "is_directory", "is_source", "owner", "path", "short_path", "tree_relative_path",
)  # fmt: skip
_FIELD_TYPES = {
    "ctx.actions": "Actions",
    "ctx.attr": "ctx.attr",
    "ctx.executable": "ctx.executable",
    "ctx.file": "ctx.file",
    "ctx.files": "ctx.files",
    "ctx.label": "Label",
    "ctx.var": "dict",
    "ctx.workspace_name": "string",
}
_STRINGS_OF_LABEL = {"name", "package", "repo_name", "workspace_root"}
_STRINGS_OF_FILE = {"basename", "dirname", "extension", "path", "short_path"}


@dataclass(frozen=True, slots=True)
class Member:
    """A field or method: how it is called if it can be."""

    name: str
    doc: str
    signature: Signature | None = None
    value: object = names.UNKNOWN


def members(workspace: EditedWorkspace, path: str, receiver: str, offset: int) -> tuple[Member, ...]:
    """What can stand behind the dot; nothing if the receiver is not evident."""
    if receiver == "native" and path.endswith(".bzl"):
        known = {**workspace.package_functions(), **workspace.prelude()}
        return tuple(_of_value(workspace, name, known[name]) for name in sorted(known))
    kind = type_of(workspace, path, receiver, offset)
    if kind == "ctx":
        fields = tuple(Member(name, FIELDS[name]) for name in sorted(MAKERS))
        return fields + _methods(RuleContext, RuleContext.starlark_methods, {})
    if kind == "Actions":
        return _methods(Actions, Actions.starlark_methods, ACTIONS)
    if kind == "Args":
        return _methods(Args, Args.starlark_methods, ARGS)
    if kind == "File":
        return tuple(Member(name, "") for name in _FILE)
    if kind == "Label":
        return tuple(Member(name, "") for name in _LABEL)
    if kind == "depset":
        return (Member("to_list", "Its elements as a list, each once."),)
    if kind.startswith("ctx."):
        return tuple(_attributes(workspace, path, kind.removeprefix("ctx."), offset))
    words = METHOD_WORDS.get(kind)
    if words is not None:
        table = next(METHODS[each] for each, name in _TYPES.items() if name == kind)
        return tuple(
            Member(name, words.get(name, ""), signature.of_python(name, table[name], words.get(name, "")))
            for name in sorted(table)
        )
    found = names.value_of(workspace, path, receiver, offset)
    if found is names.UNKNOWN or not hasattr(type(found), "starlark_attr"):
        return _fields(found)
    return tuple(_of_value(workspace, name, names.member(found, name)) for name in attribute_names(found))


def method_signature(workspace: EditedWorkspace, path: str, dotted: str, offset: int) -> Signature | None:
    """How a method or field is called, the receiver being evident."""
    receiver, _, name = dotted.rpartition(".")
    found = next((each for each in members(workspace, path, receiver, offset) if each.name == name), None)
    return None if found is None else found.signature


def type_of(workspace: EditedWorkspace, path: str, receiver: str, offset: int) -> str:
    """The receiver's type, or nothing."""
    literal = {'""': "string", "[]": "list", "{}": "dict"}.get(receiver)
    if literal:
        return literal
    if receiver.endswith("()"):
        return _result(workspace, path, receiver[:-2], offset)
    first, _, rest = receiver.partition(".")
    meaning = names.lookup(workspace, path, first, offset)
    if first == "ctx" and meaning is not None and meaning.what == "parameter":
        if not rest:
            return "ctx"
        if receiver in _FIELD_TYPES:
            return _FIELD_TYPES[receiver]
        area, _, attribute = rest.partition(".")
        if area in ("attr", "file", "files", "executable") and attribute and "." not in attribute:
            return _type_of_attribute(workspace, path, area, attribute, offset)
    if rest:
        outer, _, name = receiver.rpartition(".")
        kind = type_of(workspace, path, outer, offset)
        if (kind == "Label" and name in _STRINGS_OF_LABEL) or (kind == "File" and name in _STRINGS_OF_FILE):
            return "string"
        if kind == "File" and name == "owner":
            return "Label"
    elif meaning is not None and meaning.what in ("local", "global", "parameter"):
        assigned = _assigned(workspace, path, first, offset)
        if assigned is not None:
            return _type_of_expression(workspace, path, assigned, offset)
    return _TYPES.get(_plain(type(names.value_of(workspace, path, receiver, offset))), "")


def _plain(kind: type) -> type:
    """The type itself, or the one that it is a frozen form of."""
    return next((each for each in _TYPES if issubclass(kind, each)), kind)


def _type_of_expression(workspace: EditedWorkspace, path: str, node: tree.Expression, offset: int) -> str:
    match node:
        case tree.Literal():
            return _TYPES.get(type(node.value), "")
        case tree.ListDisplay():
            return "list"
        case tree.DictDisplay():
            return "dict"
        case tree.Comprehension():
            return "list" if node.key is None else "dict"
        case tree.Chain() if all(operator in ("+", "%") for _, operator, _ in node.rest):
            return _type_of_expression(workspace, path, node.first, offset)
        case tree.Call():
            if isinstance(node.function, tree.Dot) and isinstance(node.function.value, tree.Literal):
                return _method_result("string", node.function.name)
            return _result(workspace, path, names.dotted_name(node.function), node.offset)
        case tree.Dot():
            dotted = names.dotted_name(node)
            return type_of(workspace, path, dotted, node.offset) if dotted else ""
    return ""


def _result(workspace: EditedWorkspace, path: str, function: str, offset: int) -> str:
    if function in _RESULTS:
        return _RESULTS[function]
    receiver, _, name = function.rpartition(".")
    return _method_result(type_of(workspace, path, receiver, offset), name) if receiver else ""


def _method_result(kind: str, name: str) -> str:
    """What a method of a type returns."""
    if kind == "string":
        if name in ("split", "rsplit", "splitlines", "elems", "codepoints"):
            return "list"
        is_string = not name.startswith(("is", "find", "rfind", "index", "rindex", "count", "startswith", "endswith"))
        return "string" if is_string and name not in ("partition", "rpartition", "elem_ords", "codepoint_ords") else ""
    if kind == "dict":
        return "list" if name in ("keys", "values", "items") else ""
    if kind == "depset":
        return "list" if name == "to_list" else ""
    if kind == "Args":
        return "Args"
    return ""


def _assigned(workspace: EditedWorkspace, path: str, name: str, offset: int) -> tree.Expression | None:
    """What the name was last assigned before the offset, in the innermost scope that assigns it; or its default."""
    scopes: list[list[tree.Statement]] = []
    for function in reversed(names.functions_at(workspace, path, offset)):
        scopes.append(function.body)
        for parameter in function.parameters:
            if parameter.name == name and name not in dict(bindings(function.body)):
                if parameter.kind:
                    return tree.ListDisplay(0, []) if parameter.kind == "*" else tree.DictDisplay(0, [])
                return parameter.default
    file = workspace.file(path)
    scopes.append([] if file is None else file.statements)
    for body in scopes:
        found = [each.value for each in _assignments(body, name) if each.offset < offset]
        if found:
            return found[-1]
    return None


def _assignments(body: list[tree.Statement], name: str) -> list[tree.Assign]:
    found: list[tree.Assign] = []
    for each in body:
        if isinstance(each, tree.Assign) and each.operator == "=" and isinstance(each.target, tree.Name):
            if each.target.name == name:
                found.append(each)
        elif isinstance(each, tree.For | tree.While):
            found += _assignments(each.body, name)
        elif isinstance(each, tree.If):
            found += _assignments([inner for _, part in each.branches for inner in part] + each.otherwise, name)
    return found


def _attributes(workspace: EditedWorkspace, path: str, area: str, offset: int) -> list[Member]:
    """The attributes of the rules that the function around the offset implements."""
    functions = names.functions_at(workspace, path, offset)
    file = workspace.file(path)
    if not functions or file is None:
        return []
    found: dict[str, Member] = {"name": Member("name", "the target's name")} if area == "attr" else {}
    for rule, attributes in rules_in(workspace, path, file):
        if rule != functions[0].name:
            continue
        for name, (kind, call) in attributes.items():
            given = {each.name for each in call.arguments if each.kind == "="} if call is not None else set()
            is_label = kind.startswith("label") or kind.endswith("label_dict") or not kind
            if area == "attr" or (area == "files" and is_label):
                found[name] = Member(name, f"{kind}: {signature.kind_doc(kind)}" if kind else "")
            elif (area == "file" and "allow_single_file" in given) or (area == "executable" and "executable" in given):
                found[name] = Member(name, "the file" if area == "file" else "the program")
    return [found[name] for name in sorted(found)]


def rules_in(
    workspace: EditedWorkspace, path: str, file: tree.File
) -> list[tuple[str, dict[str, tuple[str, tree.Call | None]]]]:
    """The calls of `rule` in a module: the implementation's name, and of each attribute its kind and what defines it."""
    found: list[tuple[str, dict[str, tuple[str, tree.Call | None]]]] = []
    for statement in file.statements:
        if not isinstance(statement, tree.Assign):
            continue
        for call in names.calls_in(statement):
            if names.dotted_name(call.function) != "rule":
                continue
            given = {each.name: each.value for each in call.arguments if each.kind == "="}
            implementation = given.get("implementation")
            if implementation is None and call.arguments and not call.arguments[0].kind:
                implementation = call.arguments[0].value
            if isinstance(implementation, tree.Name):
                attributes: dict[str, tuple[str, tree.Call | None]] = {}
                if isinstance(statement.target, tree.Name):
                    rule = signature.rule_of(workspace.module(path).get(statement.target.name))
                    if rule is not None:
                        attributes = {name: (each.kind, None) for name, each in rule.attributes.items()}
                attributes |= _written_attributes(given.get("attrs"))
                found.append((implementation.name, attributes))
    return found


def _written_attributes(node: tree.Expression | None) -> dict[str, tuple[str, tree.Call | None]]:
    found: dict[str, tuple[str, tree.Call | None]] = {}
    stack: list[object] = [node]
    while stack:
        each = stack.pop()
        if isinstance(each, tree.DictDisplay):
            for key, value in each.entries:
                if isinstance(key, tree.Literal) and isinstance(key.value, str):
                    call = value if isinstance(value, tree.Call) else None
                    kind = names.dotted_name(call.function).removeprefix("attr.") if call is not None else ""
                    found[key.value] = (kind if kind in ATTR.starlark_dir() else "", call)
        elif isinstance(each, tree.Chain):
            stack += [each.first, *(operand for _, _, operand in each.rest)]
    return found


def _type_of_attribute(workspace: EditedWorkspace, path: str, area: str, name: str, offset: int) -> str:
    if area in ("file", "executable"):
        return "File"
    if area == "files":
        return "list"
    functions = names.functions_at(workspace, path, offset)
    file = workspace.file(path)
    if name == "name":
        return "string"
    for rule, attributes in rules_in(workspace, path, file) if file is not None and functions else ():
        if rule == functions[0].name and name in attributes:
            kind = attributes[name][0]
            return (
                "string" if kind == "string" else "list" if kind.endswith("list") else "dict" if "dict" in kind else ""
            )
    return ""


def _methods(kind: type, shown: tuple[str, ...], words: Mapping[str, str]) -> tuple[Member, ...]:
    found: list[Member] = []
    for name in sorted(shown):
        method: Callable[..., object] = getattr(kind, name)
        called = signature.of_python(name, method, words.get(name, ""))
        found.append(Member(name, called.doc, called))
    return tuple(found)


def _of_value(workspace: EditedWorkspace, name: str, found: object) -> Member:
    called = None if found is names.UNKNOWN else names.of_value(workspace, name, found)
    return Member(name, "" if called is None else called.doc, called, found)


def _fields(found: object) -> tuple[Member, ...]:
    if isinstance(found, Struct):
        return tuple(Member(name, "", value=found.fields[name]) for name in sorted(found.fields))
    return ()
