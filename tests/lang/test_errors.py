"""Errors in full, as people see them."""

from __future__ import annotations

import warnings

import pytest

from mlbuild.diagnostics import render
from mlbuild.lang import BUILD, MODULE, Dialect, StarlarkError, Thread, check, compile_program, execute


def shown(source: str | bytes, dialect: Dialect = MODULE) -> str:
    data = source if isinstance(source, bytes) else source.encode()
    with pytest.raises(StarlarkError) as caught:
        execute(
            compile_program(data, "a/BUILD.ml", dialect, frozenset({"py_library"})), {"py_library": None}, {}, Thread()
        )
    return "\n".join(render(each) for each in caught.value.diagnostics)


@pytest.mark.parametrize(
    ("source", "want"),
    [
        (
            "x = [\n    1,\n    2\n    3,\n]\n",
            "a/BUILD.ml:4:5: error[missing-comma]: missing comma before '3'\n"
            "        3,\n"
            "        ^\n"
            "  hint: put a comma after the item before",
        ),
        (
            'x = f"{y}"\n',
            "a/BUILD.ml:1:5: error[not-starlark]: f-strings do not exist in Starlark\n"
            '    x = f"{y}"\n'
            "        ^\n"
            '  hint: use `"...{}...".format(value)` or `"...%s..." % value`',
        ),
        (
            "py_libary(name = 'a')\n",
            "a/BUILD.ml:1:1: error[undefined-name]: name 'py_libary' is not defined\n"
            "    py_libary(name = 'a')\n"
            "    ^\n"
            "  hint: did you mean `py_library`?",
        ),
        (
            "x = null\n",
            "a/BUILD.ml:1:5: error[undefined-name]: name 'null' is not defined\n"
            "    x = null\n"
            "        ^\n"
            "  hint: did you mean `None`?",
        ),
        (
            "x = {'seed': 1}['sed']\n",
            'a/BUILD.ml:1:16: error[no-such-key]: key "sed" not found in dictionary\n'
            "    x = {'seed': 1}['sed']\n"
            "                   ^\n"
            "  hint: did you mean `seed`?",
        ),
        (
            "x = 'a'.uper()\n",
            "a/BUILD.ml:1:9: error[no-such-field]: 'string' value has no field or method 'uper'\n"
            "    x = 'a'.uper()\n"
            "            ^\n"
            "  hint: did you mean `upper`?",
        ),
        (
            "x = 'a' + 1\n",
            "a/BUILD.ml:1:9: error[bad-operands]: unsupported binary operation: string + int\n"
            "    x = 'a' + 1\n"
            "            ^\n"
            "  hint: convert with `str(...)`",
        ),
        (
            "fail('no', 1)\n",
            "a/BUILD.ml:1:1: error[fail]: no 1\n    fail('no', 1)\n    ^",
        ),
        (
            b"x = '\xff'\n",
            "a/BUILD.ml:1: error[not-utf-8]: the file is not UTF-8: byte 0xff\n  hint: save it as UTF-8",
        ),
    ],
    ids=range(9),
)
def test_error(source: str | bytes, want: str) -> None:
    assert shown(source) == want


def test_the_rules_of_build_files() -> None:
    source = "def f(): pass\nx = lambda: 1\nf(*[])\nf(**{})\nif x: pass\nfor y in []: pass\n"
    first_lines = [line for line in shown(source, BUILD).split("\n") if "error[" in line]
    assert first_lines == [
        "a/BUILD.ml:1:5: error[not-in-build-files]: functions may not be defined in BUILD files",
        "a/BUILD.ml:2:5: error[not-in-build-files]: functions may not be defined in BUILD files",
        "a/BUILD.ml:3:3: error[not-in-build-files]: * arguments are not allowed in BUILD files",
        "a/BUILD.ml:4:3: error[not-in-build-files]: ** arguments are not allowed in BUILD files",
        "a/BUILD.ml:5:1: error[not-in-build-files]: `if` statements are not allowed in BUILD files",
        "a/BUILD.ml:6:1: error[not-in-build-files]: `for` statements are not allowed in BUILD files",
    ]


def test_windows_line_ends_are_line_ends() -> None:
    assert shown("x = 1\r\ny = z\r\n").startswith(
        "a/BUILD.ml:2:5: error[undefined-name]: name 'z' is not defined\n    y = z\n"
    )


def test_nothing_is_told_that_cpython_would_warn_of() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compile_program(
            b"x = [(1, 2) == None, -1 != True, 'a' * 2 == None, (1)(2), 1[2]]", "f.bzl", MODULE, frozenset()
        )


BROKEN = b"""\
load(":a.bzl", "thing")

thing(
    name = "one"
    srcs = ["a", "b"],
)

def helper(x)
    return x + nowhere

other = [1, 2

value = helper(thing, other)
import os
last = os.path
"""


def test_a_broken_file_is_checked_to_its_end_and_gives_the_tree_of_what_can_be_read() -> None:
    file, found = check(BROKEN, "a.bzl", MODULE, frozenset())
    assert [(each.location.line, each.code) for each in found if each.location] == [
        (5, "missing-comma"),
        (8, "syntax"),
        (9, "undefined-name"),
        (11, "unclosed-bracket"),
        (14, "not-starlark"),
    ]
    assert file is not None
    assert [type(each).__name__ for each in file.statements] == [
        "Load",
        "ExpressionStatement",
        "Def",
        "Assign",
        "Assign",
    ]


def test_checking_raises_nothing_and_tells_what_compiling_tells() -> None:
    assert check(b"x = 1", "a.bzl", MODULE, frozenset())[1] == []
    assert check(b"'\xff'", "a.bzl", MODULE, frozenset())[0] is None
    with pytest.raises(StarlarkError) as caught:
        compile_program(BROKEN, "a.bzl", MODULE, frozenset())
    assert list(caught.value.diagnostics) == check(BROKEN, "a.bzl", MODULE, frozenset())[1]
