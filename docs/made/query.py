"""The page of the query language: its functions from the table that parses them, every example tried out here."""

from __future__ import annotations

from collections.abc import Iterator

from docs.made.markdown import table
from mlbuild.flags import COMMANDS
from mlbuild.query import Evaluation, Source, TargetGraph, parse
from mlbuild.query.formats import lines_of
from mlbuild.query.functions import FUNCTIONS
from mlbuild.testing.workspace import MemoryWorkspace

FILES = {
    "defs.bzl": """
def _impl(ctx):
    pass

text = rule(implementation = _impl, attrs = {"srcs": attr.label_list(allow_files = True)})
text_test = rule(implementation = _impl, attrs = {"srcs": attr.label_list(allow_files = True)}, test = True)
""",
    "a/BUILD.ml": """load("//:defs.bzl", "text", "text_test")

text(name = "app", srcs = ["app.txt", ":lib"])
text(name = "lib", srcs = ["lib.txt", "//c"], tags = ["slow"])
text_test(name = "app_test", srcs = [":app"])
""",
    "a/app.txt": "",
    "a/lib.txt": "",
    "b/BUILD.ml": 'load("//:defs.bzl", "text")\n\ntext(name = "b")\n',
    "c/BUILD.ml": 'load("//:defs.bzl", "text")\n\ntext(name = "c", visibility = ["//visibility:public"])\n',
}
UNIVERSE = ("//...",)
FORMS = (
    ("`//a:app`, `:app`, `//a`, `//a:all`, `//a:*`, `//a/...`", "a target pattern: what it means in a build, targets with the tag `manual` too; `:*` means source files and BUILD files as well"),
    ("`'//a:x+y'`, `\"//a:x+y\"`", "a word with characters other than letters, digits and `*/@.-_:$~[]`, or one that begins with `-` or `*`"),
    ("`x + y`, `x union y`", "what is in either"),
    ("`x - y`, `x except y`", "what is in `x` and not in `y`"),
    ("`x ^ y`, `x intersect y`", "what is in both"),
    ("`(x)`", "`x`; without parentheses, operators bind alike, from the left"),
    ("`let v = x in ... $v ...`", "`x` under a name"),
    ("`set(//a //b:c)`", "what any of the patterns means; no commas between them"),
)  # fmt: skip
FORMATS = {
    "label": "`//a:app`, one a line",
    "label_kind": "`text rule //a:app`: kinds are `RULE rule`, `source file`, `generated file`, and `part` for what a target returns under a name of its own (`:by_time.train`)",
    "build": "the targets as the text of a BUILD file: macros expanded, `select` as written, each below its place; formatted, and read again it makes the same targets",
    "location": "`a/BUILD.ml:3:1: text rule //a:app`, for editors",
    "package": "the packages, each once",
    "minrank": "`1 //a:lib`: the length of the shortest path from a target that nothing else in the answer depends on",
    "maxrank": "the same of the longest path",
    "graph": "for Graphviz: `mlbuild query --output=graph ... | dot -Tsvg > graph.svg`; where a target between two others is not in the answer, an edge goes past it",
    "jsonproto": "a message `QueryResult` of Bazel's `build.proto`, as JSON",
    "streamed_jsonproto": "a message `Target` a line",
}  # fmt: skip


def page() -> str:
    """The whole page as Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# The query language\n"
    yield "Made from the code by `docs/make_reference.py`; every answer on this page has been asked for.\n"
    yield "`mlbuild query EXPRESSION` answers questions about targets: it loads BUILD files and nothing more, so nothing is chosen in"
    yield "a `select` (every case counts) and no toolchain is looked for. The language is Bazel's. How it is used is told in"
    yield "[Ask about the graph](../how_to/ask_about_the_graph.md), the flags in [Commands](commands.md#query).\n"
    yield "## Expressions\n"
    yield from table(("form", "means"), FORMS)
    yield "\nAn expression may be spread over several words of the command line. Long ones are read from a file with"
    yield "`--query_file`.\n"
    yield "## Functions\n"
    yield "The examples ask about this workspace, where `text` is a rule with the attribute `srcs`:\n"
    for path in ("a/BUILD.ml", "b/BUILD.ml", "c/BUILD.ml"):
        rules = FILES[path].partition("\n\n")[2].strip()
        yield f"`{path}`:\n\n```starlark\n{rules}\n```\n"
    for function in FUNCTIONS.values():
        yield f"### {function.name}\n\n`{function.signature}`\n\n{function.doc}\n"
        flag = f"--universe_scope={','.join(UNIVERSE)} " if function.name == "allrdeps" else ""
        yield f"```text\n$ mlbuild query {flag}{_shell(function.example)}\n{_answer(function.example)}\n```\n"
    yield "Regular expressions are Python's, and match anywhere in the text: `^` and `$` bind them to its ends. `attr` matches"
    yield "numbers as written, `1` and `0` for booleans, labels as `//package:name`, lists as `[a, b]`, dicts as `{a=b}`, and what the"
    yield "rule has by default where nothing is written; of a `select`, any value that it may come to. `name`, `tags`, `visibility`"
    yield "and `generator_function` (the macro that the BUILD file calls) are attributes too; that of a private one begins with `_`.\n"
    yield "## Output\n"
    choices = next(flag for flag in COMMANDS["query"].flags if flag.name == "output").choices
    yield from table(("`--output`", "shows"), ((f"`{name}`", FORMATS[name]) for name in choices))
    yield "\n`--order_output=auto` sorts by package and name, and shows the path of `somepath` as it goes. `deps` and `full` show every target"
    yield "before what it depends on, in an order that is always the same; `no` as they were found.\n"
    yield "## What differs from Bazel\n"
    yield "* A source file that a target names must be there: a missing one is an error, with the nearest name; `--keep_going` leaves it out."
    yield "* `allrdeps` needs `--universe_scope`, and no particular `--order_output`."
    yield "* `rbuildfiles`, `executables`, and the formats `proto`, `textproto` and `xml` are absent. There are no package groups and no `test_suite`."
    yield "* `--output=build` writes `load` statements, shows places as paths from the workspace's root, and tells the calls that led to a target in comments."
    yield "* In JSON, numbers with a point and values of `attr.json` are told as text."
    yield "* Exit codes: 0 with an answer, an empty one too; 2 for an expression that cannot be understood; 7 when something does not load; 3 with"
    yield "  `--keep_going` when parts did not."


def _shell(expression: str) -> str:
    return f"'{expression}'" if any(char in expression for char in ' ()"*') else expression


def _answer(expression: str) -> str:
    """What is asked about the small workspace above."""
    graph = TargetGraph(MemoryWorkspace({"BUILD.ml": "", **FILES}).loader)
    source = Source(expression)
    answer = Evaluation(graph, source, UNIVERSE).answer(parse(source))
    labels = answer.labels if answer.is_path else tuple(sorted(answer.labels))
    return "\n".join(lines_of("label", labels, graph))
