"""`--output=build`: what is printed makes the same targets again, and is formatted."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlbuild.diagnostics import UserError
from mlbuild.lang.formatting import Kind, format_text
from mlbuild.terms import Label, Target
from mlbuild.testing.workspace import MemoryWorkspace
from tests.query.graphs import LOAD, RULES, TOOLS, Asked

FILES = {
    "rules.bzl": RULES,
    "BUILD.ml": "",
    "tools/BUILD.ml": TOOLS,
    **{f"a/{name}": "" for name in ("x", "y", "z.txt")},
}


def made(text: str) -> Mapping[str, Target]:
    """The targets of a package `//a` with this BUILD file."""
    return MemoryWorkspace({**FILES, "a/BUILD.ml": text}).loader.package("", "a").targets


def facts(target: Target) -> tuple[object, ...]:
    return target.label, target.rule.name, target.rule.module, dict(target.attributes), target.visibility, target.tags


def printed(text: str) -> str:
    """What is printed of a package `//a` with this BUILD file; reading it again must make the same targets."""
    shown = "\n".join(Asked({**FILES, "a/BUILD.ml": text}).ask("//a:all", "build")) + "\n"
    assert format_text(shown, Kind.BUILD) == shown
    assert {name: facts(each) for name, each in made(shown).items()} == {
        name: facts(each) for name, each in made(LOAD + text).items()
    }
    return shown


def test_a_target_is_written_out() -> None:
    text = 'r(name = "it", srcs = ["y", ":x", "//a:z.txt"], outs = ["o"], is_on = True, tags = ["b", "a"], visibility = ["//b:__pkg__"])'
    assert (
        printed(text)
        == """load("//:rules.bzl", "r")

# a/BUILD.ml:2:1
r(
    name = "it",
    # do not sort
    srcs = [
        "//a:y",
        "//a:x",
        "//a:z.txt",
    ],
    outs = ["o"],
    is_on = True,
    # do not sort
    tags = [
        "b",
        "a",
    ],
    visibility = ["//b:__pkg__"],
)
"""
    )


def test_macros_are_expanded_and_told() -> None:
    assert (
        printed('pair(name = "two")')
        == """load("//:rules.bzl", "bare")

# a/BUILD.ml:2:1
#   rules.bzl:25:5: in pair
bare(
    name = "two_a",
)

# a/BUILD.ml:2:1
#   rules.bzl:26:5: in pair
bare(
    name = "two_b",
    deps = ["//a:two_a"],
)
"""
    )


def test_a_select_is_kept_as_written() -> None:
    text = """
config_setting(name = "s", define_values = {"a": "b"})
r(name = "x1", srcs = ["x"] + select({":s": ["z.txt", "y"], "//conditions:default": []}, no_match_error = "say what"))
"""
    assert (
        printed(text)
        == """load("//:rules.bzl", "r")

# a/BUILD.ml:3:1
config_setting(
    name = "s",
    define_values = {
        "a": "b",
    },
)

# a/BUILD.ml:4:1
r(
    name = "x1",
    # do not sort
    srcs = ["//a:x"] + select(
        {
            "//a:s": [
                "//a:z.txt",
                "//a:y",
            ],
            "//conditions:default": [],
        },
        no_match_error = "say what",
    ),
)
"""
    )


def test_rules_of_one_name_get_names_of_their_own() -> None:
    other = RULES.replace("attr.bool()", "attr.bool(default = True)")
    space = Asked(
        {
            "other.bzl": other,
            "a/BUILD.ml": 'load("//:other.bzl", other = "bare")\nbare(name = "one")\nother(name = "two")\ngone = 1',
        }
    )
    text = "\n".join(space.ask("//a:all", "build"))
    assert text.startswith('load("//:other.bzl", "bare")\nload("//:rules.bzl", bare_2 = "bare")\n')
    again = MemoryWorkspace({"rules.bzl": RULES, "other.bzl": other, "BUILD.ml": "", "a/BUILD.ml": text})
    targets = again.loader.package("", "a").targets
    assert [(each.label.name, each.rule.module) for each in targets.values()] == [
        ("one", "rules.bzl"),
        ("two", "other.bzl"),
    ]


def test_files_have_no_such_form() -> None:
    assert Asked({"a/BUILD.ml": 'bare(name = "x", deps = ["y"])', "a/y": ""}).ask("//a:y", "build") == []


TEXT = st.text(st.characters(max_codepoint=0x2FF) | st.sampled_from(["\U0001f600", "\u2028"]), max_size=8)
WORDS = st.lists(TEXT, max_size=4)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
LABELS = st.lists(
    st.sampled_from(["x", ":y", "//a:z.txt", "//tools:helper", "//tools:hammer"]), unique=True, max_size=4
)


def literal(value: object) -> str:
    """The value in Starlark, by nothing of what is tested."""
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(char):08x}" for char in value) + '"'
    if isinstance(value, list):
        return "[" + ", ".join(map(literal, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(key)}: {literal(each)}" for key, each in value.items()) + "}"
    return repr(value)


@settings(max_examples=60, deadline=None)
@given(
    srcs=LABELS,
    chosen=LABELS,
    texts=WORDS,
    tags=WORDS,
    text=TEXT,
    count=st.integers(-(2**31), 2**31 - 1),
    is_on=st.booleans(),
    by_name=st.dictionaries(TEXT, TEXT, max_size=3),
    params=JSON,
)
def test_any_target_is_the_same_when_it_is_read_again(
    srcs: list[str], chosen: list[str], texts: list[str], tags: list[str], text: str, count: int, is_on: bool,
    by_name: dict[str, str], params: object,
) -> None:  # fmt: skip
    printed(
        f'r(name = "it", srcs = {literal(srcs)}, deps = select({{"//conditions:default": {literal(chosen)}}}), '
        f"texts = {literal(texts)}, tags = {literal(tags)}, text = {literal(text)}, count = {count}, is_on = {is_on}, "
        f"texts_by_name = {literal(by_name)}, params = {literal(params)})"
    )


def test_text_that_looks_like_a_label_stays_as_it_is() -> None:
    # Formatting shortens labels in arguments of these names.
    space = {
        **FILES,
        "rules.bzl": RULES.replace('"texts": ', '"data": attr.string_list(), "src": attr.string(), "texts": '),
    }
    text = 'r(name = "it", data = ["//b:b", "//a"], src = "//a:a")'
    shown = "\n".join(Asked({**space, "a/BUILD.ml": text}).ask("//a:all", "build")) + "\n"
    target = MemoryWorkspace({**space, "a/BUILD.ml": shown}).loader.package("", "a").targets["it"]
    assert dict(target.attributes) == {"data": ["//b:b", "//a"], "src": "//a:a"}
    assert format_text(shown, Kind.BUILD) == shown


def test_what_no_buildfile_can_hold_is_told() -> None:
    deep = "def deep(name):\n    v = []\n    for i in range(400):\n        v = [v]\n    r(name = name, params = v)\n"
    space = Asked({"rules.bzl": RULES + deep, "a/BUILD.ml": 'load("//:rules.bzl", "deep")\ndeep(name = "x")'})
    with pytest.raises(UserError, match="nested too deeply to be written") as caught:
        space.ask("//a:x", "build")
    assert caught.value.exit_code == 7


def test_labels_are_short_where_formatting_has_them_so() -> None:
    assert Label("", "a", "a").short == "//a"
    assert '"//a"' in printed('bare(name = "a")\nbare(name = "b", deps = [":a"])')
