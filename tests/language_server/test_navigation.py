"""From a use to its definition, and back to all uses."""

from __future__ import annotations

from tests.language_server.editor import Editor

LIBRARY = 'def shout(text):\n    """Louder."""\n    return text.upper()\n\ndef twice(text):\n    return shout(text) + shout(text)\n'


def test_a_label_leads_to_its_target(editor: Editor) -> None:
    editor.write("p/BUILD.ml", '\n\nfilegroup(\n    name = "x",\n)\n')
    for label in ("//p:x", "@here//p:x"):
        assert editor.places("definition", "BUILD.ml", f'filegroup(name = "y", srcs = ["‸{label}"])\n') == [
            "p/BUILD.ml:3:1"
        ]


def test_a_target_of_a_macro_is_where_the_macro_is_called(editor: Editor) -> None:
    editor.write("m.bzl", 'def both(name):\n    native.filegroup(name = name + "_1")\n')
    text = 'load(":m.bzl", "both")\n\nboth(name = "a")\nfilegroup(name = "y", srcs = [":a‸_1"])\n'
    assert editor.places("definition", "BUILD.ml", text) == ["BUILD.ml:3:1"]


def test_a_file_and_a_module_are_their_own_definitions(editor: Editor) -> None:
    editor.write("data.csv", "")
    editor.write("m.bzl", "x = 1\n")
    assert editor.places("definition", "BUILD.ml", 'filegroup(name = "y", srcs = ["data‸.csv"])\n') == ["data.csv:1:1"]
    assert editor.places("definition", "BUILD.ml", 'load("//:m‸.bzl", "x")\n') == ["m.bzl:1:1"]


def test_a_name_leads_through_every_load(editor: Editor) -> None:
    editor.write("a.bzl", LIBRARY)
    editor.write("b.bzl", 'load("//:a.bzl", _shout = "shout")\n\nshout = _shout\n')
    assert editor.places("definition", "BUILD.ml", 'load("//:a.bzl", "shout")\nx = sh‸out("a")\n') == ["a.bzl:1:5"]
    assert editor.places("definition", "b.bzl", 'load("//:a.bzl", _shout = "sho‸ut")\n\nshout = _shout\n') == [
        "a.bzl:1:5"
    ]
    assert editor.places("definition", "BUILD.ml", 'mod‸el(name = "x")\n') == ["ml/model.bzl:6:5"]


def test_local_names_lead_to_their_function(editor: Editor) -> None:
    text = "x = 1\n\ndef f(x):\n    y = x\n    return ‸y\n"
    assert editor.places("definition", "m.bzl", text) == ["m.bzl:4:5"]
    assert editor.places("definition", "m.bzl", text.replace("= x", "= ‸x").replace("‸y", "y")) == ["m.bzl:3:7"]


def test_a_target_is_found_in_every_spelling(editor: Editor) -> None:
    editor.write("x/BUILD.ml", 'filegroup(name = "x")\n\nfilegroup(\n    name = "y",\n    srcs = [":x"],\n)\n')
    editor.write("m.bzl", 'X = "//x:x"\n')
    editor.write("z/BUILD.ml", 'filegroup(name = "other", srcs = ["x"])\n')
    editor.write("z/x", "")
    text = 'filegroup(name = "a", srcs = ["//‸x", "@here//x", "//x:x"])\n'
    assert editor.references("BUILD.ml", text) == [
        "x/BUILD.ml:1:1",
        "BUILD.ml:1:32",
        "BUILD.ml:1:39",
        "BUILD.ml:1:51",
        "x/BUILD.ml:5:14",
        "m.bzl:1:6",
    ]


def test_a_function_is_found_in_all_files_that_load_it(editor: Editor) -> None:
    editor.write("a.bzl", LIBRARY)
    editor.write("b.bzl", 'load(":a.bzl", loud = "shout")\n\nx = loud("a")\n\ndef shout():\n    pass\n')
    editor.write("BUILD.ml", 'load(":a.bzl", "shout")\n\ny = shout("b")\n')
    assert editor.references("a.bzl", LIBRARY.replace("shout(text):", "sh‸out(text):")) == [
        "a.bzl:1:5", "a.bzl:6:12", "a.bzl:6:26",
        "BUILD.ml:1:17", "BUILD.ml:3:5",
        "b.bzl:1:24", "b.bzl:3:5",
    ]  # fmt: skip


def test_the_call_that_is_written_is_explained(editor: Editor) -> None:
    found = editor.ask("textDocument/signatureHelp", editor.at("m.bzl", LIBRARY + "\nx = shout(‸\n"))
    assert found["signatures"][0]["label"] == "shout(text)"
    assert found["activeParameter"] == 0
    found = editor.ask("textDocument/signatureHelp", editor.at("BUILD.ml", 'genrule(name = "a", cmd = "‸"'))
    words = found["signatures"][0]["parameters"]
    assert words[found["activeParameter"]]["label"] == "cmd"


def test_a_file_s_targets_and_functions_are_listed(editor: Editor) -> None:
    editor.open("BUILD.ml", 'filegroup(\n    name = "a",\n)\n\n[filegroup(name = n) for n in ["b", "c"]]\n')
    asked = {"textDocument": {"uri": editor.uri("BUILD.ml")}}
    found = editor.ask("textDocument/documentSymbol", asked)
    assert [(each["name"], each["detail"], each["range"]["end"]["line"]) for each in found] == [
        ("a", "filegroup", 2), ("b", "filegroup", 4), ("c", "filegroup", 4),
    ]  # fmt: skip
    editor.open("m.bzl", LIBRARY)
    found = editor.ask("textDocument/documentSymbol", {"textDocument": {"uri": editor.uri("m.bzl")}})
    assert [each["name"] for each in found] == ["shout", "twice"]


def test_targets_of_the_workspace_are_found_by_some_of_their_letters(editor: Editor) -> None:
    editor.write("models/BUILD.ml", 'filegroup(name = "ranker")\nfilegroup(name = "scorer")\n')
    editor.open("BUILD.ml", "")
    found = editor.ask("workspace/symbol", {"query": "mod:rnk"})
    assert [each["name"] for each in found if editor.folder.as_uri() in each["location"]["uri"]] == ["//models:ranker"]


def test_brackets_functions_and_comments_fold(editor: Editor) -> None:
    editor.open("m.bzl", "# a\n# b\nx = [\n    1,\n    2,\n]\n\ndef f():\n    a = 1\n    return a\n")
    found = editor.ask("textDocument/foldingRange", {"textDocument": {"uri": editor.uri("m.bzl")}})
    assert sorted((each["startLine"], each["endLine"]) for each in found) == [(0, 1), (2, 4), (7, 9)]


def test_modules_and_files_are_links(editor: Editor) -> None:
    editor.write("m.bzl", "x = 1\n")
    editor.write("data.csv", "")
    editor.open("BUILD.ml", 'load(":m.bzl", "x")\n\nfilegroup(\n    name = "a",\n    srcs = ["data.csv"],\n)\n')
    found = editor.ask("textDocument/documentLink", {"textDocument": {"uri": editor.uri("BUILD.ml")}})
    assert [each["target"] for each in found] == [editor.uri("m.bzl"), editor.uri("data.csv")]
