"""What a host gives to files and gets from them."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import pytest

from mlbuild.diagnostics import Location, render
from mlbuild.lang import (
    JSON,
    MODULE,
    Namespace,
    StarlarkError,
    Struct,
    Thread,
    builtin,
    call,
    compile_program,
    execute,
    freeze,
    repr_value,
    type_name,
)
from mlbuild.lang.runtime.loops import ITERATING


def run(source: str, thread: Thread | None = None, loaded: Any = None, **given: Any) -> dict[str, Any]:
    program = compile_program(source.encode(), "pkg/a.bzl", MODULE, frozenset(given))
    return execute(program, given, loaded or {}, thread or Thread())


def error_of(source: str, **given: Any) -> str:
    with pytest.raises(StarlarkError) as caught:
        run(source, **given)
    return "\n".join(render(each) for each in caught.value.diagnostics)


@builtin("glob")
def glob(
    thread: Thread, include: list[str], exclude: object = (), /, extra: int = 0, *, allow_empty: bool = True
) -> object:
    if not include:
        raise thread.error("empty-glob", "nothing is included", hint="name a pattern")
    if include == ["value"]:
        raise ValueError("bad value")
    return (include, exclude, extra, allow_empty, str(thread.location()))


def test_a_builtin_gets_its_arguments_and_where_it_was_called() -> None:
    assert run("x = glob(['a'], [], 1, allow_empty = False)", glob=glob)["x"] == (["a"], [], 1, False, "pkg/a.bzl:1:5")
    assert run("x = glob(\n  ['a'],\n  extra = 2)", glob=glob)["x"] == (["a"], (), 2, True, "pkg/a.bzl:1:5")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "glob() missing 1 required positional argument: include"),
        ("[1], 2, 3, 4", "glob() accepts no more than 3 positional arguments but got 4"),
        ("[1], alow_empty = 1", "glob() got unexpected keyword argument 'alow_empty'"),
        ("[1], 2, 3, extra = 1", "glob() got multiple values for argument 'extra'"),
        ("include = [1]", "glob() got named argument for positional-only parameter 'include'"),
        ("[]", "nothing is included"),
        ("['value']", "glob: bad value"),
    ],
)
def test_mistakes_in_a_call_are_told_at_the_call(arguments: str, message: str) -> None:
    assert "pkg/a.bzl:2:3: error[" in error_of(f"[\n  glob({arguments})]", glob=glob)
    assert message in error_of(f"glob({arguments})", glob=glob)


def test_an_unknown_keyword_has_a_hint() -> None:
    assert "hint: did you mean `allow_empty`?" in error_of("glob([1], alow_empty = 1)", glob=glob)


def test_the_error_of_a_builtin_in_a_function_shows_the_calls() -> None:
    assert error_of("def f():\n    glob([])\n\nf()\n", glob=glob) == (
        "pkg/a.bzl:2:5: error[empty-glob]: nothing is included\n"
        "        glob([])\n"
        "        ^\n"
        "  in `f`, called at pkg/a.bzl:4:1\n"
        "  hint: name a pattern"
    )


class Rule:
    """A host value with all of the protocol."""

    starlark_type = "rule"

    def __init__(self, values: list[object]) -> None:
        self.values: Any = values
        self.name = ""

    def starlark_export(self, module_path: str, name: str) -> None:
        self.name = self.name or f"{module_path}%{name}"

    def starlark_call(self, thread: Thread, args: tuple[Any, ...], kwargs: dict[str, Any]) -> object:
        return (self.name, args, kwargs, str(thread.location()))

    def starlark_freeze(self) -> None:
        self.values = freeze(self.values)

    def starlark_attr(self, name: str) -> object:
        return {"values": self.values}[name]

    def starlark_dir(self) -> tuple[str, ...]:
        return ("values",)

    def starlark_repr(self) -> str:
        return "<rule>"

    def starlark_truth(self) -> bool:
        return False

    def starlark_len(self) -> int:
        return 2

    def starlark_iter(self) -> Iterator[object]:
        return iter((1, 2))

    def starlark_index(self, key: object) -> object:
        return ("at", key)

    def starlark_contains(self, key: object) -> bool:
        return key == 1

    def starlark_binary(self, operator: str, other: object, reflected: bool) -> object:
        return (operator, other, reflected) if operator in ("+", "|") else NotImplemented


@builtin("rule")
def rule(thread: Thread, values: list[object]) -> Rule:
    return Rule(values)


def test_a_rule_learns_its_first_name_before_it_is_used() -> None:
    found = run("a = rule([])\nb = a\nx = a(1, y = 2)\nc, d = rule([]), 3", rule=rule)
    assert found["x"] == ("pkg/a.bzl%a", (1,), {"y": 2}, "pkg/a.bzl:3:5")
    assert found["c"].name == "pkg/a.bzl%c"


def test_the_operators_of_a_host_value() -> None:
    source = (
        "r = rule([])\n"
        "x = [len(r), list(r), r[3], 1 in r, 2 not in r, r + 1, 1 + r, r | 2, bool(r), not r, r or 5, r and 6, 1 if r else 2, repr(r)]\n"
        "y = [a for a in r if r]\n"
        "a, b = r"
    )
    found = run(source, rule=rule)
    want = [2, [1, 2], ("at", 3), True, True, ("+", 1, False), ("+", 1, True), ("|", 2, False)]
    assert found["x"][:8] == want
    assert found["x"][8:10] == [False, True] and found["x"][10] == 5
    assert found["x"][12:] == [2, "<rule>"]
    assert (found["y"], found["a"], found["b"]) == ([], 1, 2)


def test_globals_are_frozen_when_the_file_ends() -> None:
    source = "l = [1]\nd = {'a': l}\nr = rule(l)\ndef add(x = []):\n    x.append(1)\ndef push():\n    l.append(1)\n"
    thread = Thread()
    found = run(source, thread, rule=rule)
    assert found["d"]["a"] is found["l"]
    for name in ("add", "push"):
        with pytest.raises(StarlarkError, match="frozen list"):
            call(thread, found[name])
    with pytest.raises(StarlarkError, match="frozen list"):
        run("r.values.append(1)", r=found["r"])
    with pytest.raises(StarlarkError, match="frozen list"):
        found["l"].append(1)
    assert run("x = l + [2]\nx.append(3)", l=found["l"])["x"] == [1, 2, 3]


def test_closures_are_frozen_too() -> None:
    thread = Thread()
    found = run(
        "def make():\n    x = []\n    def add():\n        x.append(1)\n        return x\n    return add\nf = make()\nf()",
        thread,
    )
    with pytest.raises(StarlarkError, match="frozen list"):
        call(thread, found["f"])


def test_loads_bind_what_the_other_file_exports() -> None:
    loaded = {"//:b.bzl": {"one": 1, "two": [2]}}
    assert run('load("//:b.bzl", "one", deux = "two")\nx = [one, deux]', loaded=loaded) == {"x": [1, [2]]}
    with pytest.raises(StarlarkError) as caught:
        run('load("//:b.bzl", "ones")', loaded=loaded)
    assert render(caught.value.diagnostics[0]) == (
        "pkg/a.bzl:1:18: error[no-such-symbol]: file '//:b.bzl' does not contain symbol 'ones'\n"
        '    load("//:b.bzl", "ones")\n'
        "                     ^\n"
        "  hint: did you mean `one`?"
    )


def test_a_macro_runs_in_the_thread_of_its_caller() -> None:
    @builtin("here")
    def here(thread: Thread) -> object:
        return thread.context

    macro = run("def macro(): return here()", Thread("module"), here=here)["macro"]
    assert run("x = macro()", Thread("package"), macro=macro)["x"] == "package"


def test_private_names_stay_unless_the_thread_keeps_them() -> None:
    assert run("_x = 1\ny = 2") == {"y": 2}
    assert run("_x = 1\ny = 2", Thread(keep_private=True)) == {"_x": 1, "y": 2}


def test_prints_go_to_the_thread() -> None:
    lines: list[str] = []
    run("print('a', 1, [None], sep = '-')", Thread(print=lines.append))
    assert lines == ["a-1-[None]"]


def test_frames_name_the_calls_now_running() -> None:
    seen: list[object] = []

    @builtin("look")
    def look(thread: Thread) -> None:
        seen.append([(str(frame.location), frame.function) for frame in thread.frames()])

    run("def f():\n  [look() for _ in [1]]\nf()", look=look)
    assert seen == [[("pkg/a.bzl:3:1", "<toplevel>"), ("pkg/a.bzl:2:4", "f")]]


def test_an_error_in_a_comprehension_leaves_no_loop_running() -> None:
    """Not even until the next garbage collection: values would be held, and every change be looked at twice."""
    gc.disable()
    try:
        try:
            run("def f(g):\n  return [g() for _ in g]\nf([1])")
        except StarlarkError as error:
            said = str(error)
        assert "not callable" in said
        assert ITERATING == {}
    finally:
        gc.enable()


def test_loads_are_known_before_running() -> None:
    program = compile_program(b'load("//:b.bzl", "one", two = "deux")\n', "a.bzl", MODULE, frozenset())
    assert program.loads[0].module == "//:b.bzl"
    assert program.loads[0].bindings == (("one", "one"), ("two", "deux"))
    assert program.loads[0].location == Location("a.bzl", 1, 1)


def test_json_there_and_back() -> None:
    source = "x = json.encode({'b': [1, 2.5, None, True], 'a': 'é\\n'})\ny = json.decode(x)\nz = json.decode('[1', default = 'bad')"
    found = run(source, json=JSON)
    assert found["x"] == '{"a":"é\\n","b":[1,2.5,null,true]}'
    assert found["y"] == {"a": "é\n", "b": [1, 2.5, None, True]}
    assert found["z"] == "bad"


def test_structs_and_namespaces() -> None:
    given = {"s": Struct({"a": 1}), "native": Namespace("native", {"glob": glob})}
    found = run("x = [s.a, s, type(s), native.glob(['a'])[0], dir(native)]", **given)
    assert repr_value(found["x"][:4]) == '[1, struct(a = 1), "struct", ["a"]]'
    assert type_name(given["s"]) == "struct"
    assert "'struct' value has no field or method 'b'" in error_of("s.b", **given)
