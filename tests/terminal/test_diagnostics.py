"""A diagnostic as a person reads it."""

from __future__ import annotations

from mlbuild.diagnostics import Diagnostic, Frame, Location, render


def test_a_long_line_is_cut_to_what_is_around_the_caret() -> None:
    line = "x = [" + ", ".join(f'"{number:03}"' for number in range(100)) + "]"
    column = line.index('"050"') + 1
    told = render(Diagnostic("syntax", "no", Location("a", 1, column), line), columns=46).split("\n")
    assert told == [
        "a:1:356: error[syntax]: no",
        '    …47", "048", "049", "050", "051", "052", …',
        "                        ^",
    ]
    assert told[1][told[2].index("^") :].startswith('"050"')


def test_the_caret_stands_below_wide_characters() -> None:
    assert render(Diagnostic("syntax", "no", Location("a", 1, 7), "x = “日”")).split("\n")[1:] == [
        "    x = “日”",
        "           ^",
    ]


def test_the_calls_follow_the_excerpt_from_the_inside_out() -> None:
    frames = (
        Frame(Location("BUILD.ml", 3, 1), "<toplevel>"),
        Frame(Location("a.bzl", 9, 5), "outer"),
        Frame(Location("a.bzl", 2, 7), "inner"),
    )
    assert render(Diagnostic("fail", "no", Location("a.bzl", 2, 7), "      x", frames=frames, hint="go")).split(
        "\n"
    ) == [
        "a.bzl:2:7: error[fail]: no",
        "          x",
        "          ^",
        "  in `inner`, called at a.bzl:9:5",
        "  in `outer`, called at BUILD.ml:3:1",
        "  hint: go",
    ]


def test_of_very_many_calls_the_first_and_the_last_are_shown() -> None:
    frames = tuple(Frame(Location("a.bzl", line, 1), f"f{line}") for line in range(1, 101))
    told = render(Diagnostic("fail", "no", Location("a.bzl", 100, 1), frames=frames)).split("\n")
    assert len(told) == 14
    assert told[1] == "  in `f100`, called at a.bzl:99:1"
    assert told[7] == "  … 88 more calls …"
    assert told[-1] == "  in `f1`"
