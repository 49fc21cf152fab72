"""Many files that load each other take no longer than each of them."""

from mlbuild.terms import Label, Target
from mlbuild.testing.workspace import MemoryWorkspace


def test_modules_that_each_load_the_one_before_twice_are_each_run_once() -> None:
    files = {"m0.bzl": "def f(): return 1\nx = 1\n"}
    for number in range(1, 25):
        before = f"//:m{number - 1}.bzl"
        files[f"m{number}.bzl"] = f'load("{before}", a = "x")\nload("{before}", b = "x")\nx = a + b - a\n'
    files["BUILD.ml"] = 'load("//:m24.bzl", "x")\nload("//:rules.bzl", "r")\nr(name = "a%d" % x)\n'
    files["rules.bzl"] = "def _impl(ctx):\n    pass\n\nr = rule(implementation = _impl)\n"
    space = MemoryWorkspace(files)
    assert isinstance(space.loader.entry(Label.parse("//:a1")), Target)
