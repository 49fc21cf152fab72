"""The page of what Starlark's implementations do differently, from what the tests of the published suites explain and record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from docs.made.markdown import table

_NAMES = {
    "spec": "the specification's, [bazelbuild/starlark](https://github.com/bazelbuild/starlark)",
    "bazel": "Bazel's own",
    "go": "[starlark-go](https://github.com/google/starlark-go): evaluation, with `math`, `json`, `struct`",
    "go-syntax": "starlark-go: syntax errors",
    "go-resolve": "starlark-go: mistakes of names and places, all of a file",
    "rust-eval": "[starlark-rust](https://github.com/facebook/starlark-rust): evaluation",
    "rust-unit": "starlark-rust: unit tests",
    "rust-golden": "starlark-rust: static errors",
    "rust-parse": "starlark-rust: files of real projects that parse",
}


def page(tests: Path) -> str:
    """The whole page as Markdown. `tests` is the folder of the language's tests."""
    differences = json.loads((tests / "differences.json").read_text(encoding="utf-8"))
    results = json.loads((tests / "results" / "suites.json").read_text(encoding="utf-8"))
    return "\n".join(_lines(differences, results)) + "\n"


def _lines(
    differences: dict[str, dict[str, dict[str, str]]], results: dict[str, dict[str, dict[str, int]]]
) -> Iterator[str]:
    yield "# Where Starlark's implementations differ\n"
    yield "Made by `docs/make_reference.py` from `tests/lang/differences.json`. mlbuild runs the published suites of Starlark. Where"
    yield "implementations have chosen differently it does what Bazel does, unless its row says whom it follows; where Bazel has"
    yield "nothing, what the specification says. A test runs the suites and holds that what differs is exactly what is listed.\n"
    yield f"Found on {results['date']} with Python {results['python']} ({results['machine']}). A case is a line that asserts, or a"
    yield "part of a file that must fail. Messages are compared where they are Bazel's. Not counted are the tests of starlark-go's"
    yield "modules `time` and `proto`, and what starlark-rust adds to the language. Files of starlark-go that ask for its options"
    yield "(`while`, recursion, globals bound again, sets that `<` compares as subsets) run with the same options of our"
    yield "compiler, as a host that embeds it may choose them; in mlbuild's own files all of these are errors.\n"
    yield "Bazel's suite comes from the package index and runs with all tests. The others run where `MLBUILD_STARLARK_SUITES`"
    yield "names a folder with clones (the skipped tests say how to make them); then `python -m tests.lang.suites` records the"
    yield "figures anew.\n"
    rows = []
    for name, said in _NAMES.items():
        found = results["suites"][name]
        lines = (
            f"{found['on_that_line']} of {found['errors_on_a_named_line']}" if found["errors_on_a_named_line"] else ""
        )
        agree = f"{found['agree']} ({_percent(found['agree'], found['cases'])})"
        rows.append((f"`{name}`", said, str(found["cases"]), agree, lines))
    yield from table(("", "suite", "cases", "agree", "errors on the suite's line"), rows)
    found_errors = [results["suites"][name] for name in _NAMES]
    told, named = (sum(each[key] for each in found_errors) for key in ("on_that_line", "errors_on_a_named_line"))
    yield f"\nIn all suites {told} of {named} errors ({_percent(told, named)}) are told on the line that the suite names.\n"
    yield "## What differs\n"
    counts: dict[str, list[str]] = {reason: [] for reason in differences["reasons"]}
    for name, cases in differences["cases"].items():
        for reason in sorted(set(cases.values())):
            counts[reason].append(f"`{name}` {list(cases.values()).count(reason)}")
    rows = [
        (each["what"], each["here"], each["elsewhere"], each["why"], ", ".join(counts[reason]))
        for reason, each in differences["reasons"].items()
    ]
    rows += [
        (each["what"], each["here"], each["elsewhere"], each["why"], "none of the suites'")
        for each in differences["outside_of_the_suites"].values()
    ]
    yield from table(("expression", "here", "elsewhere", "why", "cases"), rows)


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %"
