"""Runs programs with another implementation: `peer.py go|rust < programs.jsonl`, in an environment that has it.

One line a program, as JSON: its text and that of the library it loads, or null; one line back: the text of `result`, or what went wrong.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any


def go() -> Callable[[str, str | None], Any]:
    import starlark_go

    starlark_go.configure_starlark(allow_set=True)

    def run(program: str, library: str | None) -> Any:
        interpreter = starlark_go.Starlark()
        if library is not None:  # what it has executed before is frozen, and its globals are seen without `load`
            interpreter.exec(library, filename="lib.star")
            program = program.partition("\n")[2]
        interpreter.exec(program, filename="program.star")
        return interpreter.get("result")

    return run


def rust() -> Callable[[str, str | None], Any]:
    import starlark

    dialect = starlark.Dialect.extended()
    dialect.enable_keyword_only_arguments = True
    names = starlark.Globals.standard()

    def run(program: str, library: str | None) -> Any:
        module = starlark.Module()
        parsed = starlark.parse("program.star", program, dialect)
        if library is None:
            starlark.eval(module, parsed, names)
        else:
            loaded = starlark.Module()
            starlark.eval(loaded, starlark.parse("lib.star", library, dialect), names)
            frozen = loaded.freeze()
            starlark.eval(module, parsed, names, starlark.FileLoader(lambda _: frozen))
        return module["result"]

    return run


def main() -> None:
    run = {"go": go, "rust": rust}[sys.argv[1]]()
    for line in sys.stdin:
        try:
            answer = {"result": run(*json.loads(line))}
        except BaseException as error:  # a panic of the peer is no Exception
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


main()
