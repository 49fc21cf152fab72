"""Each value of the language and of the host, asked in each way for what Python's objects have: nothing of it is given."""

from __future__ import annotations

from typing import Any

import pytest

from mlbuild.lang import JSON, STRUCT, UNIVERSE, Builtin, Set, StarlarkError, Struct, Thread, call, freeze
from mlbuild.lang.runtime.members import attribute
from mlbuild.lang.runtime.names import RUNTIME
from mlbuild.lang.runtime.text import format_text, percent
from mlbuild.terms import Label
from tests.lang.fuzzing import LEAK

INSIDES = sorted(
    {name for value in ([], {}, "", 1, 1.0, (), b"", None, range(1), Set(), Struct({}), JSON, STRUCT, lambda: 1) for name in dir(value) if name.startswith("_")}
    | {"mro", "gi_frame", "f_globals", "tb_frame", "func_globals", "im_self", "cr_frame", "call", "receiver", "fields", "_members", "co_code", "items_"}
)  # fmt: skip
VALUES: list[Any] = [
    *([1], freeze([1]), {"a": 1}, freeze({"a": 1}), "a", b"a", 1, 1.5, True, None, (1,), range(3), Set([1])),
    *(Struct({"a": 1}), JSON, STRUCT, UNIVERSE["len"], attribute("a", "upper"), Label.parse("//a:b"), JSON.starlark_attr("encode")),
]  # fmt: skip


def ask(function: Any, *args: Any, **named: Any) -> Any:
    return call(Thread(), Builtin("ask", function), args, named)


@pytest.mark.parametrize("value", VALUES, ids=[f"{index}-{type(each).__name__}" for index, each in enumerate(VALUES)])
def test_no_name_of_python_s_is_an_attribute(value: Any) -> None:
    listed = ask(UNIVERSE["dir"], value)
    assert not set(listed) & set(INSIDES)
    for name in INSIDES:
        assert ask(UNIVERSE["hasattr"], value, name) is False
        assert ask(UNIVERSE["getattr"], value, name, "none") == "none"
        for way in (UNIVERSE["getattr"], attribute, RUNTIME["+attribute"]):
            with pytest.raises(StarlarkError) as caught:
                ask(way, value, name)
            assert not LEAK.search(caught.value.message.replace(name, ""))
        with pytest.raises(StarlarkError):
            ask(RUNTIME["+set_field"], value, name, 1)


@pytest.mark.parametrize(
    "name", ["__class__", "__init__.__globals__", "0.__class__", "0[0]", "a.b", "0!a", "a[__class__]"]
)
def test_templates_reach_no_attributes(name: str) -> None:
    for value in VALUES:
        with pytest.raises(StarlarkError):
            ask(lambda value=value: format_text("{" + name + "}", (value,), {"a": value}))
        with pytest.raises(StarlarkError):
            ask(lambda value=value: percent(f"%({name})s", {name: value}))


def test_text_of_a_value_tells_nothing_of_python() -> None:
    for value in VALUES:
        for name in ("str", "repr", "type"):
            assert not LEAK.search(ask(UNIVERSE[name], value))


def test_names_of_python_s_are_only_names_in_structs_and_json() -> None:
    made = ask(STRUCT, __class__=1, __dict__=2)
    assert ask(UNIVERSE["getattr"], made, "__class__") == 1
    assert ask(JSON.starlark_attr("encode"), made) == '{"__class__":1,"__dict__":2}'
    assert ask(JSON.starlark_attr("decode"), '{"__class__": 1}') == {"__class__": 1}
