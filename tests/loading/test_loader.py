"""What BUILD files, modules and WORKSPACE.ml come to."""

import pytest

from mlbuild.diagnostics import Location, UserError, render
from mlbuild.terms import Label, OutputFile, PartOfTarget, SourceFile, Target
from mlbuild.terms.event import PackageLoaded, Warned
from mlbuild.testing.workspace import MemoryWorkspace

RULES = """
def _impl(ctx):
    pass

r = rule(implementation = _impl, attrs = {
    "srcs": attr.label_list(allow_files = True),
    "outs": attr.output_list(),
    "texts": attr.string_list(),
})

def macro(name, **kwargs):
    r(name = name, texts = sorted(native.existing_rules().keys()), **kwargs)
    r(name = name + "_package", texts = [native.package_name(), native.repository_name(), str(Label(":x"))])
"""
LOAD = 'load("//:rules.bzl", "macro", "r")\n'


def workspace(**files: str) -> MemoryWorkspace:
    return MemoryWorkspace({"rules.bzl": RULES, **files})


def target(space: MemoryWorkspace, label: str) -> Target:
    entry = space.loader.entry(Label.parse(label))
    assert isinstance(entry, Target)
    return entry


def test_a_target_keeps_what_was_written_and_where() -> None:
    space = workspace(**{"p/BUILD.ml": LOAD + 'r(name = "x", srcs = ["a", ":b", "//q:c"], tags = ["slow"])'})
    made = target(space, "//p:x")
    assert made.attributes == {"srcs": [Label("", "p", "a"), Label("", "p", "b"), Label("", "q", "c")]}
    assert (made.rule.name, made.rule.module, made.tags) == ("r", "rules.bzl", ("slow",))
    assert made.location == Location("p/BUILD.ml", 2, 1)
    assert made.visibility == ("//visibility:private",)
    assert space.events == [PackageLoaded("//p")]


def test_what_a_label_can_name() -> None:
    space = workspace(**{"BUILD.ml": LOAD + 'r(name = "x", outs = ["o.txt"])', "f.txt": "", "d/g.txt": ""})
    entries = [space.loader.entry(Label.parse(f"//:{name}")) for name in ("f.txt", "d", "d/g.txt", "o.txt", "x.part")]
    made = target(space, "//:x")
    assert entries == [
        SourceFile(Label("", "", "f.txt")),
        SourceFile(Label("", "", "d"), is_directory=True),
        SourceFile(Label("", "", "d/g.txt")),
        OutputFile(Label("", "", "o.txt"), made),
        PartOfTarget(Label("", "", "x.part"), made, "part"),
    ]


def test_the_package_says_who_sees_its_targets() -> None:
    build = 'package(default_visibility = ["//lib:__subpackages__"])\nr(name = "x")\nr(name = "y", visibility = [":__pkg__"])'
    space = workspace(**{"p/BUILD.ml": LOAD + build})
    assert target(space, "//p:x").visibility == ("//lib:__subpackages__",)
    assert target(space, "//p:y").visibility == ("//p:__pkg__",)


def test_globs_are_sorted_and_stop_at_packages() -> None:
    build = 'r(name = "x", srcs = glob(["**/*.py"], exclude = ["**/*_test.py"]) + glob(["*.none"], allow_empty = True))'
    files = dict.fromkeys(["b.py", "a.py", "a_test.py", "in/c.py", "lib/d.py", "lib/BUILD.ml", "mlbuild-out/e.py"], "")
    space = workspace(**{"BUILD.ml": LOAD + build, **files})
    assert [str(label) for label in target(space, "//:x").attributes["srcs"]] == ["//:a.py", "//:b.py", "//:in/c.py"]  # type: ignore[attr-defined]


def test_macros_see_the_package_and_leave_their_calls() -> None:
    space = workspace(**{"p/BUILD.ml": LOAD + 'r(name = "first")\nmacro(name = "x")'})
    assert target(space, "//p:x").attributes["texts"] == ["first"]
    assert target(space, "//p:x_package").attributes["texts"] == ["p", "@", "//:x"]
    made = target(space, "//p:x")
    assert made.location == Location("p/BUILD.ml", 3, 1)
    assert [(frame.function, frame.location.path) for frame in made.frames] == [("macro", "rules.bzl")]


def test_subpackages_are_listed() -> None:
    build = 'r(name = "x", texts = subpackages(include = ["**"]))'
    space = workspace(**{"p/BUILD.ml": LOAD + build, "p/a/BUILD.ml": "", "p/b/c/BUILD.ml": "", "p/a/d/BUILD.ml": ""})
    assert target(space, "//p:x").attributes["texts"] == ["a", "b/c"]


def test_a_module_is_evaluated_once() -> None:
    files = {"m.bzl": 'print("evaluated")\nX = 1', "n.bzl": 'load(":m.bzl", "X")\nY = X'}
    build = 'load("//:m.bzl", "X")\nload("//:n.bzl", "Y")'
    space = workspace(**{"a/BUILD.ml": build, "b/BUILD.ml": build, **files})
    space.expand("//...")
    printed = [event.diagnostic for event in space.events if isinstance(event, Warned)]
    assert [(each.message, each.location) for each in printed] == [("evaluated", Location("m.bzl", 1, 1))]


def test_a_chain_of_modules_may_be_long() -> None:
    files = {f"m{i}.bzl": f'load(":m{i + 1}.bzl", _X = "X")\nX = _X' for i in range(2000)}
    files["m2000.bzl"] = "X = 1"
    space = workspace(**{"BUILD.ml": 'load(":m0.bzl", "X")', **files})
    assert space.expand("//:all") == ()


def test_workspace_ml_names_the_workspace_and_its_toolchains() -> None:
    space = workspace(**{"WORKSPACE.ml": 'workspace(name = "w")\nregister_toolchains("//a:b", "@w//c")'})
    found = space.loader.workspace()
    assert found.name == "w"
    assert [str(each.label) for each in found.toolchains] == ["//a:b", "//c:c"]
    assert [str(each.location) for each in found.toolchains] == ["WORKSPACE.ml:2:1", "WORKSPACE.ml:2:1"]


def test_the_workspace_can_be_named_in_labels() -> None:
    space = workspace(
        **{"WORKSPACE.ml": 'workspace(name = "w")', "BUILD.ml": LOAD + 'r(name = "x", srcs = ["@w//p:f", "@//p:g"])'}
    )
    assert target(space, "//:x").attributes["srcs"] == [Label("", "p", "f"), Label("", "p", "g")]
    assert space.expand("@w//:x") == ("//:x",)


@pytest.fixture
def tree() -> MemoryWorkspace:
    two = LOAD + 'r(name = "x", outs = ["o"])\nr(name = "y", tags = ["manual"])'
    folders = ["", "a/", "a/b/", "ignored/", "nested/", ".hidden/", "mlbuild-out/a/"]
    files = {f"{folder}BUILD.ml": two for folder in folders}
    return workspace(
        **files, **{".mlbuildignore": "# not these\nignored/\n", "nested/WORKSPACE.ml": "", "a/b/f.txt": ""}
    )


@pytest.mark.parametrize(
    ("patterns", "labels"),
    [
        ("//...", "//:x //a:x //a/b:x"),
        ("//a/...", "//a:x //a/b:x"),
        ("//a:all", "//a:x"),
        ("//a:*", "//a:x //a:o"),
        ("//a:y //a:x", "//a:y //a:x"),
        ("//... -//a/...", "//:x"),
        ("//... -//a:x //a:x", "//:x //a/b:x //a:x"),
        ("//a/b:f.txt", "//a/b:f.txt"),
    ],
)
def test_patterns_mean_labels(tree: MemoryWorkspace, patterns: str, labels: str) -> None:
    assert " ".join(tree.expand(*patterns.split())) == labels


@pytest.mark.parametrize(
    ("pattern", "labels"), [(":x", "//a:x"), ("...", "//a:x //a/b:x"), ("b:x", "//a/b:x"), ("b/f.txt", "//a/b:f.txt")]
)
def test_patterns_begin_where_one_stands(tree: MemoryWorkspace, pattern: str, labels: str) -> None:
    assert " ".join(tree.expand(pattern, folder="a")) == labels


@pytest.mark.parametrize(
    ("pattern", "error"),
    [
        ("//a:xx", "error[no-such-target]: package `//a` has no target `xx`\n  hint: did you mean `//a:x`?"),
        ("//ab:x", "error[no-such-package]: no package `//ab`: there is no such folder\n  hint: did you mean `//a`?"),
        ("//ab/...", "error[no-such-package]: `//ab/...` finds no package\n  hint: did you mean `//a`?"),
        (
            "//ignored:x",
            "error[no-such-package]: no package `//ignored`: the folder is ignored\n"
            "  hint: remove it from `.mlbuildignore`, if it is there",
        ),
    ],
)
def test_patterns_that_mean_nothing(tree: MemoryWorkspace, pattern: str, error: str) -> None:
    with pytest.raises(UserError) as caught:
        tree.expand(pattern)
    assert render(caught.value.diagnostics[0]) == error


def test_the_errors_of_all_packages_are_told_at_once() -> None:
    space = workspace(
        **{"a/BUILD.ml": "x(", "b/BUILD.ml": LOAD + 'r(name = "x", n = 1)', "c/BUILD.ml": LOAD + 'r(name = "x")'}
    )
    with pytest.raises(UserError) as caught:
        space.expand("//...")
    assert [str(each.location) for each in caught.value.diagnostics] == ["a/BUILD.ml:1:2", "b/BUILD.ml:2:1"]


def test_what_is_no_utf8_is_an_error_with_a_place() -> None:
    space = MemoryWorkspace({"BUILD.ml": b"x = 1\n\xff"})
    with pytest.raises(UserError) as caught:
        space.expand("//:all")
    assert caught.value.diagnostics[0].code == "not-utf-8"
