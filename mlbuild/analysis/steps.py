"""From a label to its node, as steps: each step asks for a label and is sent its node.

Steps are generators, so that a chain of targets of any length needs no recursion.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping

from mlbuild.analysis import dependency
from mlbuild.analysis.configuration import Configuration, match, most_specific, settings_of
from mlbuild.analysis.context import Resolved
from mlbuild.analysis.implementation import of_target
from mlbuild.analysis.node import Match, Node
from mlbuild.analysis.packages import Packages, Registered
from mlbuild.diagnostics import Location, UserError, did_you_mean, fail
from mlbuild.lang import freeze
from mlbuild.terms import (
    DEFAULT_CONDITION,
    DEFAULT_INFO,
    OUTPUT_ROOT,
    TOOLCHAIN_INFO,
    Artifact,
    Attribute,
    Depset,
    Entry,
    Info,
    Label,
    OutputFile,
    PartOfTarget,
    Select,
    Selector,
    SourceFile,
    Target,
)
from mlbuild.terms.select import added

Steps = Generator[Label, Node, Node]
LABEL_KINDS = frozenset({"label", "label_list", "label_keyed_string_dict", "string_keyed_label_dict"})


class Stepper:
    """Makes the steps of each kind of thing that a label names."""

    def __init__(self, packages: Packages, configuration: Configuration, implement: Callable[[Resolved], Node]) -> None:
        self._packages = packages
        self._configuration = configuration
        self._implement = implement
        self._toolchains: dict[Label, Info] = {}

    def steps(self, label: Label) -> Steps:
        """The steps to the label's node. Raises UserError."""
        entry = self._packages.entry(label)
        match entry:
            case Target():
                if entry.rule.implementation is None:
                    return self._native(entry)
                return self._target(entry)
            case SourceFile():
                return self._source(entry)
            case OutputFile():
                return self._output(entry)
            case PartOfTarget():
                return self._part(entry)

    def _source(self, entry: SourceFile) -> Steps:
        label = entry.label
        artifact = Artifact(label.path, label, is_source=True, is_directory=entry.is_directory)
        return _file_node(label, artifact, "source file", Location(label.path))
        yield label  # a generator that asks for nothing

    def _output(self, entry: OutputFile) -> Steps:
        maker = yield entry.target.label
        return _file_node(entry.label, maker.outputs[entry.label], "generated file", entry.target.location)

    def _part(self, entry: PartOfTarget) -> Steps:
        whole = yield entry.target.label
        part = whole.parts.get(entry.part)
        if part is not None:
            return part
        near = did_you_mean(entry.part, whole.parts)
        if near:
            hint: str | None = (
                f"did you mean `{entry.target.label.sibling(f'{entry.target.label.name}.{near}').short}`?"
            )
        elif whole.parts:
            hint = "it has " + ", ".join(f"`{each}`" for each in whole.parts)
        else:
            hint = None
        if not whole.parts:
            raise fail(
                "no-such-file",
                f"there is no file `{entry.label.path}`, and `{whole.label.short}` ({whole.kind}) has no parts",
            )
        raise fail("no-such-part", f"`{whole.label.short}` ({whole.kind}) has no part `{entry.part}`", hint=hint)

    def _target(self, target: Target) -> Steps:
        rule = target.rule
        values: dict[str, object] = {"name": target.label.name, "tags": freeze(list(target.tags))}
        outputs: dict[str, object] = {}
        dependencies: dict[str, list[tuple[Label, Node]]] = {}
        given = target.attributes
        for name, attribute in rule.attributes.items():
            is_given = name in given
            value = given[name] if is_given else attribute.default
            if value.__class__ is Select:
                assert isinstance(value, Select)
                value = yield from self._chosen(target, attribute, value)
            kind = attribute.kind
            if kind in LABEL_KINDS:
                pairs: list[tuple[Label, Node]] = []
                for label in _labels(value):
                    pairs.append((label, (yield from self._dependency(target, attribute, label, is_given))))
                dependencies[name] = pairs
                values[name] = _shown(kind, value, pairs)
            else:
                values[name] = value
                if kind == "output":
                    outputs[name] = None if value is None else _predeclared(value, target)
                elif kind == "output_list":
                    assert isinstance(value, (list, tuple))
                    outputs[name] = freeze([_predeclared(each, target) for each in value])
        for name, label in target.implicit_outputs:
            outputs[name] = _predeclared(label, target)
        toolchains: dict[Label, Info] = {}
        for wanted in rule.toolchains:
            toolchains[wanted] = yield from self._toolchain(target, wanted)
        return self._implement(Resolved(target, values, dependencies, outputs, toolchains))

    def _dependency(
        self, target: Target, attribute: Attribute, label: Label, is_given: bool
    ) -> Generator[Label, Node, Node]:
        try:
            entry = self._packages.entry(label)
            if is_given:
                owner = _owner(entry)
                if owner is not None:
                    dependency.check_visible(target, attribute, owner)
        except UserError as error:
            raise self._placed(error, target, attribute) from None
        node = yield label
        try:
            dependency.check(target, attribute, label, node)
        except UserError as error:
            raise self._placed(error, target, attribute) from None
        return node

    def _placed(self, error: UserError, target: Target, attribute: Attribute) -> UserError:
        """Errors with a place of their own (in the dependency's BUILD file) stay as they are."""
        if all(each.location is not None for each in error.diagnostics):
            return error
        return of_target(error, target, self._packages)

    # select

    def _chosen(self, target: Target, attribute: Attribute, select: Select) -> Generator[Label, Node, object]:
        whole: object = None
        for part in select.parts:
            value = part
            if isinstance(part, Selector):
                value = yield from self._choice(target, attribute, part)
                if value is None:
                    value = attribute.default
            whole = value if whole is None else added(whole, value)
        if attribute.is_mandatory and whole is None:
            raise self._placed(
                fail(
                    "missing-attribute",
                    f"`{target.label.short}`: `select` chose None for the attribute `{attribute.name}`",
                ),
                target,
                attribute,
            )
        return freeze(whole) if isinstance(whole, (list, dict)) else whole

    def _choice(self, target: Target, attribute: Attribute, selector: Selector) -> Generator[Label, Node, object]:
        matches: list[Match] = []
        values: list[object] = []
        labels: list[Label] = []
        for condition, value in selector.cases:
            if not isinstance(condition, Label):
                continue
            try:
                self._packages.entry(condition)
            except UserError as error:
                raise self._placed(error, target, attribute) from None
            node = yield condition
            if node.match is None:
                raise self._placed(
                    fail(
                        "bad-select",
                        f"`{condition.short}` ({node.kind}) is a condition of `select` but no `config_setting`",
                    ),
                    target,
                    attribute,
                )
            if node.match.is_match:
                matches.append(node.match)
                values.append(value)
                labels.append(condition)
        best = most_specific(matches)
        if best:
            if any(values[index] != values[best[0]] for index in best):
                names = " and ".join(f"`{labels[index].short}`" for index in best)
                raise self._placed(
                    fail(
                        "ambiguous-select",
                        f"attribute `{attribute.name}` of `{target.label.short}`: {names} match, and none is more specific",
                    ),
                    target,
                    attribute,
                )
            return values[best[0]]
        for condition, value in selector.cases:
            if condition == DEFAULT_CONDITION:
                return value
        keys = ", ".join(f"`{each.short if isinstance(each, Label) else each}`" for each, _ in selector.cases)
        raise self._placed(
            fail(
                "no-match",
                f"attribute `{attribute.name}` of `{target.label.short}`: no condition of `select` matches"
                + (f": {selector.no_match_error}" if selector.no_match_error else ""),
                notes=(f"the conditions are {keys}",),
                hint=f'add `"{DEFAULT_CONDITION}": ...`, or set what one of them asks for',
            ),
            target,
            attribute,
        )

    # toolchains

    def _toolchain(self, target: Target, wanted: Label) -> Generator[Label, Node, Info]:
        known = self._toolchains.get(wanted)
        if known is not None:
            return known
        for registered in self._packages.workspace().toolchains:
            offered = self._registered_toolchain(registered)
            if offered.attributes["toolchain_type"] != wanted:
                continue
            is_match = True
            for label in _labels(offered.attributes.get("target_settings", ())):
                node = yield label
                is_match = is_match and node.match is not None and node.match.is_match
            if not is_match:
                continue
            tools = offered.attributes["toolchain"]
            assert isinstance(tools, Label)
            node = yield tools
            info = node.providers.get(TOOLCHAIN_INFO)
            if info is None:
                message = f"`{tools.short}` ({node.kind}) is a toolchain but returns no `ToolchainInfo`"
                raise self._packages.placed(fail("bad-toolchain", message), offered.location)
            self._toolchains[wanted] = info
            return info
        raise of_target(
            fail(
                "no-toolchain",
                f"no toolchain of type `{wanted}` is registered, and `{target.rule.name}` needs one",
                hint='register a `toolchain` target of that type in WORKSPACE.ml: `register_toolchains("//package:name")`',
            ),
            target,
            self._packages,
        )

    def _registered_toolchain(self, registered: Registered) -> Target:
        try:
            entry = self._packages.entry(registered.label)
        except UserError as error:
            raise self._packages.placed(error, registered.location) from None
        if isinstance(entry, Target) and entry.rule.implementation is None and entry.rule.name == "toolchain":
            return entry
        kind = entry.rule.name if isinstance(entry, Target) else "file"
        raise self._packages.placed(
            fail(
                "bad-toolchain",
                f"`{registered.label.short}` ({kind}) is registered as a toolchain but is no `toolchain`",
                hint="register a target of the rule `toolchain`: it names the type and the target that has the tools",
            ),
            registered.location,
        )

    # rules that decide what is analysed

    def _native(self, target: Target) -> Steps:
        match target.rule.name:
            case "alias":
                return self._alias(target)
            case "config_setting":
                return self._config_setting(target)
            case "toolchain":
                return self._toolchain_target(target)
            case _:
                return self._empty(target)

    def _alias(self, target: Target) -> Steps:
        attribute = target.rule.attributes["actual"]
        value = target.attributes["actual"]
        if isinstance(value, Select):
            value = yield from self._chosen(target, attribute, value)
        assert isinstance(value, Label)
        return (yield from self._dependency(target, attribute, value, is_given=True))

    def _config_setting(self, target: Target) -> Steps:
        settings = settings_of(
            _strings(target.attributes.get("define_values")), _strings(target.attributes.get("values"))
        )
        if not settings:
            error = fail(
                "bad-config-setting", f"`{target.label.short}` asks for nothing", hint="add `define_values = {...}`"
            )
            raise of_target(error, target, self._packages)
        for kind, name, _ in sorted(settings):
            if kind == "option" and name not in self._configuration.options:
                known = ", ".join(f"`{each}`" for each in ("define", *sorted(self._configuration.options)))
                error = fail("bad-config-setting", f"`values`: there is no option `{name}`", hint=f"there is {known}")
                raise of_target(error, target, self._packages)
        return _plain_node(target, match(settings, self._configuration))
        yield target.label  # a generator that asks for nothing

    def _toolchain_target(self, target: Target) -> Steps:
        for name in ("toolchain_type", "toolchain"):
            label = target.attributes[name]
            assert isinstance(label, Label)
            yield from self._dependency(target, target.rule.attributes[name], label, is_given=True)
        return _plain_node(target)

    def _empty(self, target: Target) -> Steps:
        return _plain_node(target)
        yield target.label  # a generator that asks for nothing


def _file_node(label: Label, artifact: Artifact, kind: str, location: Location) -> Node:
    files = Depset((artifact,))
    info = Info(DEFAULT_INFO, {"files": files, "executable": None})
    return Node(label, kind, location, files, {DEFAULT_INFO: info}, is_file=True)


def _plain_node(target: Target, match: Match | None = None) -> Node:
    files = Depset()
    info = Info(DEFAULT_INFO, {"files": files, "executable": None})
    return Node(target.label, target.rule.name, target.location, files, {DEFAULT_INFO: info}, match=match)


def _owner(entry: Entry) -> Target | None:
    if isinstance(entry, Target):
        return entry
    return None if isinstance(entry, SourceFile) else entry.target


def _labels(value: object) -> tuple[Label, ...]:
    if value is None:
        return ()
    if isinstance(value, Label):
        return (value,)
    if isinstance(value, Mapping):
        return tuple(each for pair in value.items() for each in pair if isinstance(each, Label))
    assert isinstance(value, (list, tuple))
    return tuple(value)


def _shown(kind: str, value: object, pairs: list[tuple[Label, Node]]) -> object:
    """The value as `ctx.attr` has it: targets in place of labels."""
    if kind == "label":
        return pairs[0][1] if pairs else None
    if kind == "label_list":
        return freeze([node for _, node in pairs])
    assert isinstance(value, Mapping)
    if kind == "label_keyed_string_dict":
        return freeze({node: text for (_, node), text in zip(pairs, value.values(), strict=True)})
    return freeze({name: node for name, (_, node) in zip(value, pairs, strict=True)})


def _predeclared(value: object, target: Target) -> Artifact:
    assert isinstance(value, Label)
    return Artifact(f"{OUTPUT_ROOT}/{value.path}", target.label, is_source=False)


def _strings(value: object) -> dict[str, str]:
    return {str(key): str(each) for key, each in value.items()} if isinstance(value, Mapping) else {}
