"""Each output has one owner, and none lies inside another."""

import pytest

from mlbuild.analysis.claims import Claims, Owner
from mlbuild.diagnostics import Location, UserError, render
from mlbuild.terms import Artifact, Label


def owner(name: str, line: int) -> Owner:
    return Owner(Label("", "a", name), Location("a/BUILD.ml", line, 1))


def output(path: str) -> Artifact:
    return Artifact(f"mlbuild-out/{path}", Label("", "a", "x"), is_source=False)


def refused(first: str, second: str) -> str:
    claims = Claims()
    claims.claim([output(first)], owner("one", 1))
    with pytest.raises(UserError) as caught:
        claims.claim([output(second)], owner("two", 5))
    return render(caught.value.diagnostics[0])


def test_two_targets_cannot_make_one_path() -> None:
    assert refused("a/x.txt", "a/x.txt") == (
        "a/BUILD.ml:5:1: error[two-owners]: `mlbuild-out/a/x.txt` has two owners: `//a:one` and `//a:two`\n"
        "  `//a:one` is at a/BUILD.ml:1:1\n"
        "  hint: give one of them another name"
    )


def test_an_output_cannot_lie_inside_another() -> None:
    inside = (
        "a/BUILD.ml:5:1: error[two-owners]: output `mlbuild-out/a/x/y` lies inside output `mlbuild-out/a/x`: "
        "`//a:two` and `//a:one` cannot both be built\n"
        "  `//a:one` is at a/BUILD.ml:1:1\n"
        "  hint: give one of them another name"
    )
    assert refused("a/x", "a/x/y") == inside
    assert refused("a/x/y", "a/x") == inside


def test_neighbours_with_a_common_beginning_are_fine() -> None:
    claims = Claims()
    claims.claim([output("a/x"), output("a/xy"), output("a/x.txt"), output("b/x/y"), output("b/x/z")], owner("one", 1))
