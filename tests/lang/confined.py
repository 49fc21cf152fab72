"""Runs Starlark files in processes that can have only so much: `python -m tests.lang.confined`, a source as JSON a line.

Back comes a line of JSON for each: `x`, or the code of the error, and the CPU seconds; or the signal that ended the process.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time

from mlbuild.lang import JSON, MODULE, STRUCT, StarlarkError, Thread, compile_program, execute

MEMORY = 256 << 20
SECONDS = 8
"""A generous bound: what is measured is a second on an idle machine."""


def answer(source: str) -> dict[str, object]:
    """What the file ends with."""
    began = time.process_time()
    try:
        names = {"struct": STRUCT, "json": JSON}
        program = compile_program(source.encode(), "a.bzl", MODULE, frozenset(names))
        found: dict[str, object] = {"x": repr(execute(program, names, {}, Thread()).get("x"))[:100]}
    except StarlarkError as error:
        found = {"code": error.diagnostics[0].code, "message": error.message[:300], "hint": error.diagnostics[0].hint}
    return {**found, "seconds": time.process_time() - began}


def main() -> None:
    compile_program(b"x = 1", "a.bzl", MODULE, frozenset())
    for line in sys.stdin:
        source = json.loads(line)
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
            resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
            os.write(writing, json.dumps(answer(source)).encode())
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as told:
            data = told.read()
        _, status, used = os.wait4(child, 0)
        found = json.loads(data) if data else {"signal": os.waitstatus_to_exitcode(status)}
        print(json.dumps({**found, "mib": used.ru_maxrss >> 10}), flush=True)


if __name__ == "__main__":
    main()
