"""What is offered at the cursor."""

from __future__ import annotations

from tests.language_server.editor import Editor, applied


def test_a_rule_comes_with_what_is_mandatory(editor: Editor) -> None:
    item = editor.completions("BUILD.ml", "gen‸")["genrule"]
    assert item["textEdit"]["newText"] == 'genrule(\n    name = "$1",\n    outs = ["$2"],\n    cmd = "$3",\n)$0'
    assert item["detail"] == "(rule) genrule(name, outs, cmd, ...)"


def test_attributes_that_are_given_are_not_offered(editor: Editor) -> None:
    found = editor.completions("BUILD.ml", 'genrule(\n    name = "a",\n    ‸\n    outs = [],\n)\n')
    assert [each for each in found if each.endswith(" =")] == [
        "cmd =", "srcs =", "tools =", "message =", "executable =", "timeout =", "cpus =", "visibility =", "tags =",
    ]  # fmt: skip
    assert found["srcs ="]["textEdit"]["newText"] == 'srcs = ["$1"]'


def test_a_macro_has_the_attributes_of_its_rule(editor: Editor) -> None:
    found = editor.completions("BUILD.ml", "model(\n    se‸")
    assert found["seed ="]["detail"] == "int"
    assert "function =" not in found


def test_the_values_that_an_attribute_allows_are_offered(editor: Editor) -> None:
    assert list(editor.completions("BUILD.ml", 'py_env(name = "e", numerics = "‸")\n')) == [
        "avx2", "native",
    ]  # fmt: skip
    assert list(editor.completions("BUILD.ml", "genrule(executable = ‸)\n"))[:2] == ["True", "False"]


def test_labels_of_the_package_are_offered_in_an_open_string(editor: Editor) -> None:
    editor.write("data.csv", "")
    text = 'filegroup(name = "first")\nfilegroup(\n    name = "second",\n    srcs = ["‸\n)\n'
    found = editor.completions("BUILD.ml", text)
    assert {":first", "data.csv"} <= found.keys()
    assert applied(text, found[":first"]).splitlines()[3] == '    srcs = [":first'


def test_packages_and_their_targets_are_offered(editor: Editor) -> None:
    editor.write("a/b/BUILD.ml", 'genrule(name = "made", outs = ["out.txt"], cmd = "")\n')
    editor.write("a/c/BUILD.ml", "")
    assert {"//a/b", "//a/c"} <= editor.completions("BUILD.ml", 'filegroup(srcs = ["//a/‸"])\n').keys()
    found = editor.completions("BUILD.ml", 'filegroup(srcs = ["//a/b:‸"])\n')
    assert {each: item.get("detail") for each, item in found.items()} == {
        "//a/b:made": "genrule",
        "//a/b:out.txt": "output of made",
    }


def test_modules_and_what_they_export_are_offered(editor: Editor) -> None:
    editor.write("lib/BUILD.ml", "")
    editor.write("lib/m.bzl", 'def shout(text):\n    """Louder."""\n    return text.upper()\n\n_hidden = 1\n')
    assert "//lib:m.bzl" in editor.completions("BUILD.ml", 'load("//lib:‸")\n')
    found = editor.completions("BUILD.ml", 'load("//lib:m.bzl", "‸")\n')
    assert list(found) == ["shout"]
    assert found["shout"]["documentation"]["value"] == "Louder."
    assert "@mlbuild//rules/ml:model.bzl" in editor.completions("BUILD.ml", 'load("@mlbuild//rules/ml:‸")\n')


def test_methods_are_offered_where_the_type_is_evident(editor: Editor) -> None:
    text = 'def f(ctx):\n    words = "a b".split(" ")\n    words.‸\n'
    assert list(editor.completions("m.bzl", text)) == [
        "append", "clear", "extend", "index", "insert", "pop", "remove",
    ]  # fmt: skip
    assert "removesuffix" in editor.completions("m.bzl", 'x = "a".‸\n')
    assert "declare_file" in editor.completions("m.bzl", "def f(ctx):\n    out = ctx.actions.‸\n")
    assert list(editor.completions("m.bzl", "def f(ctx):\n    args = ctx.actions.args()\n    args.‸\n")) == [
        "add", "add_all", "add_joined",
    ]  # fmt: skip


def test_the_attributes_of_a_rule_are_offered_to_its_implementation(editor: Editor) -> None:
    text = (
        'def _impl(ctx):\n    x = ctx.attr.‸\n\nr = rule(\n    implementation = _impl,\n    attrs = {"deps": attr.label_list(),'
        ' "size": attr.int()},\n)\n'
    )
    assert list(editor.completions("m.bzl", text)) == ["deps", "name", "size"]
    assert list(editor.completions("m.bzl", text.replace("ctx.attr", "ctx.files"))) == ["deps"]


def test_names_of_the_function_come_first(editor: Editor) -> None:
    found = list(editor.completions("m.bzl", "LIMIT = 3\n\ndef f(alpha):\n    beta = 1\n    return ‸\n"))
    assert found[:4] == ["alpha", "beta", "LIMIT", "f"]


def test_nothing_is_offered_in_comments_and_long_strings(editor: Editor) -> None:
    assert editor.completions("BUILD.ml", "# gen‸\n") == {}
    assert editor.completions("m.bzl", '"""A module.\n\ngen‸\n') == {}
