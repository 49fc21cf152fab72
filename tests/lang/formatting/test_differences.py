"""Where mlbuild's format is not what buildifier writes at once: each with its reason, as `docs/how_to/format_files.md` has them."""

from __future__ import annotations

import pytest

from mlbuild.diagnostics import UserError
from mlbuild.lang.formatting import Kind, format_text


def test_a_character_beyond_ascii_stays_when_the_quotes_change() -> None:
    """buildifier writes "\\303\\251", which is another string in Starlark."""
    assert format_text("x = 'é \\u00e9'\n", Kind.BZL) == 'x = "é \\u00e9"\n'


def test_a_condition_in_a_lambda_stays_there() -> None:
    """buildifier reads `(lambda: a) if b else c`."""
    assert format_text("x = lambda: a if b else c\n", Kind.BZL) == "x = lambda: a if b else c\n"


def test_an_exponent_keeps_a_digit() -> None:
    """buildifier writes `1.5e`, which is no number."""
    assert format_text("x = 1.5e00\n", Kind.BZL) == "x = 1.5e0\n"


def test_a_comment_before_the_bracket_of_an_index_stays_where_the_language_takes_it() -> None:
    """buildifier puts it behind the `=`, in the middle of the statement."""
    text = "x[\n  k\n  # Why.\n] = 1\n"
    assert format_text(text, Kind.BZL) == "x[\n    k\n    # Why.\n] = 1\n"


def test_comments_between_the_targets_of_a_loop_leave_it_starlark() -> None:
    """buildifier writes a comma behind the last target."""
    text = "x = [a for a, # A.\n b in y]\n"
    assert format_text(text, Kind.BZL) == "x = [a for a, b in y]  # A.\n"


def test_a_form_that_buildifier_would_change_again_is_changed_at_once() -> None:
    text = "x = [a # A.\n .b\n # For.\n for a in y]\n"
    once = format_text(text, Kind.BZL)
    assert once == format_text(once, Kind.BZL)


def test_a_comment_below_a_block_on_one_line_stands_apart_from_it() -> None:
    """buildifier does so in its second run."""
    assert format_text("def f(): pass\n# Next.\n\nx = 1\n", Kind.BZL) == "def f():\n    pass\n\n# Next.\n\nx = 1\n"


def test_a_docstring_below_elif_is_indented_as_its_function() -> None:
    """buildifier indents it more at each run."""
    text = 'def f(x):\n    if x:\n        pass\n    elif y:\n        def g():\n            """Does.\n\n            More.\n            """\n'
    assert format_text(text, Kind.BZL) == text


def test_comments_of_what_is_said_twice_are_kept() -> None:
    text = 'f(name = "x", deps = [\n    ":a",  # One.\n    ":a",  # Two.\n])\n'
    assert (
        format_text(text, Kind.BUILD)
        == 'f(\n    name = "x",\n    deps = [\n        ":a",  # One.\n        # Two.\n    ],\n)\n'
    )


def test_comments_of_loads_that_are_joined_are_kept() -> None:
    text = 'load(":a.bzl", "a")\n\n# About b.\nload(":a.bzl", "b")\n'
    assert format_text(text, Kind.BZL) == '# About b.\nload(":a.bzl", "a", "b")\n'


def test_comments_of_a_loaded_name_that_is_written_once_are_kept() -> None:
    text = 'load(\n    ":a.bzl",\n    # Local.\n    a =  # Beside.\n    # There.\n    "a",\n)\n'
    expected = 'load(\n    ":a.bzl",\n    # Local.\n    # There.\n    "a",  # Beside.\n)\n'
    assert format_text(text, Kind.BZL) == expected


def test_tabs_and_line_ends_of_windows_are_repaired() -> None:
    assert format_text("def f():\r\n\treturn 1\r\n", Kind.BZL) == "def f():\n    return 1\n"


def test_bytes_get_double_quotes() -> None:
    assert format_text("x = b'a' + rb'\\d' + b'\"'\n", Kind.BZL) == 'x = b"a" + rb"\\d" + b\'"\'\n'


@pytest.mark.parametrize(
    "text",
    [
        "x = {1, 2}\n",
        "x = 1 < 2 < 3\n",
        "def f():\n  if x:\n    pass\n  else if y:\n    pass\n",
        "x = 0123\n",
        "x = (\n",
    ],
)
def test_what_is_not_starlark_is_refused(text: str) -> None:
    with pytest.raises(UserError):
        format_text(text, Kind.BZL, "a.bzl")


def test_a_sum_of_very_many_terms_is_formatted() -> None:
    text = "x = " + " + ".join(["a"] * 20_000) + "\n"
    assert format_text(text, Kind.BUILD) == text


def test_a_very_long_chain_of_branches_is_formatted() -> None:
    branches = "".join(f"    elif x == {number}:\n        return {number}\n" for number in range(500))
    text = f"def f(x):\n    if x:\n        return 0\n{branches}"
    assert format_text(text, Kind.BZL) == text


@pytest.mark.parametrize(
    "text", ["x = f" + "()" * 5000, "x = " + "not " * 5000 + "y", "x = " + "[" * 5000 + "]" * 5000]
)
def test_what_nests_too_deeply_is_refused_in_words(text: str) -> None:
    with pytest.raises(UserError, match=r"too deeply|too many|nests"):
        format_text(text + "\n", Kind.BZL, "a.bzl")
