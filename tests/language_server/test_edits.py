"""Renames, formatting, and hints that are done."""

from __future__ import annotations

import pytest

from tests.language_server.editor import Editor, Refused, applied


def test_a_target_is_renamed_wherever_it_is_named(editor: Editor) -> None:
    editor.write("p/BUILD.ml", 'filegroup(name = "p", visibility = ["//visibility:public"])\n')
    editor.write("m.bzl", 'P = "//p"\n')
    text = 'filegroup(\n    name = "a",\n    srcs = ["//p:‸p"],\n)\n\nfilegroup(\n    name = "p",\n    srcs = ["//p", "@here//p:p"],\n)\n'
    assert editor.renamed("BUILD.ml", text, "new") == {
        "BUILD.ml": (
            'filegroup(\n    name = "a",\n    srcs = ["//p:new"],\n)\n\n'
            'filegroup(\n    name = "p",\n    srcs = ["//p:new", "@here//p:new"],\n)\n'
        ),
        "m.bzl": 'P = "//p:new"\n',
        "p/BUILD.ml": 'filegroup(name = "new", visibility = ["//visibility:public"])\n',
    }


def test_an_output_keeps_its_name_when_its_target_gets_another(editor: Editor) -> None:
    text = 'genrule(\n    name = "‸a",\n    outs = ["a.txt"],\n    cmd = "",\n)\n\nfilegroup(\n    name = "f",\n    srcs = ["a.txt", "a"],\n)\n'
    assert editor.renamed("BUILD.ml", text, "b") == {
        "BUILD.ml": (
            'genrule(\n    name = "b",\n    outs = ["a.txt"],\n    cmd = "",\n)\n\n'
            'filegroup(\n    name = "f",\n    srcs = ["a.txt", "b"],\n)\n'
        )
    }


def test_a_target_that_an_expression_names_too_is_not_renamed(editor: Editor) -> None:
    text = 'filegroup(name = "‸a1")\n\nfilegroup(\n    name = "f",\n    srcs = [":a%d" % 1],\n)\n'
    with pytest.raises(Refused, match="the label is also made by an expression or a macro"):
        editor.renamed("BUILD.ml", text, "b")
    with pytest.raises(Refused, match="is not written out"):
        editor.renamed("BUILD.ml", '[filegroup(name = n) for n in ["x"]]\nfilegroup(name = "y", srcs = [":‸x"])\n', "b")


def test_a_target_does_not_get_the_name_of_another(editor: Editor) -> None:
    with pytest.raises(Refused, match="would not be the same"):
        editor.renamed("BUILD.ml", 'filegroup(name = "‸a")\nfilegroup(name = "b")\n', "b")


def test_a_local_name_is_renamed_in_its_function_alone(editor: Editor) -> None:
    text = "x = 1\n\ndef f():\n    ‸y = x\n    return [y for y in [y]] + [y]\n\ndef g():\n    y = 2\n    return y\n"
    found = editor.renamed("m.bzl", text, "z")["m.bzl"]
    assert found.startswith("x = 1\n\ndef f():\n    z = x\n")
    assert found.endswith("\n\ndef g():\n    y = 2\n    return y\n")


def test_a_name_is_not_renamed_to_one_that_means_something_there(editor: Editor) -> None:
    text = "def f(a):\n    ‸y = a\n    return y + a\n"
    with pytest.raises(Refused, match="`a` already means something else"):
        editor.renamed("m.bzl", text, "a")
    with pytest.raises(Refused, match="`a` is a parameter: calls may give it by its name"):
        editor.renamed("m.bzl", "def f(a):\n    return ‸a\n", "b")
    with pytest.raises(Refused, match="`for` is no name"):
        editor.renamed("m.bzl", text, "for")


def test_a_loaded_function_is_renamed_in_all_files(editor: Editor) -> None:
    editor.write("BUILD.ml", 'load(":m.bzl", "shout")\n\nx = shout("a")\n')
    assert editor.renamed("m.bzl", "def sh‸out(text):\n    return text\n", "loud") == {
        "BUILD.ml": 'load(":m.bzl", "loud")\n\nx = loud("a")\n',
        "m.bzl": "def loud(text):\n    return text\n",
    }


def test_a_file_is_formatted(editor: Editor) -> None:
    editor.open("BUILD.ml", "filegroup(srcs=['b'],name='a')\n")
    asked = {"textDocument": {"uri": editor.uri("BUILD.ml")}, "options": {"tabSize": 4, "insertSpaces": True}}
    [edit] = editor.ask("textDocument/formatting", asked)
    assert edit["newText"] == 'filegroup(\n    name = "a",\n    srcs = ["b"],\n)\n'
    editor.change("BUILD.ml", "filegroup(\n")
    assert editor.ask("textDocument/formatting", asked) == []


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ('filegroup(\n    name = "a",\n    srsc = [],\n)\n', 'filegroup(\n    name = "a",\n    srcs = [],\n)\n'),
        ('flegroup(name = "a")\n', 'filegroup(name = "a")\n'),
        ('filegroup(name = "a", srcs = [":right"])\n', 'filegroup(name = "a", srcs = [":rights"])\n'),
        ('load(":m.bzl", "shuot")\n', 'load(":m.bzl", "shout")\n'),
    ],
)
def test_what_was_meant_is_written_on_demand(editor: Editor, wrong: str, right: str) -> None:
    editor.write("m.bzl", "def shout():\n    pass\n")
    editor.write("rights", "")
    editor.open("BUILD.ml", wrong)
    found = editor.server.wait_for("textDocument/publishDiagnostics")
    while found["uri"] != editor.uri("BUILD.ml"):
        found = editor.server.wait_for("textDocument/publishDiagnostics")
    [first] = found["diagnostics"]
    asked = {"textDocument": {"uri": found["uri"]}, "range": first["range"], "context": {"diagnostics": [first]}}
    [action] = editor.ask("textDocument/codeAction", asked)
    [edit] = action["edit"]["changes"][found["uri"]]
    assert applied(wrong, {"textEdit": edit}) == right
