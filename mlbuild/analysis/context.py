"""`ctx`: what a rule's implementation sees."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from mlbuild.analysis.actions import Actions
from mlbuild.analysis.expansion import BadText, expand_location, expand_variables, files_for_location, has_location
from mlbuild.analysis.node import Node
from mlbuild.lang import Thread, freeze, type_name
from mlbuild.records import record
from mlbuild.terms import Artifact, BadLabel, Info, Label, Target

Resolve = Callable[[str], Label]


@record
class Resolved:
    """What one target's attributes came to: by attribute, values as `ctx.attr` shows them, and the dependencies.

    `dependencies` keeps each with the label that was written, since an alias stands for another.
    """

    target: Target
    values: Mapping[str, object]
    dependencies: Mapping[str, Sequence[tuple[Label, Node]]]
    outputs: Mapping[str, object]
    toolchains: Mapping[Label, Info]


class Fields:
    """A fixed set of names with values: `ctx.attr`, `ctx.file`, `ctx.outputs`."""

    __slots__ = ("_values", "_what")
    starlark_type: ClassVar[str] = "struct"

    def __init__(self, what: str, values: Mapping[str, object]) -> None:
        self._what = what
        self._values = values

    def starlark_dir(self) -> tuple[str, ...]:
        return tuple(self._values)

    def starlark_attr(self, name: str) -> object:
        return self._values[name]

    def starlark_repr(self) -> str:
        return f"<{self._what}>"


class Attributes(Fields):
    """`ctx.attr`."""

    __slots__ = ()
    starlark_type: ClassVar[str] = "ctx.attr"


class Files:
    """`ctx.files`: flat only when asked for, since depsets may be large."""

    __slots__ = ("_dependencies", "_known")
    starlark_type: ClassVar[str] = "ctx.files"

    def __init__(self, dependencies: Mapping[str, Sequence[tuple[Label, Node]]]) -> None:
        self._dependencies = dependencies
        self._known: dict[str, object] = {}

    def starlark_dir(self) -> tuple[str, ...]:
        return tuple(self._dependencies)

    def starlark_attr(self, name: str) -> object:
        known = self._known.get(name)
        if known is None:
            found: dict[Artifact, None] = {}
            for _, node in self._dependencies[name]:
                found.update(dict.fromkeys(node.artifacts()))
            known = self._known[name] = freeze(list(found))
        return known

    def starlark_repr(self) -> str:
        return "<files>"


class Toolchains:
    """`ctx.toolchains[TYPE]`, the type's label as written in the rule's file."""

    __slots__ = ("_infos", "_resolve")
    starlark_type: ClassVar[str] = "toolchains"

    def __init__(self, infos: Mapping[Label, Info], resolve: Resolve) -> None:
        self._infos = infos
        self._resolve = resolve

    def starlark_index(self, key: object) -> object:
        info = self._infos.get(self._label(key))
        if info is None:
            named = ", ".join(f"`{label}`" for label in self._infos) or "none"
            raise ValueError(f"the rule names no toolchain `{key}`: its `toolchains` are {named}")
        return info

    def starlark_contains(self, key: object) -> bool:
        return self._label(key) in self._infos

    def starlark_repr(self) -> str:
        return "<toolchains>"

    def _label(self, key: object) -> Label:
        if isinstance(key, Label):
            return key
        if not isinstance(key, str):
            raise TypeError(f"a toolchain is named by its type's label, got {type_name(key)}")
        try:
            return self._resolve(key)
        except BadLabel as error:
            raise ValueError(str(error)) from None


class RuleContext:
    """One target to its rule's implementation. What is seldom asked for is made when it is."""

    __slots__ = (
        "_actions",
        "_in_package",
        "_in_rule",
        "_known",
        "_resolved",
        "_thread",
        "_variables",
        "_workspace_name",
    )
    starlark_type: ClassVar[str] = "ctx"
    starlark_methods: ClassVar[tuple[str, ...]] = ("expand_location", "expand_make_variables")

    def __init__(
        self,
        thread: Thread,
        resolved: Resolved,
        actions: Actions,
        in_rule: Resolve,
        in_package: Resolve,
        variables: Mapping[str, str],
        workspace_name: str,
    ) -> None:
        self._thread = thread
        self._resolved = resolved
        self._actions = actions
        self._in_rule = in_rule
        self._in_package = in_package
        self._variables = variables
        self._workspace_name = workspace_name
        self._known: dict[str, object] = {}

    def starlark_dir(self) -> tuple[str, ...]:
        return tuple(sorted(MAKERS))

    def starlark_attr(self, name: str) -> object:
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = MAKERS[name](self)
        return known

    def starlark_repr(self) -> str:
        return f"<ctx of {self._resolved.target.label.short}>"

    def expand_location(self, input: str, targets: object = ()) -> str:
        """`$(location X)` and its kin, for the rule's dependencies and `targets`."""
        if not has_location(input):
            return input
        resolved = self._resolved
        nodes = [pair for pairs in resolved.dependencies.values() for pair in pairs]
        if isinstance(targets, (list, tuple)):
            nodes += [(each.label, each) for each in targets if isinstance(each, Node)]
        files = files_for_location(nodes)
        for output in resolved.outputs.values():
            for each in output if isinstance(output, (list, tuple)) else (output,):
                if isinstance(each, Artifact):
                    files[resolved.target.label.sibling(each.path[len(_folder(each, resolved.target)) :])] = (each,)
        try:
            return expand_location(input, files, self._in_package)
        except BadText as error:
            raise self._thread.error("bad-location", str(error)) from None

    def expand_make_variables(self, attribute_name: str, command: str, additional_substitutions: object = None) -> str:
        """`$(NAME)`, `$X` and `$$`, from the substitutions given and from `--define`."""
        variables = dict(self._variables)
        if isinstance(additional_substitutions, Mapping):
            variables.update({str(name): str(value) for name, value in additional_substitutions.items()})
        try:
            return expand_variables(command, variables)
        except BadText as error:
            raise self._thread.error("bad-variable", f"attribute `{attribute_name}`: {error}") from None

    def _attr(self) -> object:
        return Attributes("attr", self._resolved.values)

    def _files(self) -> object:
        return Files(self._resolved.dependencies)

    def _file(self) -> object:
        attributes = self._resolved.target.rule.attributes
        return Fields(
            "file",
            {
                name: pairs[0][1].artifacts()[0] if pairs else None
                for name, pairs in self._resolved.dependencies.items()
                if attributes[name].is_single_file
            },
        )

    def _executable(self) -> object:
        attributes = self._resolved.target.rule.attributes
        return Fields(
            "executable",
            {
                name: pairs[0][1].executable if pairs else None
                for name, pairs in self._resolved.dependencies.items()
                if attributes[name].is_executable
            },
        )


MAKERS: dict[str, Callable[[RuleContext], object]] = {
    "actions": lambda ctx: ctx._actions,
    "attr": RuleContext._attr,
    "executable": RuleContext._executable,
    "file": RuleContext._file,
    "files": RuleContext._files,
    "label": lambda ctx: ctx._resolved.target.label,
    "outputs": lambda ctx: Fields("outputs", ctx._resolved.outputs),
    "toolchains": lambda ctx: Toolchains(ctx._resolved.toolchains, ctx._in_rule),
    "var": lambda ctx: freeze(dict(ctx._variables)),
    "workspace_name": lambda ctx: ctx._workspace_name,
}


def _folder(output: Artifact, target: Target) -> str:
    return output.path[: len(output.path) - len(output.short_path)] + (
        target.label.package_path + "/" if target.label.package_path else ""
    )
