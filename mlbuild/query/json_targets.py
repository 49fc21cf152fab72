"""Answers as JSON, with the names of the messages of Bazel's `build.proto`: what tools that read Bazel's answers read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence

from mlbuild.loading.attributes import OUTPUT_KINDS
from mlbuild.loading.dependencies import attribute_labels
from mlbuild.query.graph import TargetGraph
from mlbuild.query.kinds import location_of
from mlbuild.query.ordering import by_name
from mlbuild.records import record
from mlbuild.terms import DEFAULT_CONDITION, Label, Select, Selector, SourceFile, Target

Message = dict[str, object]


@record
class _Type:
    """How a kind of attribute is told: the name of its type, the field of its value, and what that holds."""

    name: str
    field: str
    value: Callable[[object], object]


def query_result(answer: Sequence[Label], graph: TargetGraph) -> Iterator[str]:
    """One message `QueryResult`."""
    return iter(json.dumps({"target": [_target(graph, label) for label in answer]}, indent=2).splitlines())


def target_lines(answer: Sequence[Label], graph: TargetGraph) -> Iterator[str]:
    """A message `Target` a line."""
    return (json.dumps(_target(graph, label), separators=(",", ":")) for label in answer)


def _target(graph: TargetGraph, label: Label) -> Message:
    entry = graph.entry(label)
    message: Message = {"name": str(label), "location": str(location_of(entry))}
    if isinstance(entry, Target):
        return {"type": "RULE", "rule": {**message, **_rule(graph, entry)}}
    if isinstance(entry, SourceFile):
        return {"type": "SOURCE_FILE", "sourceFile": message}
    return {"type": "GENERATED_FILE", "generatedFile": {**message, "generatingRule": str(entry.target.label)}}


def _rule(graph: TargetGraph, target: Target) -> Message:
    attributes = [_attribute("name", "string", target.label.name, True)]
    for name, attribute in target.rule.attributes.items():
        is_given = name in target.attributes
        value = target.attributes[name] if is_given else attribute.default
        attributes.append(_attribute(_public(name), attribute.kind, value, is_given))
    attributes.append(_attribute("tags", "string_list", target.tags, bool(target.tags)))
    attributes.append(_attribute("visibility", "string_list", target.visibility, True))
    if target.frames:
        attributes.append(_attribute("generator_function", "string", target.frames[0].function, False))
    message: Message = {
        "ruleClass": target.rule.name,
        "attribute": sorted(attributes, key=lambda each: str(each["name"])),
    }
    if inputs := by_name(graph.written(target.label)):
        message["ruleInput"] = list(map(str, inputs))
    if outputs := _outputs(target):
        message["ruleOutput"] = list(map(str, outputs))
    return message


def _outputs(target: Target) -> tuple[Label, ...]:
    kinds = target.rule.attributes.values()
    named = [label for each in kinds if each.kind in OUTPUT_KINDS for label in attribute_labels(target, each)]
    return (*named, *(label for _, label in target.implicit_outputs))


def _attribute(name: str, kind: str, value: object, is_given: bool) -> Message:
    message: Message = {"name": name, "type": _TYPES[kind].name, "explicitlySpecified": is_given}
    if isinstance(value, Select):
        elements = [_selector(part, kind) for part in value.parts]
        return {**message, "type": "SELECTOR_LIST", "selectorList": {"type": _TYPES[kind].name, "elements": elements}}
    return {**message, **_valued(value, kind)}


def _selector(part: object, kind: str) -> Message:
    """As Bazel has it, a part that is no `select` is one with a default alone."""
    cases = part.cases if isinstance(part, Selector) else ((DEFAULT_CONDITION, part),)
    entries = [
        {"label": str(condition), "isDefaultValue": condition == DEFAULT_CONDITION, **_valued(value, kind)}
        for condition, value in cases
    ]
    message: Message = {"entries": entries, "hasDefaultValue": any(each["isDefaultValue"] for each in entries)}
    if isinstance(part, Selector) and part.no_match_error:
        message["noMatchError"] = part.no_match_error
    return message


def _valued(value: object, kind: str) -> Message:
    """The field that holds a value; none, as ever in JSON of messages, for an empty list."""
    if value is None or (isinstance(value, (list, tuple, dict)) and not value and kind != "json"):
        return {}
    shown = _TYPES[kind].value(value)
    message: Message = {_TYPES[kind].field: shown}
    if kind == "bool":
        message |= {"intValue": int(bool(value)), "stringValue": "true" if value else "false"}
    return message


def _public(name: str) -> str:
    """Bazel writes the names of private attributes with a dollar."""
    return "$" + name[1:] if name.startswith("_") else name


def _same(value: object) -> object:
    return value


def _strings(value: object) -> object:
    assert isinstance(value, (list, tuple))
    return list(map(str, value))


def _entries(value: object) -> object:
    assert isinstance(value, dict)
    return [
        {"key": str(key), "value": list(map(str, each)) if isinstance(each, (list, tuple)) else str(each)}
        for key, each in value.items()
    ]


_TYPES: Mapping[str, _Type] = {
    "string": _Type("STRING", "stringValue", _same),
    "int": _Type("INTEGER", "intValue", _same),
    "float": _Type("STRING", "stringValue", repr),
    "bool": _Type("BOOLEAN", "booleanValue", bool),
    "label": _Type("LABEL", "stringValue", str),
    "label_list": _Type("LABEL_LIST", "stringListValue", _strings),
    "string_list": _Type("STRING_LIST", "stringListValue", _strings),
    "int_list": _Type("INTEGER_LIST", "intListValue", _same),
    "string_dict": _Type("STRING_DICT", "stringDictValue", _entries),
    "string_list_dict": _Type("STRING_LIST_DICT", "stringListDictValue", _entries),
    "label_keyed_string_dict": _Type("LABEL_KEYED_STRING_DICT", "labelKeyedStringDictValue", _entries),
    "string_keyed_label_dict": _Type("LABEL_DICT_UNARY", "labelDictUnaryValue", _entries),
    "output": _Type("OUTPUT", "stringValue", str),
    "output_list": _Type("OUTPUT_LIST", "stringListValue", _strings),
    "json": _Type("STRING", "stringValue", json.dumps),
}
"""Bazel has no numbers with a point and no JSON: these are told as text."""
