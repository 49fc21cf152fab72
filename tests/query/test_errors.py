"""Questions that cannot be understood or answered, and what a person reads then."""

from __future__ import annotations

import pytest

from mlbuild.query import Evaluation, Source, parse
from tests.query.graphs import Asked

SPACE = Asked(
    {
        "a/BUILD.ml": 'bare(name = "app", deps = ["//b:gone", "//a:lib"])\nbare(name = "lib")',
        "b/BUILD.ml": 'bare(name = "base")',
        "broken/BUILD.ml": 'bare(nam = "x")',
    }
)


@pytest.mark.parametrize(
    ("question", "text"),
    [
        (
            "depz(//a)",
            """exit 2
query:1:1: error[unknown-function]: there is no function `depz`
    depz(//a)
    ^
  hint: did you mean `deps`?""",
        ),
        (
            "//a:lib +",
            """exit 2
query:1:10: error[query-syntax]: the expression ends where an expression must begin
    //a:lib +
             ^""",
        ),
        (
            "deps(//a:lib",
            """exit 2
query:1:13: error[query-syntax]: the expression ends where `)` must follow the arguments of `deps`
    deps(//a:lib
                ^
  hint: write `deps(x[, depth])`""",
        ),
        (
            "deps(//a:lib, many)",
            """exit 2
query:1:15: error[query-syntax]: `depth` of `deps` is a number, not `many`
    deps(//a:lib, many)
                  ^
  hint: write `deps(x[, depth])`""",
        ),
        (
            "kind('(', //a:lib)",
            """exit 2
query:1:6: error[bad-regex]: `(` is no regular expression: missing ), unterminated subpattern at position 0
    kind('(', //a:lib)
         ^
  hint: put `\\` before a character that stands for itself""",
        ),
        (
            "let x = //a:lib in\n  $y",
            """exit 2
query:2:3: error[unknown-variable]: no `let` around it binds `$y`
      $y
      ^
  hint: bind it: `let y = ... in ...`""",
        ),
        (
            "set(//a, //b)",
            """exit 2
query:1:8: error[query-syntax]: `,` stands where `)` must follow the patterns of `set`
    set(//a, //b)
           ^
  hint: patterns in `set(...)` stand side by side, without commas""",
        ),
        (
            "//a:lib 'b",
            """exit 2
query:1:9: error[query-syntax]: the quotes are not closed
    //a:lib 'b
            ^
  hint: add ' after the word""",
        ),
        (
            "//a:lib //b:base",
            """exit 2
query:1:9: error[query-syntax]: `//b:base` stands after the end of the expression
    //a:lib //b:base
            ^
  hint: write `+`, `-` or `^` between expressions; quote words that hold other characters""",
        ),
        (
            "deps(//a:lob)",
            """exit 7
query:1:6: error[no-such-target]: package `//a` has no target `lob`
    deps(//a:lob)
         ^
  hint: did you mean `//a:lib`?""",
        ),
        (
            "deps(//a:app)",
            """exit 7
a/BUILD.ml:2:1: error[no-such-target]: package `//b` has no target `gone`
    bare(name = "app", deps = ["//b:gone", "//a:lib"])
    ^
  hint: it has `base`""",
        ),
        (
            "some(//a:lib ^ //b:base)",
            """exit 7
query:1:1: error[no-answer]: `some` was given an empty set
    some(//a:lib ^ //b:base)
    ^
  hint: make sure that its argument names something""",
        ),
        (
            "allrdeps(//a:lib)",
            """exit 7
query:1:1: error[no-answer]: `allrdeps` needs to be told where to look
    allrdeps(//a:lib)
    ^
  hint: name the universe: `--universe_scope=//...`, or write `rdeps(//..., x)`""",
        ),
    ],
)
def test_what_is_wrong_is_shown_with_its_place(question: str, text: str) -> None:
    assert SPACE.error(question) == text


def test_with_keep_going_the_rest_is_answered_and_every_fault_told() -> None:
    graph, source = SPACE.graph(keep_going=True), Source("deps(//a:app) + //broken:all")
    answer = Evaluation(graph, source).answer(parse(source))
    assert sorted(map(str, answer.labels)) == ["//a:app", "//a:lib"]
    assert sorted(fault.code for fault in graph.faults) == ["missing-name", "no-such-target"]


def test_an_expression_that_nests_too_deeply_is_refused() -> None:
    assert "error[query-too-deep]" in SPACE.error("(" * 5000 + "//a:lib" + ")" * 5000)
    assert "error[query-too-deep]" in SPACE.error("deps(" * 5000)
    assert SPACE.ask("(" * 90 + "//a:lib" + ")" * 90) == ["//a:lib"]


def test_long_chains_are_no_nesting() -> None:
    assert SPACE.ask(" + ".join(["//a:lib"] * 5000)) == ["//a:lib"]
