"""What is done inline, since kinds are known, gives what the language says: where values have two names, change kind, are shared."""

from __future__ import annotations

import pytest

from mlbuild.lang import MODULE, StarlarkError, Thread, compile_program, execute


def run(source: str) -> object:
    program = compile_program(source.encode(), "a.bzl", MODULE, frozenset())
    return execute(program, {}, {}, Thread())["x"]


def error(source: str) -> str:
    with pytest.raises(StarlarkError) as caught:
        run(source)
    return str(caught.value)


def in_function(body: str) -> str:
    return "def f(a = 1, b = 2, *args, **kwargs):\n" + "".join(f"  {line}\n" for line in body.split("\n")) + "x = f()\n"


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ("d = {}\nd[1] = 5\nreturn (True in d, 1 in d)", (False, True)),
        ("d = {}\nd[True] = 5\nreturn (True in d, 1 in d, d.get(1))", (True, False, None)),
        ("d = {}\nfor k in [1, True]:\n  if k not in d:\n    d[k] = 1\n    break\nreturn True in d", False),
        ("d = {}\ne = d\ne[True] = 5\nreturn 1 in d", False),
        ("d = {}\nfor e in [d]: e[True] = 5\nreturn 1 in d", False),
        ("d = {}\n[e.update({True: 1}) for e in [d]]\nreturn 1 in d", False),
        ("d = {}\nd.update({True: 1})\nreturn 1 in d", False),
        ("d = {}\nd.setdefault(True, 1)\nreturn 1 in d", False),
        ("d = {}\nd |= {True: 1}\nreturn 1 in d", False),
        ("d = {k: 1 for k in [True]}\nreturn 1 in d", False),
        ("d = dict([(True, 1)])\nreturn 1 in d", False),
        ("d = {}\ndef g(): d[True] = 1\ng()\nreturn 1 in d", False),
        ("d = {}\ng = lambda: d.update({True: 1})\ng()\nreturn 1 in d", False),
        ("n = 0\nn += 1\nn = n == 1\nreturn str(n)", "True"),
        ("n = 0\nfor i in range(3): n = n + (i if i else a)\nreturn n", 4),
        ("n = 1\nfor i in range(70): n *= 2\nreturn n", 1180591620717411303424),
        ("n = 1\nfor i in range(3): n = n * 0.5\nreturn n", 0.125),
        ("s = ''\nfor i in range(3): s += str(i)\nreturn s", "012"),
        ("s = 'a'\nfor p in ['b', 'c']: s = s + p\nreturn s", "abc"),
        ("l = []\nm = l\nfor i in range(2): l.append(i)\nreturn m", [0, 1]),
        ("l = [1, 2]\nl += [True]\nreturn [e == 1 for e in l]", [True, False, False]),
        ("l = [1]\nl.extend([True])\nreturn [e == 1 for e in l]", [True, False]),
        ("l = [1]\nl[0] = True\nreturn [e == 1 for e in l]", [False]),
        ("l = [1]\nl.insert(0, True)\nreturn l[0] == 1", False),
        ("l = [0]\nfor l[0] in [True]: pass\nreturn l[0] == 1", False),
        ("l = [0]\nl[0], c = True, 1\nreturn l[0] == 1", False),
        ("l = [[]]\nr = l[0]\nr.append(1)\nreturn l", [[1]]),
        ("d = {'a': 1, 'b': 2}\nfor k, v in d.items(): d[k + k] = v\nreturn d", {"a": 1, "b": 2, "aa": 1, "bb": 2}),
        ("d = {'a': 1}\nfor k in d.keys(): d.pop(k)\nreturn d", {}),
        ("d = {'a': 1}\nreturn [d.pop(k) for k in d.keys()]", [1]),
        ("d = {'a': [1]}\nfor v in d.values(): v.append(2)\nreturn d", {"a": [1, 2]}),
        ("l = [1]\nreturn '%s %s' % (l, l.append(2))", "[1, 2] None"),
        ("l = [1]\nreturn '{} {}'.format(l, l.append(2))", "[1, 2] None"),
        ("l = [1]\ndef g():\n  l.append(3)\n  return ''\nreturn '%s%s' % (l, g())", "[1, 3]"),
        ("return '%d%% of %s' % (5, 'x')", "5% of x"),
        ("return ('%s' % a, '%s' % (b,), '%d' % 3, '%s' % True, '%s' % 1.5)", ("1", "2", "3", "True", "1.5")),
        ("t = (1,)\nreturn '%s' % t", "1"),
        ("return str(1) + str(True) + str('a') + str(2.0)", "1Truea2.0"),
        ("return (kwargs.get('a'), kwargs.get('a', 3), len(args))", (None, 3, 0)),
        ("return [s for s in ['a', 'b'] if s in ['b', 'c']]", ["b"]),
        ("return [v in ('1', '2') for v in [1, '1', None]]", [False, True, False]),
        ("s = [s for s in ['a']]\nreturn s[0] + 'b'", "ab"),
        ("s = 1\nt = [s + 'c' for s in ['a', 'b']]\nreturn (s, t)", (1, ["ac", "bc"])),
        ("n = 1\ng = lambda n: n + 'c'\nreturn g('a')", "ac"),
        ("x, y = 1, 'a'\nx, y = y, x\nreturn x + 'b'", "ab"),
        ("def g():\n  return len\ng = g()\nreturn g('abc')", 3),
        ("r = range(5)\nreturn (r[2], r[-1], 3 in r)", (2, 4, True)),
        ("return 7 // 2 + -7 // 2 + -7 % 4 + 6 % -4", -2),
        ("return 1.5 * 2.0 - 0.5 + 1", 3.5),
        ("return [a == True, 1 == 1.0, 'a' == a, a != 'a']", [False, True, False, True]),
        ("t = True\nreturn [t and 5, not t, 1 if a else 2, 1 if t == 1 else 2]", [5, False, 1, 2]),
    ],
)
def test_kinds_that_are_known_change_no_result(body: str, value: object) -> None:
    assert run(in_function(body)) == value
    assert repr(run(in_function(body))) == repr(value)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("n = 1\nn = n + True\nreturn n", "unsupported binary operation: int + bool"),
        ("n = True\nreturn n + n", "unsupported binary operation: bool + bool"),
        ("s = 'a'\nreturn s + 1", "unsupported binary operation: string + int"),
        ("s = 'a'\nreturn 'b' + s + a", "unsupported binary operation: string + int"),
        ("return a + 'a'", "unsupported binary operation: int + string"),
        ("return '%d' % 'a'", "got string for '%d' format, want int or float"),
        ("return 1 < True", "unsupported comparison: int <=> bool"),
        ("return 1 in 'abc'", "'in <string>' requires string as left operand, not int"),
        ("d = {'alpha': 1}\nk = 'alpah'\nreturn d[k]", 'key "alpah" not found in dictionary'),
        ("d = {1: 1}\nd[2] += 1\nreturn d", "key 2 not found in dictionary"),
        ("return kwargs['b']", 'key "b" not found in dictionary'),
        ("l = [1, 2]\nreturn l[2]", "index out of range (index is 2, but sequence has 2 elements)"),
        ("l = [1, 2]\nreturn [l[i] for i in range(3)]", "index out of range (index is 2, but sequence has 2 elements)"),
        ("s = 'ab'\nk = 5\nreturn s[k]", "index out of range (index is 5, but sequence has 2 elements)"),
        ("l = [1]\nfor e in l: l.append(e)", "list value is temporarily immutable due to active for-loop iteration"),
        ("l = [1]\n[l.append(e) for e in l]", "list value is temporarily immutable due to active for-loop iteration"),
        ("l = [1]\nm = l\nfor e in l: m.append(e)", "list value is temporarily immutable due to active for-loop iteration"),
        ("d = {'a': 1}\nfor e in d: d['a'] = 2", "dict value is temporarily immutable due to active for-loop iteration"),
        ("d = {1: 1}\nfor e in d: d[1] += 2", "dict value is temporarily immutable due to active for-loop iteration"),
        ("l = [1]\ndef g(): l.append(2)\nfor e in l: g()", "list value is temporarily immutable"),
        ("for i in range(2): n = n + i\nn = 0", "local variable 'n' is referenced before assignment"),
        ("for c in 'abc': pass", "type 'string' is not iterable"),
        ("for k, v in [(1, 2), (3,)]: pass", "too few values to unpack (got 1, want 2)"),
        ("k, v = (1, 2, 3)\nreturn k", "too many values to unpack (got 3, want 2)"),
        ("g = 1\nreturn g()", "'int' object is not callable"),
        ("for k, v in a.items(): pass", "'int' value has no field or method 'items'"),
    ],
)  # fmt: skip
def test_kinds_that_are_known_change_no_error(body: str, message: str) -> None:
    assert message in error(in_function(body))


def test_an_index_tells_its_place_and_what_was_meant() -> None:
    source = 'def f(**kwargs):\n  return kwargs["nmae"]\nx = f(name = 1)\n'
    with pytest.raises(StarlarkError) as caught:
        run(source)
    (found,) = caught.value.diagnostics
    assert (str(found.location), found.hint) == ("a.bzl:2:16", "did you mean `name`?")


def test_a_list_that_a_module_exports_stays_frozen_in_its_functions() -> None:
    source = "l = [1]\ndef add():\n  m = l\n  m.append(2)\n"
    program = compile_program(source.encode(), "a.bzl", MODULE, frozenset())
    thread = Thread()
    names = execute(program, {}, {}, thread)
    from mlbuild.lang import call

    with pytest.raises(StarlarkError, match="frozen"):
        call(thread, names["add"])


def test_a_list_that_a_returned_function_holds_is_frozen() -> None:
    source = "def make():\n  l = []\n  def add(v):\n    l.append(v)\n    return len(l)\n  return add\nadd = make()\nx = add(1)\n"
    program = compile_program(source.encode(), "a.bzl", MODULE, frozenset())
    thread = Thread()
    names = execute(program, {}, {}, thread)
    from mlbuild.lang import call

    assert names["x"] == 1
    with pytest.raises(StarlarkError, match="frozen"):
        call(thread, names["add"], [2])


def test_kinds_are_found_in_deep_and_wide_functions() -> None:
    nested = "[" * 15 + "1" + "".join(f" for a{i} in range(1)]" for i in range(15))
    wide = "".join(f"  n{i} = n{i + 1} + 1\n" for i in range(40)) + "  n40 = 1\n"
    assert run(f"def f():\n  return {nested}\nx = f()\n") == eval("[" * 15 + "1" + "]" * 15)
    assert "n1' is referenced before" in error(f"def f():\n{wide}  return n0\nx = f()\n")
