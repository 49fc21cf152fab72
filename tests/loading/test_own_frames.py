"""Errors of macros that came with mlbuild are told where the user's own files called them, and those of all files in one run."""

from __future__ import annotations

import pytest

from mlbuild.diagnostics import UserError, render
from mlbuild.testing.workspace import MemoryWorkspace

MACROS = """
def _impl(ctx):
    return []

_thing = rule(implementation = _impl, attrs = {"n": attr.int(), "deps": attr.label_list()})

def thing(name, **kwargs):
    _thing(name = name, **kwargs)

def picky(name):
    fail("no", name)
"""
LOAD = 'load("@mlbuild//:m.bzl", "picky", "thing")\n'


def told(**files: str) -> str:
    space = MemoryWorkspace({"external/mlbuild/m.bzl": MACROS, "external/mlbuild/BUILD.ml": "", **files})
    with pytest.raises(UserError) as caught:
        space.expand("//...")
    return "\n".join(render(each) for each in caught.value.diagnostics)


def test_a_wrong_attribute_is_told_at_the_users_call() -> None:
    assert told(**{"BUILD.ml": LOAD + 'thing(name = "x", n = "3")\n'}) == (
        "BUILD.ml:2:1: error[bad-attribute]: attribute `n` of `//:x`: expected int, got string\n"
        '    thing(name = "x", n = "3")\n'
        "    ^\n"
        "  found by `thing` (@mlbuild//m.bzl:8:5)\n"
        "  hint: write it without quotes: `n = 3`"
    )


def test_a_macros_own_failure_is_told_at_the_users_call() -> None:
    mine = 'load("@mlbuild//:m.bzl", "picky")\n\ndef mine(name):\n    picky(name)\n'
    assert told(**{"mine.bzl": mine, "BUILD.ml": 'load(":mine.bzl", "mine")\nmine("x")\n'}) == (
        "mine.bzl:4:5: error[fail]: no x\n"
        "        picky(name)\n"
        "        ^\n"
        "  in `mine`, called at BUILD.ml:2:1\n"
        "  found by `picky` (@mlbuild//m.bzl:11:5)"
    )


def test_the_mistakes_of_all_files_are_told_in_one_run() -> None:
    text = told(
        **{
            "a/BUILD.ml": 'x = [1 2]\ny = nothing\nthing = "a',
            "b/BUILD.ml": LOAD + 'thing(name = "x", deps = ":y")\nthing(name = "z", deps = 1)\n',
            "c/BUILD.ml": 'load(":c.bzl", "c")\n',
            "c/c.bzl": "def c()\n    return\nclass D:\n    pass\n",
        }
    )
    assert [line.partition(": error")[0] for line in text.split("\n") if "error[" in line] == [
        "a/BUILD.ml:1:8",
        "a/BUILD.ml:2:5",
        "a/BUILD.ml:3:9",
        "b/BUILD.ml:2:1",
        "b/BUILD.ml:3:1",
        "c/c.bzl:1:8",
        "c/c.bzl:3:1",
    ]
    assert 'hint: put it into a list: `deps = [":y"]`' in text


def test_what_a_select_cannot_do_is_said_with_what_can() -> None:
    assert told(**{"BUILD.ml": 'x = [y for y in select({"//conditions:default": []})]\n'}) == (
        "BUILD.ml:1:5: error[not-iterable]: type 'select' is not iterable\n"
        '    x = [y for y in select({"//conditions:default": []})]\n'
        "        ^\n"
        "  hint: which branch holds is not known while files are loaded: give the `select` to an attribute as it is, "
        "and put what is to be done with values into its branches"
    )
