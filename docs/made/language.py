"""The page of the language: what each kind of file may contain and call, and what is refused, tried out here."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from docs.made import interface
from docs.made.markdown import listed, table
from mlbuild.lang import BUILD, JSON, MODULE, UNIVERSE, Dialect, Limits, StarlarkError, Thread, compile_program, execute
from mlbuild.lang.runtime.signatures import host_function, signature
from mlbuild.loading.native import BUILD_GLOBALS, MODULE_GLOBALS, NATIVE_RULES, PACKAGE_FUNCTIONS, WORKSPACE_GLOBALS

TYPES = {"string": '""', "bytes": 'b""', "list": "[]", "dict": "{}", "set": "set()"}
REFUSED = (
    ("while True: pass", MODULE),
    ("import math", MODULE),
    ("class A: pass", MODULE),
    ("try: pass", MODULE),
    ('raise "no"', MODULE),
    ("assert 1 == 1", MODULE),
    ("@memo\ndef f(): pass", MODULE),
    ("print 1", MODULE),
    ("x = 1 if 2", MODULE),
    ("x = 1 && 2", MODULE),
    ("x = [*[1], 2]", MODULE),
    ("x = sum(y for y in [1])", MODULE),
    ("def f():\n    global x", MODULE),
    ('x = f"{1}"', MODULE),
    ("x = 1 is 1", MODULE),
    ('x = "a" "b"', MODULE),
    ("x: int = 1", MODULE),
    ("x = 2 ** 3", MODULE),
    ("x = 1 < 2 < 3", MODULE),
    ("x = {1, 2}", MODULE),
    ("x = 1\nx = 2", MODULE),
    ("for x in []: pass", MODULE),
    ('for c in "abc".elems(): pass', BUILD),
    ("if True: pass", BUILD),
    ("def f(): pass", BUILD),
    ("x = len(*[[1]])", BUILD),
    ('x = [c for c in "abc"]', MODULE),
    ('x = 1 + "1"', MODULE),
    ('x = {"a": 1, "a": 2}', MODULE),
    ("def f(n): return f(n)\nf(1)", MODULE),
    ("x = 1 << 600", MODULE),
    ('x = "a" * (1 << 30)', MODULE),
)
"""Small files of a dialect that are refused: what Python or another Starlark would take, and what is too big."""


def page(rules: Path) -> str:
    """The whole page as Markdown. `rules` is the folder of mlbuild's own rules."""
    return "\n".join(_lines(rules)) + "\n"


def _lines(rules: Path) -> Iterator[str]:
    yield "# The language\n"
    yield "Made from the code by `docs/make_reference.py`; every example of what is refused has been run for this page.\n"
    yield "Files are written in [Starlark](https://github.com/bazelbuild/starlark), the language of Bazel's BUILD files: it"
    yield "looks like Python, always ends, and depends on nothing outside. The suites of the specification, Bazel, starlark-go"
    yield "and starlark-rust are among mlbuild's tests; where their authors have chosen differently,"
    yield "[a list](starlark_differences.md) says what mlbuild does and why.\n"
    yield from table(
        ("file", "is", "may contain"),
        (
            ("`WORKSPACE.ml`", "the root of a workspace", "what BUILD files may"),
            ("`BUILD.ml`", "a package", "assignments, calls, comprehensions, `load`; no `def`, `lambda`, `if`, `for`, `*args`"),
            ("`*.bzl`", "a module, for `load`", "all of Starlark"),
        ),
    )  # fmt: skip
    yield "\nA module is evaluated once. Then its globals are frozen: whoever loads a list or a dict can read it, and an attempt"
    yield "to change it is an error. Names that begin with `_` are private to their module.\n"
    yield "The parameters and the result of a `def` may be annotated, as in Bazel 9: `def f(x: int, *args: str) -> list[str]:`."
    yield "An annotation is read and not looked at: it says something to readers and tools, names in it need not exist, and"
    yield "nothing checks it.\n"
    yield "## What BUILD files can call\n"
    yield "[All rules](rules.md), and\n"
    yield from _functions(PACKAGE_FUNCTIONS)
    yield from _functions({name: each for name, each in BUILD_GLOBALS.items() if name in ("select", "depset", "Label")})
    yield "\nPatterns of `glob`: `*` is any stretch of one name, `**` any number of whole folders; a name with a dot in front"
    yield "is matched only by a pattern that writes the dot. Folders that are packages of their own are not entered.\n"
    yield "## What WORKSPACE.ml can call\n"
    yield from _functions(WORKSPACE_GLOBALS)
    yield "\n## What modules get\n"
    yield f"{listed(MODULE_GLOBALS)} and `native`, which has the functions of packages"
    yield f"({listed(f'native.{name}' for name in PACKAGE_FUNCTIONS)}) and every rule by name. Functions of packages and rules"
    yield "work while a BUILD file is evaluated: a macro, a function that a BUILD file calls, may use them.\n"
    yield from _functions({f"json.{name}": JSON.starlark_attr(name) for name in JSON.starlark_dir()})
    yield "\n## Functions of the language\n"
    yield "Every file has these. `…` stands for a default that cannot be written. What stands before `/` is given by place.\n"
    yield from (f"* `{signature(name, host_function(each))}`" for name, each in sorted(UNIVERSE.items()))
    yield "\n## Methods\n"
    yield from table(("type", "methods"), ((f"`{name}`", listed(_methods(text))) for name, text in TYPES.items()))
    yield "\n## Limits\n"
    yield f"A file may take {Limits().steps:,} steps (calls, turns of loops, elements made) and nest {Limits().depth} calls. The"
    yield "count is the same on every machine. Functions cannot call themselves, directly or through others.\n"
    yield "## What is refused\n"
    yield from table(("file", "text", "message"), map(_refusal, REFUSED))
    yield "\n## Differences from other Starlarks\n"
    yield '* Strings are sequences of Unicode code points, not of bytes or UTF-16 units: `len("é") == 1`.'
    yield "* Integers may be big, up to the limits above."
    yield "* There are `set`, `lambda`, nested functions and `bytes`; there are no type annotations."
    yield "* BUILD files may assign a name twice, as in Bazel; modules may not."
    yield "* All errors of a BUILD file's targets are told at once."
    yield "* `exports_files` changes nothing: source files are visible to all."
    yield "* `glob` and `subpackages` must match something, unless `allow_empty = True`."
    yield "* `:by_time.train` names the part `train` of the target `:by_time`, if its rule has made such a part.\n"
    yield from interface.lines(rules)


def _functions(functions: Mapping[str, object]) -> Iterator[str]:
    for name, each in functions.items():
        if name in NATIVE_RULES:
            continue
        function = host_function(each)
        doc = (inspect.getdoc(function) or "").partition("\n")[0]
        yield f"* `{signature(name, function)}`" + (f": {doc}" if doc else "")


def _methods(text: str) -> Iterable[str]:
    names = _run(f"x = dir({text})", MODULE)["x"]
    assert isinstance(names, list)
    return names


def _refusal(case: tuple[str, Dialect]) -> tuple[str, str, str]:
    text, dialect = case
    try:
        _run(text, dialect)
    except StarlarkError as error:
        shown = "<br>".join(f"`{line}`" for line in text.splitlines())
        found = error.diagnostics[0]
        return "`BUILD.ml`" if dialect is BUILD else "`*.bzl`", shown, f"`{found.code}`: {found.message}"
    raise AssertionError(f"this is not refused: {text}")


def _run(text: str, dialect: Dialect) -> Mapping[str, object]:
    return execute(compile_program(text.encode(), "shown", dialect, frozenset()), {}, {}, Thread())
