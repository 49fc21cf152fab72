"""`rule`, `provider` and `attr`: how a module defines kinds of targets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Protocol, runtime_checkable

from mlbuild.lang import Namespace, Thread, builtin, freeze, type_name
from mlbuild.loading.attributes import EMPTY, BadValue, convert
from mlbuild.loading.builder import COMMON, PackageBuilder
from mlbuild.records import replace
from mlbuild.terms import Attribute, BadLabel, Label, Provider, Rule


@runtime_checkable
class LabelContext(Protocol):
    """What a thread's context can tell: labels as written in a file."""

    def label_in(self, path: str, text: str) -> Label: ...


def label_at(thread: Thread, text: str) -> Label:
    """A label as written in the file whose call runs now."""
    context = thread.context
    if not isinstance(context, LabelContext):
        raise thread.error("no-labels-here", "labels cannot be made here")
    try:
        return context.label_in(thread.location().path, text)
    except BadLabel as error:
        raise thread.error("bad-label", str(error)) from None


class RuleFunction:
    """A rule as Starlark sees it: called in a BUILD file, it makes a target."""

    __slots__ = ("rule",)
    starlark_type: ClassVar[str] = "rule"

    def __init__(self, rule: Rule) -> None:
        self.rule = rule

    def starlark_export(self, module_path: str, name: str) -> None:
        if not self.rule.name:
            self.rule = replace(self.rule, name=name, module=module_path)

    def starlark_repr(self) -> str:
        return f"<rule {self.rule.name}>"

    def starlark_call(self, thread: Thread, args: tuple[object, ...], kwargs: dict[str, object]) -> None:
        builder = thread.context
        if not isinstance(builder, PackageBuilder):
            raise thread.error(
                "rule-outside-package",
                f"rule `{self.rule.name}` is called where no package is evaluated",
                "call it in a BUILD file, or in a function that a BUILD file calls",
            )
        if not self.rule.name:
            raise thread.error(
                "rule-without-name", "this rule has no name", "assign the result of `rule()` to a global of its module"
            )
        if args:
            raise thread.error(
                "bad-attribute", f"`{self.rule.name}` takes its attributes by name", 'write `name = "..."`'
            )
        builder.add(thread, self.rule, kwargs)


class AttributeDefinition:
    """What `attr.string(...)` gives: an attribute that has no name yet."""

    __slots__ = ("attribute",)
    starlark_type: ClassVar[str] = "Attribute"

    def __init__(self, attribute: Attribute) -> None:
        self.attribute = attribute

    def starlark_repr(self) -> str:
        return f"<attr.{self.attribute.kind}>"


@builtin("rule")
def rule_function(
    thread: Thread,
    implementation: object,
    attrs: object = None,
    *,
    test: bool = False,
    executable: bool = False,
    toolchains: object = (),
    outputs: object = None,
    doc: str = "",
) -> object:
    """A new kind of target. Assign it to a global: that is its name."""
    if type_name(implementation) != "function":
        raise thread.error("bad-rule", f"`implementation`: expected function, got {type_name(implementation)}")
    attributes: dict[str, Attribute] = {}
    for name, definition in _dict(thread, "attrs", attrs).items():
        if not isinstance(definition, AttributeDefinition):
            raise thread.error(
                "bad-rule",
                f"attribute `{name}`: expected an attribute, got {type_name(definition)}",
                "write for example `attr.string()`",
            )
        if name in COMMON or not name.isidentifier():
            raise thread.error("bad-rule", f"`{name}` cannot be the name of an attribute")
        attribute = definition.attribute
        if name.startswith("_") and attribute.is_mandatory:
            raise thread.error("bad-rule", f"`{name}` is private, so nobody can set it: give it a default")
        attributes[name] = replace(attribute, name=name)
    templates: dict[str, str] = {}
    for name, template in _dict(thread, "outputs", outputs).items():
        if not isinstance(template, str):
            raise thread.error("bad-rule", f"output `{name}`: expected string, got {type_name(template)}")
        templates[name] = template
    return RuleFunction(
        Rule(
            name="",
            attributes=attributes,
            implementation=implementation,
            doc=doc,
            is_test=test,
            is_executable=executable,
            toolchains=tuple(_label(thread, "toolchains", each) for each in _list(thread, "toolchains", toolchains)),
            outputs=templates,
        )
    )


@builtin("provider")
def provider_function(thread: Thread, doc: str = "", *, fields: object = None) -> object:
    """A new type of information that rules hand to each other. Assign it to a global: that is its name."""
    if fields is None:
        names = None
    elif isinstance(fields, (list, tuple, dict)) and all(isinstance(each, str) for each in fields):
        names = tuple(str(each) for each in fields)
    else:
        raise thread.error("bad-provider", f"`fields`: expected list or dict of names, got {type_name(fields)}")
    return Provider("", names, doc=doc, freeze=freeze)


def _define(
    thread: Thread,
    kind: str,
    *,
    default: object = None,
    doc: str = "",
    mandatory: bool = False,
    values: object = (),
    allow_empty: bool = True,
    allow_files: object = None,
    allow_single_file: object = None,
    providers: object = (),
    executable: bool = False,
    cfg: object = None,
) -> AttributeDefinition:
    files = allow_files if allow_single_file is None else allow_single_file
    attribute = Attribute(
        name="",
        kind=kind,
        doc=doc,
        is_mandatory=mandatory,
        allow_empty=allow_empty,
        values=tuple(_list(thread, "values", values)),
        allow_files=_allowed_files(thread, files),
        is_single_file=allow_single_file is not None and allow_single_file is not False,
        providers=_provider_groups(thread, providers),
        is_configurable=kind not in ("output", "output_list"),
        is_executable=executable,
        is_tool=cfg in ("exec", "host"),
    )
    if default is None:
        value = EMPTY[kind]
    else:
        try:
            value = convert(
                replace(attribute, values=(), allow_empty=True), default, lambda text: label_at(thread, text)
            )
        except BadValue as error:
            raise thread.error("bad-attribute", f"`default` of `attr.{kind}`: {error}") from None
    return AttributeDefinition(replace(attribute, default=value))


def _plain(kind: str) -> object:
    @builtin(kind)
    def define(
        thread: Thread,
        default: object = None,
        doc: str = "",
        *,
        mandatory: bool = False,
        values: object = (),
    ) -> object:
        return _define(thread, kind, default=default, doc=doc, mandatory=mandatory, values=values)

    return define


def _collection(kind: str) -> object:
    @builtin(kind)
    def define(
        thread: Thread,
        default: object = None,
        doc: str = "",
        *,
        mandatory: bool = False,
        allow_empty: bool = True,
    ) -> object:
        return _define(thread, kind, default=default, doc=doc, mandatory=mandatory, allow_empty=allow_empty)

    return define


def _of_labels(kind: str) -> object:
    @builtin(kind)
    def define(
        thread: Thread,
        default: object = None,
        doc: str = "",
        *,
        mandatory: bool = False,
        allow_empty: bool = True,
        allow_files: object = None,
        providers: object = (),
        cfg: object = None,
    ) -> object:
        return _define(
            thread,
            kind,
            default=default,
            doc=doc,
            mandatory=mandatory,
            allow_empty=allow_empty,
            allow_files=allow_files,
            providers=providers,
            cfg=cfg,
        )

    return define


@builtin("label")
def _attr_label(
    thread: Thread,
    default: object = None,
    doc: str = "",
    *,
    mandatory: bool = False,
    allow_files: object = None,
    allow_single_file: object = None,
    providers: object = (),
    executable: bool = False,
    cfg: object = None,
) -> object:
    return _define(
        thread,
        "label",
        default=default,
        doc=doc,
        mandatory=mandatory,
        allow_files=allow_files,
        allow_single_file=allow_single_file,
        providers=providers,
        executable=executable,
        cfg=cfg,
    )


@builtin("output")
def _attr_output(thread: Thread, doc: str = "", *, mandatory: bool = False) -> object:
    return _define(thread, "output", doc=doc, mandatory=mandatory)


@builtin("output_list")
def _attr_output_list(thread: Thread, doc: str = "", *, mandatory: bool = False, allow_empty: bool = True) -> object:
    return _define(thread, "output_list", doc=doc, mandatory=mandatory, allow_empty=allow_empty)


ATTR = Namespace(
    "attr",
    {
        "label": _attr_label,
        "output": _attr_output,
        "output_list": _attr_output_list,
        **{kind: _plain(kind) for kind in ("string", "int", "float", "bool", "json")},
        **{kind: _collection(kind) for kind in ("string_list", "int_list", "string_dict", "string_list_dict")},
        **{kind: _of_labels(kind) for kind in ("label_list", "label_keyed_string_dict", "string_keyed_label_dict")},
    },
)


def native_rule(name: str, attributes: Mapping[str, tuple[str, str]], mandatory: tuple[str, ...] = ()) -> RuleFunction:
    """A rule that analysis knows itself. `attributes`: name -> (kind, doc)."""
    return RuleFunction(
        Rule(
            name,
            {
                key: Attribute(
                    key,
                    kind,
                    EMPTY[kind],
                    doc,
                    is_mandatory=key in mandatory,
                    allow_files=True,
                    is_configurable=name == "alias",
                )
                for key, (kind, doc) in attributes.items()
            },
            implementation=None,
        )
    )


def _allowed_files(thread: Thread, value: object) -> bool | tuple[str, ...]:
    if value is None:
        return False
    if isinstance(value, bool):
        return value
    return tuple(str(each) for each in _list(thread, "allow_files", value) if _is_suffix(thread, each))


def _is_suffix(thread: Thread, value: object) -> bool:
    if isinstance(value, str) and value.startswith("."):
        return True
    raise thread.error("bad-attribute", '`allow_files`: expected True, False or a list of suffixes such as `".py"`')


def _provider_groups(thread: Thread, value: object) -> tuple[tuple[Provider, ...], ...]:
    items = _list(thread, "providers", value)
    if not items:
        return ()
    groups = [_list(thread, "providers", each) for each in items] if _is_list(items[0]) else [items]
    return tuple(tuple(_provider(thread, each) for each in group) for group in groups)


def _provider(thread: Thread, value: object) -> Provider:
    if isinstance(value, Provider):
        return value
    raise thread.error("bad-attribute", f"`providers`: expected Provider, got {type_name(value)}")


def _is_list(value: object) -> bool:
    return isinstance(value, (list, tuple))


def _list(thread: Thread, name: str, value: object) -> tuple[object, ...]:
    if isinstance(value, (list, tuple)):
        return tuple(value)
    raise thread.error("bad-argument", f"`{name}`: expected list, got {type_name(value)}")


def _dict(thread: Thread, name: str, value: object) -> dict[str, object]:
    if value is None:
        return {}
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {str(key): each for key, each in value.items()}
    raise thread.error("bad-argument", f"`{name}`: expected dict with names as keys, got {type_name(value)}")


def _label(thread: Thread, name: str, value: object) -> Label:
    if isinstance(value, Label):
        return value
    if isinstance(value, str):
        return label_at(thread, value)
    raise thread.error("bad-argument", f"`{name}`: expected label, got {type_name(value)}")
