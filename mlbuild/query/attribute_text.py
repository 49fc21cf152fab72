"""Values of attributes as text that the `attr` function matches: one text for each value that a `select` may choose."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator, Mapping

from mlbuild.terms import Label, Select, Selector, Target
from mlbuild.terms.select import added

MOST_COMBINATIONS = 1000
"""Sums of many `select`s come to more values than can be told: of those that add up to more, each part is one text."""


def attribute_texts(target: Target, name: str) -> tuple[str, ...]:
    """The texts of an attribute's values; none if the target's rule has no such attribute."""
    if name == "name":
        return (target.label.name,)
    if name == "tags":
        return (_text(target.tags),)
    if name == "visibility":
        return (_text(target.visibility),)
    if name == "generator_function":
        return (target.frames[0].function if target.frames else "",)
    attribute = target.rule.attributes.get(name)
    if attribute is None:
        return ()
    value = target.attributes.get(name, attribute.default)
    if isinstance(value, Select):
        return tuple(dict.fromkeys(_text(each, attribute.kind) for each in _possible(value, attribute.default)))
    return (_text(value, attribute.kind),)


def _possible(select: Select, default: object) -> Iterator[object]:
    parts = [
        [default if case is None else case for _, case in part.cases] if isinstance(part, Selector) else [part]
        for part in select.parts
    ]
    if math.prod(map(len, parts)) > MOST_COMBINATIONS:
        yield from itertools.chain(*parts)
        return
    for chosen in itertools.product(*parts):
        whole = chosen[0]
        for each in chosen[1:]:
            whole = added(whole, each)
        yield whole


def _text(value: object, kind: str = "") -> str:
    if kind == "json" and not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, Label):
        return str(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_text(key)}={_text(each)}" for key, each in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_text, value)) + "]"
    return str(value)
