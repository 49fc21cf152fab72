"""`select()`, conditions, aliases and toolchains: what the configuration decides."""

import pytest

from mlbuild.terms import WriteAction
from mlbuild.testing.workspace import MemoryWorkspace

RULES = """
def _impl(ctx):
    out = ctx.actions.declare_file(ctx.label.name)
    tool = ctx.toolchains["//:type"].tool if ctx.attr.tool else ""
    text = [ctx.attr.text] + ctx.attr.texts + ["%s=%s" % pair for pair in ctx.attr.dict.items()]
    ctx.actions.write(out, " ".join(text + [str(dep.label) for dep in ctx.attr.deps] + [tool]).strip())

def _tools(ctx):
    return [ToolchainInfo(tool = ctx.label.name)]

_ATTRS = {
    "deps": attr.label_list(allow_files = True),
    "dict": attr.string_dict(),
    "text": attr.string(default = "standard"),
    "texts": attr.string_list(),
    "tool": attr.bool(),
}
r = rule(implementation = _impl, attrs = _ATTRS)
t = rule(implementation = _impl, attrs = _ATTRS, toolchains = ["//:type"])
tools = rule(implementation = _tools)
"""
BUILD = """
load(":rules.bzl", "r", "t", "tools")
config_setting(name = "fast", define_values = {"mode": "fast"})
config_setting(name = "fast_big", define_values = {"mode": "fast", "size": "big"})
config_setting(name = "old_way", values = {"define": "mode=fast"})
"""


def written(build: str, defines: dict[str, str] | None = None, **more: str) -> str:
    space = MemoryWorkspace({"rules.bzl": RULES, "BUILD.ml": BUILD + build, **more}, defines=defines)
    action = space.analyse("//:x").actions[-1]
    assert isinstance(action, WriteAction)
    return action.content.decode()


CHOICE = 'r(name = "x", text = select({":fast": "quick", ":fast_big": "huge", "//conditions:default": "slow"}))'


@pytest.mark.parametrize(
    ("defines", "expected"),
    [
        ({}, "slow"),
        ({"mode": "fast"}, "quick"),
        ({"mode": "fast", "size": "big"}, "huge"),
        ({"mode": "fast", "size": "small"}, "quick"),
        ({"size": "big"}, "slow"),
    ],
)
def test_the_most_specific_condition_wins(defines: dict[str, str], expected: str) -> None:
    assert written(CHOICE, defines) == expected


def test_values_with_define_mean_the_same() -> None:
    assert (
        written('r(name = "x", text = select({":old_way": "quick", "//conditions:default": "slow"}))', {"mode": "fast"})
        == "quick"
    )


def test_selects_are_added_up() -> None:
    build = """
COMMON = ["a"]
r(
    name = "x",
    texts = COMMON + select({":fast": ["b"], "//conditions:default": []}) + ["c"] + select({"//conditions:default": ["d"]}),
    text = "t" + select({":fast": "u"}),
    dict = {"k": "v"} | select({":fast": {"l": "w"}}),
)
"""
    assert written(build, {"mode": "fast"}) == "tu a b c d k=v l=w"


def test_none_means_the_default() -> None:
    assert written('r(name = "x", text = select({":fast": None}))', {"mode": "fast"}) == "standard"


def test_only_the_chosen_branch_is_analysed() -> None:
    build = 'r(name = "x", deps = select({":fast": [":f.txt"], "//conditions:default": ["//nowhere:y"]}))'
    assert written(build, {"mode": "fast"}, **{"f.txt": ""}) == "standard //:f.txt"


def test_two_conditions_of_equal_weight_are_ambiguous_unless_they_agree() -> None:
    same = 'r(name = "x", text = select({":fast": "a", ":old_way": "a"}))'
    assert written(same, {"mode": "fast"}) == "a"
    space = MemoryWorkspace(
        {"rules.bzl": RULES, "BUILD.ml": BUILD + same.replace('"a"})', '"b"})')}, defines={"mode": "fast"}
    )
    assert space.error("//:x") == (
        "BUILD.ml:6:1: error[ambiguous-select]: attribute `text` of `//:x`: `//:fast` and `//:old_way` match, "
        "and none is more specific\n"
        '    r(name = "x", text = select({":fast": "a", ":old_way": "b"}))\n'
        "    ^"
    )


def test_an_alias_is_what_it_stands_for() -> None:
    build = 'alias(name = "a", actual = select({":fast": "f.txt", "//conditions:default": "g.txt"}))\nr(name = "x", deps = [":a"])'
    files = {"f.txt": "", "g.txt": ""}
    assert written(build, {"mode": "fast"}, **files) == "standard //:f.txt"
    space = MemoryWorkspace({"rules.bzl": RULES, "BUILD.ml": BUILD + build, **files})
    (target,) = space.analyse("//:a").targets
    assert (str(target.label), target.kind, [file.path for file in target.files]) == ("//:a", "alias", ["g.txt"])


TOOLS = """
toolchain_type(name = "type")
tools(name = "one")
tools(name = "two")
toolchain(name = "first", toolchain = ":one", toolchain_type = ":type", target_settings = [":fast"])
toolchain(name = "second", toolchain = ":two", toolchain_type = ":type")
t(name = "x", tool = True, text = "")
"""
WORKSPACE = 'workspace(name = "w")\nregister_toolchains("//:first", "//:second")'


@pytest.mark.parametrize(("defines", "expected"), [({"mode": "fast"}, "one"), ({}, "two")])
def test_the_first_registered_toolchain_that_fits_is_taken(defines: dict[str, str], expected: str) -> None:
    assert written(TOOLS, defines, **{"WORKSPACE.ml": WORKSPACE}) == expected


def test_registered_toolchains_are_not_loaded_for_who_needs_none() -> None:
    assert written('r(name = "x")', **{"WORKSPACE.ml": 'register_toolchains("//nowhere:x")'}) == "standard"
