"""Whatever a file holds, loading it ends: with its values or with an error, soon, and never with a crash."""

from __future__ import annotations

import pytest

from mlbuild.lang import MODULE, STRUCT, Allowance, Limits, StarlarkError, Thread, call, compile_program, execute

MANY = 100_000


def run(source: str, limits: Limits = Limits(steps=5_000_000)) -> dict[str, object]:
    program = compile_program(source.encode(), "a.bzl", MODULE, frozenset({"struct"}))
    return execute(program, {"struct": STRUCT}, {}, Thread(limits=limits))


def code_of(source: str, limits: Limits = Limits(steps=5_000_000)) -> str:
    with pytest.raises(StarlarkError) as caught:
        run(source, limits)
    return caught.value.diagnostics[0].code


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("x = " + " + ".join(["1"] * 20_000), 20_000),
        ("x = len([" + ", ".join(["1"] * MANY) + "])", MANY),
        ("x = " + " or ".join(["0"] * MANY) + " or 7", 7),
        ("x = " + "(" * MANY + "3" + ")" * MANY, 3),
        ("x = 5\n" * 1 + "#" * MANY, 5),
    ],
    ids=["sum", "list", "or", "parentheses", "comment"],
)
def test_long_and_flat_is_fine(source: str, value: object) -> None:
    assert run(source)["x"] == value


@pytest.mark.parametrize(
    "source",
    [
        "x = " + "[" * MANY + "]" * MANY,
        "x = " + "not " * MANY + "1",
        "x = 1" + " if 1 else 1" * MANY,
        "x = 'a'" + ".upper()" * MANY,
        "x = " + "lambda: " * MANY + "1",
        "def f(x):\n  if x: pass\n" + "  elif x: pass\n" * 5_000,
        "def f(x):\n" + "".join(" " * (i + 1) + f"for x{i} in x:\n" for i in range(30)) + " " * 31 + "pass\n",
        "def f(x):\n" + "".join(" " * (i + 1) + "if x:\n" for i in range(150)) + " " * 200 + "pass\n",
        "def f(x):\n  for i in range(5000): x = [x]\n  return x\ny = repr(f([]))",
        "def f(x):\n  for i in range(5000): x = [x]\n  return x\ny = f([])",
        "def f(x):\n  for i in range(5000): x = [x]\n  return x\ny = f([]) == f([])",
        "def f(x):\n  for i in range(5000): x = (x,)\n  return x\ny = {f(()): 1}",
        "def f(x):\n  for i in range(5000): x = struct(a = x)\n  return x\ny = f(()) == f(())",
    ],
    ids=range(13),
)
def test_too_deep_is_an_error(source: str) -> None:
    assert code_of(source) == "too-deep"


def test_calls_inside_each_other_are_bounded() -> None:
    chain = "def f0(): return 1\n" + "".join(f"def f{i}(): return f{i - 1}()\n" for i in range(1, 300))
    assert code_of(chain + "x = f299()") == "too-deep"


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n  for i in range(1000000000): pass\nf()",
        "x = [x for x in range(1000000000)]",
        "x = list(range(1000000000))",
        "x = sorted(range(1000000000))",
        "x = [0] * 10000000",
        "def f():\n  x = [1]\n  for i in range(100): x += x\nf()",
        "def f0(): return 1\n" + "".join(f"def f{i}(): f{i - 1}(); f{i - 1}()\n" for i in range(1, 60)) + "f59()",
    ],
    ids=range(7),
)
def test_work_is_bounded(source: str) -> None:
    assert code_of(source, Limits(steps=100_000)) == "too-many-steps"


@pytest.mark.parametrize(
    "source",
    [
        "x = 'a' * 1000000000",
        "x = ('a' * 1000000).replace('a', 'b' * 1000000)",
        "x = '{0}{0}{0}{0}'.format('a' * 100000000)",
        "def f():\n  x = 'ab'\n  for i in range(100): x += x\nf()",
        "x = ('a' * 1000000).join(['b'] * 1000)",
    ],
    ids=range(5),
)
def test_strings_are_bounded(source: str) -> None:
    assert code_of(source, Limits()) == "too-large"


def test_integers_are_bounded() -> None:
    assert code_of("def f():\n  x = 7\n  for i in range(100): x *= x\nf()") == "integer-too-large"


def test_a_loop_that_breaks_pays_for_its_turns_only() -> None:
    assert (
        run("def f():\n  for i in range(1000000000):\n    if i == 5: return i\nx = f()", Limits(steps=5000))["x"] == 5
    )


def test_a_failed_call_leaves_the_thread_usable() -> None:
    program = compile_program(b"def f(x): return g(x)\ndef g(x): return [1][x]\n", "a.bzl", MODULE, frozenset())
    thread = Thread()
    names = execute(program, {}, {}, thread)
    for _ in range(2):
        with pytest.raises(StarlarkError, match="index out of range"):
            call(thread, names["f"], [3])
        assert call(thread, names["f"], [0]) == 1


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n  x = 'ab'\n  for i in range(100): x = x + x\nf()",
        "def f():\n  x = [1]\n  for i in range(100): x = x + x\nf()",
        "def f():\n  x = {}\n  for i in range(100):\n    x = x | {str(i) + k: 1 for k in x} | {str(i): 1}\nf()",
        "x = [[0] * 1000 for _ in range(1000000)]",
        "x = ['a' * 10000 for _ in range(100000)]",
        "def f():\n  s = 'a' * 1000000\n  return '%s' % ([s] * 1000)\nf()",
    ],
    ids=range(6),
)
def test_what_is_made_is_bounded(source: str) -> None:
    assert code_of(source, Limits()) in ("too-much-memory", "too-large")


def test_a_text_that_grows_by_pieces_pays_for_what_is_new() -> None:
    source = "def f():\n  s = ''\n  for i in range(10000): s += 'a line of a script that is longer than a few words\\n'\n  return len(s)\nx = f()"
    assert run(source, Limits(memory=8 << 20))["x"] == 510_000


def test_a_text_that_somebody_else_holds_is_paid_for_each_time() -> None:
    source = "def f():\n  s, all = 'a' * 1000, []\n  for i in range(10000):\n    s += 'a'\n    all.append(s)\nf()"
    assert code_of(source, Limits(memory=8 << 20)) == "too-much-memory"


def test_what_is_printed_is_bounded() -> None:
    assert code_of("def f():\n  for i in range(100): print('a' * 100)\nf()", Limits(output=5000)) == "too-much-output"


def test_the_largest_text_and_integer_are_limits_of_the_thread() -> None:
    assert code_of("x = 'a' * 2000", Limits(text=1500)) == "too-large"
    assert (
        code_of(
            "def f(x): return x << 500 << 500 << 500 << 500 << 500 << 500 << 500 << 500 << 500\nf(1)", Limits(bits=4200)
        )
        == "integer-too-large"
    )


def test_files_loaded_together_share_an_allowance() -> None:
    program = compile_program(b"x = [0] * 100000", "a.bzl", MODULE, frozenset())
    allowance = Allowance(2_000_000)
    execute(program, {}, {}, Thread(allowance=allowance))
    execute(program, {}, {}, Thread(allowance=allowance))
    with pytest.raises(StarlarkError, match="loaded together"):
        execute(program, {}, {}, Thread(allowance=allowance))
