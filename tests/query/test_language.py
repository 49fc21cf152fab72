"""What each part of the query language evaluates to."""

from __future__ import annotations

import pytest

from mlbuild.query import Kept
from tests.query.graphs import Asked

SPACE = Asked(
    {
        # app -> lib -> base -> base.txt; app -> other -> base; alone stands apart
        "a/BUILD.ml": """
bare(name = "app", deps = [":lib", ":other"])
bare(name = "lib", deps = ["//b:base"])
bare(name = "other", deps = ["//b:base", "a.txt"])
bare(name = "alone", tags = ["manual", "slow"])
bare_test(name = "app_test", deps = [":app"])
""",
        "a/a.txt": "",
        "b/BUILD.ml": """
load("//b:defs.bzl", "unused")
bare(name = "base", deps = ["base.txt"], visibility = ["//a:__pkg__"])
r(name = "made", outs = ["made.out"], srcs = select({"//conditions:default": ["base.txt"], ":setting": ["other.txt"]}))
config_setting(name = "setting", define_values = {"a": "b"})
exports_files(["exported.txt"])
""",
        "b/defs.bzl": 'load("//c/inner:more.bzl", "more")\nunused = more',
        "b/base.txt": "",
        "b/other.txt": "",
        "b/exported.txt": "",
        "b/unnamed.txt": "",
        "c/BUILD.ml": 'pair(name = "two")\n',
        "c/inner/more.bzl": "more = 1",
    }
)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        # patterns, as in a build but with manual targets, and with files for `:*`
        ("//a", None),
        ("//a:all", "//a:alone //a:app //a:app_test //a:lib //a:other"),
        (
            "//b:*",
            "//b:BUILD.ml //b:base //b:base.txt //b:exported.txt //b:made //b:made.out //b:other.txt //b:setting",
        ),
        ("//c/...", "//c:two_a //c:two_b"),
        ("b:base", "//b:base"),
        ('"//b:base"', "//b:base"),
        ("'//b:base.txt'", "//b:base.txt"),
        # operations bind alike, from the left
        ("//a:app + //a:lib", "//a:app //a:lib"),
        ("//a:app union //a:lib except //a:app", "//a:lib"),
        ("//a:app union (//a:lib except //a:app)", "//a:app //a:lib"),
        ("//a:all ^ //a:lib", "//a:lib"),
        ("//a:lib intersect //a:app", ""),
        ("//a:lib ^ //a:app + //a:app", "//a:app"),
        ("//a:all - //a:app - //a:lib - //a:other", "//a:alone //a:app_test"),
        ("let x = //a:app in $x + //a:lib", "//a:app //a:lib"),
        ("let x = //a:app in let x = //a:lib in $x", "//a:lib"),
        ("let x = //a:all in let y = //a:lib in $x ^ $y", "//a:lib"),
        ("set()", ""),
        ("set(//a:app //c/... '//b:base')", "//a:app //b:base //c:two_a //c:two_b"),
        # deps
        ("deps(//a:app)", "//a:a.txt //a:app //a:lib //a:other //b:base //b:base.txt"),
        ("deps(//a:app, 0)", "//a:app"),
        ("deps(//a:app, 1)", "//a:app //a:lib //a:other"),
        ("deps(//a:lib + //a:alone, 1)", "//a:alone //a:lib //b:base"),
        ("deps(//b:made.out, 1)", "//b:made //b:made.out"),
        # every case of a select counts, and what it asks for; so do the rule's own dependencies
        ("deps(//b:made)", "//b:base.txt //b:made //b:other.txt //b:setting //tools:helper //tools:hidden"),
        # rdeps
        ("rdeps(//a:app, //b:base)", "//a:app //a:lib //a:other //b:base"),
        ("rdeps(//a:all, //b:base.txt, 1)", "//b:base //b:base.txt"),
        ("rdeps(//a:all, //b:base, 1)", "//a:lib //a:other //b:base"),
        ("rdeps(//a:lib, //a:other)", ""),
        ("rdeps(//b:all, //b:other.txt)", "//b:made //b:other.txt"),
        # packages
        ("same_pkg_direct_rdeps(//b:base.txt)", "//b:base //b:made"),
        ("same_pkg_direct_rdeps(//a:lib + //b:base)", "//a:app"),
        ("siblings(//c:two_a)", "//c:BUILD.ml //c:two_a //c:two_b"),
        ("siblings(//b:base.txt) ^ kind(rule, //b:*)", "//b:base //b:made //b:setting"),
        # paths
        ("somepath(//a:app, //b:base.txt)", "//a:app //a:lib //b:base //b:base.txt"),
        ("somepath(//a:all, //b:all)", "//a:lib //b:base"),
        ("somepath(//a:app, //a:app)", "//a:app"),
        ("somepath(//b:base, //a:app)", ""),
        ("allpaths(//a:app, //b:base)", "//a:app //a:lib //a:other //b:base"),
        ("allpaths(//a:lib, //b:base)", "//a:lib //b:base"),
        ("allpaths(//a:app, //c:all)", ""),
        # filters
        ("kind('bare rule', //a:all)", "//a:alone //a:app //a:lib //a:other"),
        ("kind(_test, //a:*)", "//a:app_test"),
        ("kind('source file', deps(//a:app))", "//a:a.txt //b:base.txt"),
        ("kind('generated file', //b:*)", "//b:made.out"),
        ("filter('\\.txt$', deps(//a:app))", "//a:a.txt //b:base.txt"),
        ("filter(//b, deps(//a:app))", "//b:base //b:base.txt"),
        ("attr(name, '^app$', //...)", "//a:app"),
        ("attr(tags, '[\\[ ]slow[,\\]]', //...)", "//a:alone"),
        ("attr(deps, '\\[\\]', //a:all)", "//a:alone"),
        ("attr(deps, '//b:base, //a:a.txt', //a:all)", "//a:other"),
        ("attr(srcs, other.txt, //b:all)", "//b:made"),
        ("attr(srcs, base.txt, //b:all)", "//b:made"),
        ("attr(text, ^plain$, //b:all)", None),
        ("attr(text, '^plain$', //b:all)", "//b:made"),
        ("attr(is_on, 0, //b:all)", "//b:made"),
        ("attr(visibility, //a, //b:all)", "//b:base"),
        ("attr(generator_function, pair, //...)", "//c:two_a //c:two_b"),
        ("attr(no_such, '', //...)", ""),
        ("tests(//...)", "//a:app_test"),
        ("visible(//a:app, //b:*)", "//b:BUILD.ml //b:base //b:base.txt //b:exported.txt //b:other.txt"),
        ("visible(//a:app + //c:all, //b:all)", ""),
        ("visible(//b:base, //b:all)", "//b:base //b:made //b:setting"),
        ("some(//c:all)", "//c:two_a"),
        ("some(//c:all, 5)", "//c:two_a //c:two_b"),
        # what labels lead to
        ("labels(deps, //a:app + //a:lib)", "//a:lib //a:other //b:base"),
        ("labels(srcs, //b:made)", "//b:base.txt //b:other.txt"),
        ("labels(outs, //b:made)", "//b:made.out"),
        ("labels(helper, //b:made)", "//tools:helper"),
        ("labels(text + , //b:made)", None),
        ("labels(text, //b:made)", ""),
        ("loadfiles(//b:base)", "//:rules.bzl //b:defs.bzl //c:inner/more.bzl"),
        ("buildfiles(//b:base)", "//:BUILD.ml //:rules.bzl //b:BUILD.ml //b:defs.bzl //c:BUILD.ml //c:inner/more.bzl"),
    ],
)
def test_an_expression_comes_to(question: str, answer: str | None) -> None:
    if answer is None:
        assert SPACE.error(question).startswith("exit ")
    else:
        assert sorted(SPACE.ask(question)) == sorted(answer.split())


def test_allrdeps_looks_at_the_universe() -> None:
    assert SPACE.ask("allrdeps(//b:base, 1)", universe=("//a:lib", "//c/...")) == ["//a:lib", "//b:base"]
    assert SPACE.ask("allrdeps(//b:base)", universe=("//a:all", "-//a:other", "-//a:app", "-//a:app_test")) == [
        "//a:lib",
        "//b:base",
    ]


def test_dependencies_that_a_rule_adds_and_tools_may_be_left_out() -> None:
    space = Asked({"a/BUILD.ml": 'r(name = "x", deps = ["//tools:hidden"], tool = "//tools:hammer")'})
    assert space.ask("deps(//a:x)") == ["//a:x", "//tools:hammer", "//tools:helper", "//tools:hidden"]
    assert space.ask("deps(//a:x)", kept=Kept(implicit=False)) == ["//a:x", "//tools:hammer", "//tools:hidden"]
    assert space.ask("deps(//a:x)", kept=Kept(tools=False)) == ["//a:x", "//tools:helper", "//tools:hidden"]


def test_a_part_depends_on_its_whole() -> None:
    space = Asked({"a/BUILD.ml": 'bare(name = "x", deps = ["y.part"])\nbare(name = "y")'})
    assert space.ask("deps(//a:x)", "label_kind") == ["bare rule //a:x", "bare rule //a:y", "part //a:y.part"]


def test_a_circle_of_dependencies_can_be_asked_about() -> None:
    space = Asked(
        {"a/BUILD.ml": 'bare(name = "x", deps = ["y"])\nbare(name = "y", deps = ["x", "z"])\nbare(name = "z")'}
    )
    assert space.ask("deps(//a:x)") == ["//a:x", "//a:y", "//a:z"]
    assert space.ask("deps(//a:x)", order="full") == ["//a:x", "//a:y", "//a:z"]
    assert space.ask("deps(//a:x)", "maxrank") == ["0 //a:x", "0 //a:y", "1 //a:z"]
    assert space.ask("allpaths(//a:x, //a:y)") == ["//a:x", "//a:y"]


def test_sums_of_many_selects_are_matched_case_by_case() -> None:
    cases = " + ".join(f'select({{"//conditions:default": ["a{n}"], ":s": ["b{n}"]}})' for n in range(12))
    space = Asked(
        {"a/BUILD.ml": f'r(name = "x", texts = {cases})\nconfig_setting(name = "s", define_values = {{"a": "b"}})'}
    )
    assert space.ask("attr(texts, '^.b7.$', //a:x)") == ["//a:x"]
    two = Asked({"a/BUILD.ml": 'r(name = "x", text = "a" + select({"//conditions:default": "b", "//c": "d"}))'})
    assert two.ask("attr(text, '^ad$', //a:x)") == ["//a:x"]
    assert two.ask("attr(text, '^db$', //a:x)") == []
