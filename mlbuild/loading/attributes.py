"""Values of attributes: checked against their kind, labels made absolute."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mlbuild.lang import freeze, repr_value, type_name
from mlbuild.records import replace
from mlbuild.terms import DEFAULT_CONDITION, Attribute, BadLabel, Label, Select, Selector

Resolve = Callable[[str], Label]
"""A label as written -> the label. Raises BadLabel."""


class BadValue(ValueError):
    """The value does not fit the attribute; the message says why, in words for a person."""


def convert(attribute: Attribute, value: object, resolve: Resolve) -> object:
    """The value as the target keeps it: of the attribute's kind, frozen, with absolute labels. Raises BadValue."""
    if isinstance(value, Select):
        return _convert_select(attribute, value, resolve)
    try:
        converted = CONVERTERS[attribute.kind](value, resolve)
    except BadLabel as error:
        raise BadValue(str(error)) from None
    if attribute.values and converted not in attribute.values:
        allowed = ", ".join(repr_value(each) for each in attribute.values)
        raise BadValue(f"{repr_value(converted)} is not allowed: use one of {allowed}")
    if not attribute.allow_empty and not converted and isinstance(converted, (list, dict)):
        raise BadValue("cannot be empty")
    return converted


def _convert_select(attribute: Attribute, value: Select, resolve: Resolve) -> Select:
    if not attribute.is_configurable:
        raise BadValue("cannot depend on the configuration: `select()` is not allowed here")
    # A part may be empty though the whole is not; what a part adds up to is known only when it is chosen.
    lenient = replace(attribute, allow_empty=True)
    return Select(tuple(_convert_part(lenient, part, resolve) for part in value.parts), value.operator)


def _convert_part(attribute: Attribute, part: object, resolve: Resolve) -> object:
    if not isinstance(part, Selector):
        return convert(attribute, part, resolve)
    cases: list[tuple[object, object]] = []
    for condition, value in part.cases:
        if isinstance(condition, str) and condition != DEFAULT_CONDITION:
            try:
                condition = resolve(condition)
            except BadLabel as error:
                raise BadValue(f"a condition of `select()`: {error}") from None
        cases.append((condition, None if value is None else convert(attribute, value, resolve)))
    return Selector(tuple(cases), part.no_match_error)


def _fail(expected: str, value: object, where: str = "") -> BadValue:
    place = f" for {where}" if where else ""
    return BadValue(f"expected {expected}{place}, got {type_name(value)}")


def _string(value: object, resolve: Resolve) -> object:
    if isinstance(value, str):
        return value
    raise _fail("string", value)


def _int(value: object, resolve: Resolve) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise _fail("int", value)


def _float(value: object, resolve: Resolve) -> object:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    raise _fail("float", value)


def _bool(value: object, resolve: Resolve) -> object:
    if isinstance(value, bool):
        return value
    raise _fail("bool", value)


def _label(value: object, resolve: Resolve, where: str = "") -> Label:
    if isinstance(value, str):
        return resolve(value)
    if isinstance(value, Label):
        return value
    raise _fail("label", value, where)


def _sequence(value: object, what: str) -> Sequence[object]:
    if isinstance(value, (list, tuple)):
        return value
    raise _fail(f"list of {what}s", value)


def _label_list(value: object, resolve: Resolve) -> object:
    labels = [_label(each, resolve, f"element {index}") for index, each in enumerate(_sequence(value, "label"))]
    if len(set(labels)) != len(labels):
        twice = next(label for index, label in enumerate(labels) if label in labels[:index])
        raise BadValue(f"label `{twice.short}` stands twice in the list")
    return freeze(labels)


def _string_list(value: object, resolve: Resolve) -> object:
    for index, each in enumerate(_sequence(value, "string")):
        if not isinstance(each, str):
            raise _fail("string", each, f"element {index}")
    return freeze(value) if isinstance(value, list) else freeze(list(_sequence(value, "string")))


def _int_list(value: object, resolve: Resolve) -> object:
    items = _sequence(value, "int")
    for index, each in enumerate(items):
        if not isinstance(each, int) or isinstance(each, bool):
            raise _fail("int", each, f"element {index}")
    return freeze(list(items))


def _dict(value: object, what: str) -> dict[object, object]:
    if isinstance(value, dict):
        return value
    raise _fail(f"dict of {what}", value)


def _string_dict(value: object, resolve: Resolve) -> object:
    given = _dict(value, "string to string")
    for key, each in given.items():
        if not isinstance(key, str):
            raise _fail("string", key, "a key")
        if not isinstance(each, str):
            raise _fail("string", each, f"key {repr_value(key)}")
    return freeze(dict(given))


def _string_list_dict(value: object, resolve: Resolve) -> object:
    given = _dict(value, "string to list of strings")
    for key, each in given.items():
        if not isinstance(key, str):
            raise _fail("string", key, "a key")
        if not isinstance(each, (list, tuple)) or not all(isinstance(item, str) for item in each):
            raise _fail("list of strings", each, f"key {repr_value(key)}")
    return freeze({key: list(each) for key, each in given.items() if isinstance(each, (list, tuple))})


def _label_keyed_string_dict(value: object, resolve: Resolve) -> object:
    converted: dict[Label, str] = {}
    for key, each in _dict(value, "label to string").items():
        label = _label(key, resolve, "a key")
        if not isinstance(each, str):
            raise _fail("string", each, f"key `{label.short}`")
        if label in converted:
            raise BadValue(f"label `{label.short}` stands twice among the keys")
        converted[label] = each
    return freeze(converted)


def _string_keyed_label_dict(value: object, resolve: Resolve) -> object:
    converted: dict[str, Label] = {}
    for key, each in _dict(value, "string to label").items():
        if not isinstance(key, str):
            raise _fail("string", key, "a key")
        converted[key] = _label(each, resolve, f"key {repr_value(key)}")
    return freeze(converted)


def _output(value: object, resolve: Resolve, where: str = "") -> Label:
    if not isinstance(value, str):
        raise _fail("name of an output file", value, where)
    label, here = resolve(value), resolve(":x")
    if (label.repository, label.package) != (here.repository, here.package):
        raise BadValue(f"`{value}` is in another package: outputs are made in the target's own")
    return label


def _output_list(value: object, resolve: Resolve) -> object:
    items = _sequence(value, "output")
    return freeze([_output(each, resolve, f"element {index}") for index, each in enumerate(items)])


def _json(value: object, resolve: Resolve) -> object:
    _check_json(value)
    return freeze(value)


def _check_json(value: object) -> None:
    pending = [value]
    while pending:
        each = pending.pop()
        if each is None or isinstance(each, (bool, int, float, str)):
            continue
        if isinstance(each, (list, tuple)):
            pending.extend(each)
        elif isinstance(each, dict):
            for key in each:
                if not isinstance(key, str):
                    raise BadValue(f"the keys of a JSON object are strings, got {type_name(key)}")
            pending.extend(each.values())
        else:
            raise BadValue(f"expected a JSON value (string, number, bool, list, dict), got {type_name(each)}")


CONVERTERS: dict[str, Callable[[object, Resolve], object]] = {
    "string": _string,
    "int": _int,
    "float": _float,
    "bool": _bool,
    "label": _label,
    "label_list": _label_list,
    "string_list": _string_list,
    "int_list": _int_list,
    "string_dict": _string_dict,
    "string_list_dict": _string_list_dict,
    "label_keyed_string_dict": _label_keyed_string_dict,
    "string_keyed_label_dict": _string_keyed_label_dict,
    "output": _output,
    "output_list": _output_list,
    "json": _json,
}

EMPTY: dict[str, object] = {
    "string": "",
    "int": 0,
    "float": 0.0,
    "bool": False,
    "label": None,
    "output": None,
    "json": None,
    **{kind: freeze([]) for kind in ("label_list", "string_list", "int_list", "output_list")},
    **{
        kind: freeze({})
        for kind in ("string_dict", "string_list_dict", "label_keyed_string_dict", "string_keyed_label_dict")
    },
}
"""What an attribute of a kind is when nobody says."""

LABEL_KINDS = frozenset({"label", "label_list", "label_keyed_string_dict", "string_keyed_label_dict"})
OUTPUT_KINDS = frozenset({"output", "output_list"})
