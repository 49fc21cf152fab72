"""What BUILD files, WORKSPACE.ml and modules can call without loading it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from mlbuild.lang import JSON, STRUCT, Namespace, Thread, builtin, freeze, type_name
from mlbuild.loading.builder import PackageBuilder, strings
from mlbuild.loading.glob import BadPattern, excluder
from mlbuild.loading.package import Registration
from mlbuild.loading.rule import ATTR, RuleFunction, label_at, native_rule, provider_function, rule_function
from mlbuild.records import replace
from mlbuild.terms import (
    BUILT_IN_PROVIDERS,
    TOOLCHAIN_INFO,
    Depset,
    Label,
    Select,
    Selector,
    Target,
)
from mlbuild.terms.depset import ORDERS

NATIVE_RULES: Mapping[str, RuleFunction] = {
    "alias": native_rule("alias", {"actual": ("label", "the target that this is another name of")}, ("actual",)),
    "config_setting": native_rule(
        "config_setting",
        {
            "define_values": ("string_dict", "what `--define` must have said"),
            "values": ("string_dict", "what other options must have said"),
        },
    ),
    "toolchain_type": native_rule("toolchain_type", {}),
    "toolchain": native_rule(
        "toolchain",
        {
            "toolchain_type": ("label", "the `toolchain_type` that it is one of"),
            "toolchain": ("label", "the target that returns ToolchainInfo"),
            "target_settings": ("label_list", "`config_setting`s that must all match for it to be chosen"),
        },
        ("toolchain_type", "toolchain"),
    ),
}
"""The rules that analysis knows itself, because they decide what is analysed."""


def _builder(thread: Thread, what: str) -> PackageBuilder:
    if isinstance(thread.context, PackageBuilder):
        return thread.context
    raise thread.error(
        "no-package-here",
        f"`{what}` works only while a package is evaluated",
        "call it in a BUILD file, or in a function that a BUILD file calls",
    )


@builtin("package")
def package(thread: Thread, *, default_visibility: object = None) -> None:
    """What holds for the whole package."""
    builder = _builder(thread, "package")
    if default_visibility is not None:
        builder.default_visibility = builder.visibility(thread, default_visibility)


@builtin("glob")
def glob(
    thread: Thread,
    include: object = (),
    exclude: object = (),
    *,
    exclude_directories: int = 1,
    allow_empty: bool = False,
) -> object:
    """The package's files that match, sorted."""
    builder = _builder(thread, "glob")
    patterns = strings(thread, "include", include)
    found: set[str] = set()
    try:
        is_excluded = excluder(strings(thread, "exclude", exclude))
        for pattern in patterns:
            matches = builder.folders.glob(builder.folder, pattern, with_directories=not exclude_directories)
            matches = tuple(path for path in matches if not is_excluded(path))
            if not matches and not allow_empty:
                raise thread.error(
                    "glob-matches-nothing",
                    f"glob pattern `{pattern}` matches nothing in package `{builder}`",
                    "correct the pattern, or add `allow_empty = True` if that may be",
                )
            found.update(matches)
    except BadPattern as error:
        raise thread.error("bad-glob", str(error)) from None
    return sorted(found)


@builtin("subpackages")
def subpackages(thread: Thread, include: object, exclude: object = (), *, allow_empty: bool = False) -> object:
    """The packages right below this one whose paths match, sorted."""
    builder = _builder(thread, "subpackages")
    folder = builder.folder
    below = [
        path[len(folder) :].lstrip("/")
        for path in builder.folders.packages_below(folder)
        if path != folder and builder.folders.enclosing_package(path.rpartition("/")[0]) == folder
    ]
    try:
        is_included = excluder(strings(thread, "include", include))
        is_excluded = excluder(strings(thread, "exclude", exclude))
    except BadPattern as error:
        raise thread.error("bad-glob", str(error)) from None
    found = sorted(path for path in below if is_included(path) and not is_excluded(path))
    if not found and not allow_empty:
        raise thread.error(
            "glob-matches-nothing",
            f"no package below `{builder}` matches",
            "correct the patterns, or add `allow_empty = True` if that may be",
        )
    return found


@builtin("exports_files")
def exports_files(thread: Thread, srcs: object, *, visibility: object = None) -> None:
    """Says that other packages use these files. Source files are visible to all, so this is for the reader."""
    builder = _builder(thread, "exports_files")
    for name in strings(thread, "srcs", srcs):
        path = f"{builder.folder}/{name}" if builder.folder else name
        if name not in builder.targets and name not in builder.outputs and builder.folders.kind(path) is None:
            raise thread.error("no-such-file", f"package `{builder}` has no file `{name}`")
        builder.exported[name] = None


@builtin("package_name")
def package_name(thread: Thread) -> str:
    """The package's path from the repository's root."""
    return _builder(thread, "package_name").name


@builtin("repository_name")
def repository_name(thread: Thread) -> str:
    """`@` and the repository's name; `@` alone for the workspace."""
    return "@" + _builder(thread, "repository_name").repository


@builtin("existing_rule")
def existing_rule(thread: Thread, name: str) -> object:
    """The target of that name made so far, as a dict of its attributes, or None."""
    target = _builder(thread, "existing_rule").targets.get(name)
    return None if target is None else _as_dict(target)


@builtin("existing_rules")
def existing_rules(thread: Thread) -> object:
    """All targets made so far: name -> dict of attributes."""
    return {name: _as_dict(target) for name, target in _builder(thread, "existing_rules").targets.items()}


def _as_dict(target: Target) -> dict[str, object]:
    return {
        "name": target.label.name,
        "kind": target.rule.name,
        "visibility": list(target.visibility),
        "tags": list(target.tags),
        **{name: _as_written(value) for name, value in target.attributes.items()},
    }


def _as_written(value: object) -> object:
    if isinstance(value, Label):
        return str(value)
    if isinstance(value, list):
        return [_as_written(each) for each in value]
    if isinstance(value, dict):
        return {_as_written(key): _as_written(each) for key, each in value.items()}
    return value


@builtin("select")
def select(thread: Thread, x: object, *, no_match_error: str = "") -> object:
    """A value that depends on the configuration: condition -> value."""
    if not isinstance(x, dict) or not x:
        raise thread.error("bad-select", f"`select` takes a dict of conditions that is not empty, got {type_name(x)}")
    for condition in x:
        if not isinstance(condition, (str, Label)):
            raise thread.error("bad-select", f"a condition of `select` is a label, got {type_name(condition)}")
    cases = tuple((condition, freeze(value)) for condition, value in x.items())
    return Select((Selector(cases, no_match_error),))


@builtin("depset")
def depset(thread: Thread, direct: object = None, order: str = "default", *, transitive: object = None) -> object:
    """An ordered set made of elements and of other depsets."""
    if order not in ORDERS:
        raise thread.error("bad-depset", f"`{order}` is no order of a depset", "use one of " + ", ".join(ORDERS))
    elements = () if direct is None else direct
    children = () if transitive is None else transitive
    if isinstance(elements, Depset):
        raise thread.error("bad-depset", "`direct` is a depset: write `transitive = [...]`")
    if not isinstance(elements, (list, tuple)):
        raise thread.error("bad-depset", f"`direct`: expected list, got {type_name(elements)}")
    if not isinstance(children, (list, tuple)):
        raise thread.error("bad-depset", f"`transitive`: expected list of depsets, got {type_name(children)}")
    for child in children:
        if not isinstance(child, Depset):
            raise thread.error("bad-depset", f"`transitive`: expected depset, got {type_name(child)}")
        if child.order != order and "default" not in (child.order, order):
            raise thread.error(
                "bad-depset", f"a depset of order `{child.order}` cannot be part of one of order `{order}`"
            )
    for element in elements:
        try:
            hash(element)
        except TypeError:
            raise thread.error("bad-depset", f"a depset cannot hold a {type_name(element)}: it can change") from None
    return Depset.of(tuple(freeze(each) for each in elements), tuple(children), order)


@builtin("Label")
def label(thread: Thread, text: object, /) -> object:
    """The label, as seen from the file that says it."""
    if isinstance(text, Label):
        return text
    if not isinstance(text, str):
        raise thread.error("bad-label", f"`Label` takes a string, got {type_name(text)}")
    return label_at(thread, text)


class Native:
    """`native` in modules: the functions above, and by name every rule that BUILD files see."""

    starlark_type: ClassVar[str] = "native"

    def __init__(self, functions: Mapping[str, object], prelude: Callable[[], Mapping[str, object]]) -> None:
        self._functions = functions
        self._prelude = prelude

    def starlark_dir(self) -> tuple[str, ...]:
        return tuple(sorted({*self._functions, *self._prelude()}))

    def starlark_attr(self, name: str) -> object:
        if name in self._functions:
            return self._functions[name]
        return self._prelude()[name]

    def starlark_repr(self) -> str:
        return "<native>"


class WorkspaceBuilder:
    """The context of the thread that evaluates WORKSPACE.ml."""

    def __init__(self) -> None:
        self.name = ""
        self.toolchains: list[Registration] = []

    def label_in(self, path: str, text: str) -> Label:
        label = Label.parse(text)
        return replace(label, repository="") if label.repository == self.name else label


def _workspace(thread: Thread, what: str) -> WorkspaceBuilder:
    if isinstance(thread.context, WorkspaceBuilder):
        return thread.context
    raise thread.error("no-workspace-here", f"`{what}` works in WORKSPACE.ml only")


@builtin("workspace")
def workspace(thread: Thread, *, name: str) -> None:
    """Names the workspace."""
    builder = _workspace(thread, "workspace")
    if builder.name:
        raise thread.error("bad-workspace", f"the workspace has a name already: `{builder.name}`")
    if not name.replace("_", "a").replace("-", "a").replace(".", "a").isalnum() or not name[0].isalpha():
        raise thread.error(
            "bad-workspace", f"`{name}` cannot be the name of a workspace", "use letters, digits, - and _"
        )
    builder.name = name


@builtin("register_toolchains")
def register_toolchains(thread: Thread, *labels: object) -> None:
    """Registers `toolchain` targets, the first that fits wins."""
    builder = _workspace(thread, "register_toolchains")
    for each in labels:
        if not isinstance(each, str):
            raise thread.error("bad-label", f"`register_toolchains` takes labels, got {type_name(each)}")
        builder.toolchains.append(Registration(label_at(thread, each), thread.location()))


PACKAGE_FUNCTIONS: Mapping[str, object] = {
    "package": package,
    "glob": glob,
    "subpackages": subpackages,
    "exports_files": exports_files,
    "package_name": package_name,
    "repository_name": repository_name,
    "existing_rule": existing_rule,
    "existing_rules": existing_rules,
}
"""What works while a package is evaluated: in BUILD files by name, in modules as `native.NAME`."""

BUILD_GLOBALS: Mapping[str, object] = {
    **PACKAGE_FUNCTIONS,
    **NATIVE_RULES,
    "select": select,
    "depset": depset,
    "Label": label,
}

WORKSPACE_GLOBALS: Mapping[str, object] = {
    "workspace": workspace,
    "register_toolchains": register_toolchains,
}

MODULE_GLOBALS: Mapping[str, object] = {
    "struct": STRUCT,
    "json": JSON,
    "rule": rule_function,
    "provider": provider_function,
    "attr": ATTR,
    "depset": depset,
    "select": select,
    "Label": label,
    "platform_common": Namespace("platform_common", {"ToolchainInfo": TOOLCHAIN_INFO}),
    **{each.name: each for each in BUILT_IN_PROVIDERS},
}
"""`native` comes on top."""
