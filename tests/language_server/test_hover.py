"""What is said of the thing under the cursor."""

from __future__ import annotations

from tests.language_server.editor import Editor


def test_a_rule_is_told_with_its_attributes(editor: Editor) -> None:
    found = editor.hover("BUILD.ml", 'gen‸rule(name = "a")\n')
    assert found is not None
    assert found.startswith(
        "```starlark\n(rule) genrule(name, outs, cmd, ...)\n```\n\nFiles made by a shell command.\n"
    )
    assert "* `srcs` (label_list): what the command reads" in found


def test_an_attribute_is_told_with_type_default_and_values(editor: Editor) -> None:
    found = editor.hover("BUILD.ml", 'py_env(name = "e", nume‸rics = "avx2")\n')
    assert found is not None
    assert "(attribute) numerics: string" in found
    assert 'Of `py_env`; default: `"avx2"`.' in found
    assert "One of `" in found


def test_a_label_is_told_by_its_target(editor: Editor) -> None:
    editor.write("p/BUILD.ml", '\nfilegroup(name = "x")\n')
    found = editor.hover("BUILD.ml", 'filegroup(name = "y", srcs = ["//p:‸x"])\n')
    assert found is not None
    assert "(filegroup) //p:x" in found
    assert "Defined at p/BUILD.ml:2:1." in found


def test_a_function_is_told_by_its_docstring(editor: Editor) -> None:
    editor.write(
        "m.bzl", 'def shout(text, times = 2):\n    """Louder.\n\n    Args:\n      text: what is said\n    """\n'
    )
    found = editor.hover("BUILD.ml", 'load("//:m.bzl", "shout")\nx = sho‸ut("a")\n')
    assert found == ("```starlark\n(function) shout(text, times = 2)\n```\n\nLouder.\n\n* `text`: what is said")


def test_functions_of_the_language_and_of_packages_are_told(editor: Editor) -> None:
    assert editor.hover("BUILD.ml", "x = le‸n([])\n") == (
        "```starlark\n(built-in function) len(x, /)\n```\n\nHow many elements, entries, characters or bytes there are."
    )
    found = editor.hover("BUILD.ml", 'x = gl‸ob(["*"])\n')
    assert found is not None
    assert found.endswith("The package's files that match, sorted.")


def test_there_is_nothing_to_say_of_blanks(editor: Editor) -> None:
    assert editor.hover("BUILD.ml", "x = 1 ‸  + 2\n") is None
