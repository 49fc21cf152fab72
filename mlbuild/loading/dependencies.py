"""What a target says that it depends on, in every case of its `select`s."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlbuild.loading.attributes import LABEL_KINDS
from mlbuild.records import record
from mlbuild.terms import Attribute, Label, Select, Selector, Target


@record
class Dependency:
    """One label that an attribute names. `is_implicit`: not the BUILD file says it, but the rule's default."""

    label: Label
    attribute: str
    is_implicit: bool
    is_tool: bool = False


def dependencies_of(target: Target) -> Iterator[Dependency]:
    """All of them, attribute by attribute, in the order of the rule; a label may come more than once."""
    given = target.attributes
    for name, attribute in target.rule.attributes.items():
        is_given = name in given
        value = given[name] if is_given else attribute.default
        if attribute.kind in LABEL_KINDS:
            for label in labels_in(value):
                yield Dependency(label, name, not is_given, attribute.is_tool)
        if value.__class__ is Select:
            for label in conditions_in(value):
                yield Dependency(label, name, is_implicit=False)


def attribute_labels(target: Target, attribute: Attribute) -> tuple[Label, ...]:
    """The labels, of outputs too, that an attribute of a target has, each once; the default's if nothing was written."""
    return tuple(dict.fromkeys(labels_in(target.attributes.get(attribute.name, attribute.default))))


def labels_in(value: object) -> Iterator[Label]:
    """The labels of an attribute's value. The conditions of a `select` are not among them."""
    if isinstance(value, Label):
        yield value
    elif isinstance(value, Select):
        for part in value.parts:
            if isinstance(part, Selector):
                for _, case in part.cases:
                    yield from labels_in(case)
            else:
                yield from labels_in(part)
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from labels_in(key)
            yield from labels_in(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from labels_in(each)


def conditions_in(value: object) -> Iterator[Label]:
    """The labels of the conditions of a `select`."""
    if isinstance(value, Select):
        for part in value.parts:
            if isinstance(part, Selector):
                for condition, _ in part.cases:
                    if isinstance(condition, Label):
                        yield condition
