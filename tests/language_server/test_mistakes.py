"""What is said to be wrong while a file is written."""

from __future__ import annotations

from tests.language_server.editor import Editor


def test_all_mistakes_of_a_text_are_told_while_it_is_typed(editor: Editor) -> None:
    editor.open("BUILD.ml", "x = nothing\nif x:\n    pass\n")
    assert editor.mistakes("BUILD.ml") == [
        "1:5 undefined-name name 'nothing' is not defined",
        "2:1 not-in-build-files `if` statements are not allowed in BUILD files\nhint: use an `if` expression",
    ]


def test_what_is_mended_is_no_longer_told(editor: Editor) -> None:
    editor.open("BUILD.ml", "x = [1\n")
    assert editor.mistakes("BUILD.ml") == ["1:5 unclosed-bracket '[' was never closed\nhint: close it with `]`"]
    editor.change("BUILD.ml", "x = [1]\n")
    assert editor.mistakes("BUILD.ml") == []


def test_an_unknown_attribute_is_told_at_its_target(editor: Editor) -> None:
    editor.open("BUILD.ml", '\ngenrule(\n    name = "a",\n    outs = ["b"],\n    cmd = "",\n    srcz = [],\n)\n')
    assert editor.mistakes("BUILD.ml") == [
        "2:1 unknown-attribute `genrule` has no attribute `srcz`\nhint: did you mean `srcs`?"
    ]


def test_a_label_that_names_nothing_is_told_where_it_stands(editor: Editor) -> None:
    editor.write("p/BUILD.ml", 'filegroup(name = "right")\n')
    editor.open("BUILD.ml", 'filegroup(\n    name = "a",\n    srcs = [\n        "//p:rigth",\n    ],\n)\n')
    assert editor.mistakes("BUILD.ml") == [
        "4:10 no-such-target package `//p` has no target `rigth`\nhint: did you mean `//p:right`?"
    ]


def test_a_mistake_of_a_loaded_module_is_told_at_the_load(editor: Editor) -> None:
    editor.write("m.bzl", "x = 1 +\n")
    editor.open("BUILD.ml", '\nload("//:m.bzl", "x")\n')
    [found] = editor.mistakes("BUILD.ml")
    assert found.startswith("2:1 syntax `//:m.bzl` cannot be loaded: ")


def test_an_unsaved_module_is_what_a_build_file_loads(editor: Editor) -> None:
    editor.write("m.bzl", "x = 1\n")
    editor.open("m.bzl", "y = 1\n")
    editor.open("BUILD.ml", 'load("//:m.bzl", "y")\nz = y\n')
    assert editor.mistakes("BUILD.ml") == []
    editor.change("m.bzl", "x = 1\n")
    assert editor.mistakes("BUILD.ml") == ["1:1 no-such-symbol `m.bzl` exports no `y`\nhint: it exports `x`"]


def test_a_file_that_changes_on_disk_is_seen_on_save(editor: Editor) -> None:
    editor.write("p/BUILD.ml", 'filegroup(name = "a")\n')
    editor.open("BUILD.ml", 'filegroup(name = "x", srcs = ["//p:b"])\n')
    assert editor.mistakes("BUILD.ml") == ["1:32 no-such-target package `//p` has no target `b`\nhint: it has `a`"]
    editor.write("p/BUILD.ml", 'filegroup(name = "b")\n')
    editor.save("BUILD.ml")
    assert editor.mistakes("BUILD.ml") == []


def test_a_closed_file_has_no_mistakes(editor: Editor) -> None:
    editor.open("BUILD.ml", "x\n")
    assert editor.mistakes("BUILD.ml") == ["1:1 undefined-name name 'x' is not defined"]
    editor.close_file("BUILD.ml")
    assert editor.mistakes("BUILD.ml") == []


def test_a_file_without_a_workspace_is_looked_through_too(editor: Editor) -> None:
    (editor.folder / "WORKSPACE.ml").unlink()
    folder = {"uri": editor.folder.as_uri(), "name": "opened"}
    editor.tell("workspace/didChangeWorkspaceFolders", {"event": {"added": [folder], "removed": []}})
    editor.open("p/BUILD.ml", 'filegroup(name = "x", srcs = ["none.txt"])\n')
    assert editor.mistakes("p/BUILD.ml") == [
        "1:32 no-such-file package `//p` has no file or target `none.txt`\nhint: create `p/none.txt`, or correct the name"
    ]


def test_a_nested_workspace_is_one_by_itself(editor: Editor) -> None:
    editor.write("inner/WORKSPACE.ml", 'workspace(name = "inner")\n')
    editor.write("inner/BUILD.ml", 'filegroup(name = "a")\n')
    editor.write("BUILD.ml", 'filegroup(name = "b")\n')
    editor.open("inner/p/BUILD.ml", 'filegroup(name = "x", srcs = ["//:a", "//:b"])\n')
    assert editor.mistakes("inner/p/BUILD.ml") == [
        "1:40 no-such-target package `//` has no target `b`\nhint: it has `a`"
    ]
