"""The language, in its own words: `cases/*.star`. Chunks are apart by `---`; `### regex` is the error that its line makes.

A chunk that begins with `# dialect: FIELD ...` has these fields of `Dialect` on.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mlbuild.lang import MODULE, STRUCT, Limits, StarlarkError, Thread, compile_program, execute
from mlbuild.records import replace

CASES = Path(__file__).with_name("cases")


def chunks() -> list[tuple[str, str]]:
    found = []
    for file in sorted(CASES.glob("*.star")):
        line = 1
        for chunk in re.split(r"(?m)^---\n", file.read_text()):
            found.append((f"{file.stem}:{line}", chunk))
            line += chunk.count("\n") + 1
    return found


def errors_of(source: str) -> list[tuple[int, str]]:
    named = re.match(r"# dialect: (.*)", source)
    dialect = replace(MODULE, **dict.fromkeys(named[1].split(), True)) if named else MODULE
    try:
        program = compile_program(source.encode(), "case.star", dialect, frozenset({"struct"}))
        execute(program, {"struct": STRUCT}, {}, Thread(limits=Limits(steps=1_000_000)))
    except StarlarkError as error:
        return [(each.location.line if each.location else 0, each.message) for each in error.diagnostics]
    return []


@pytest.mark.parametrize(("name", "chunk"), chunks(), ids=[name for name, _ in chunks()])
def test_case(name: str, chunk: str) -> None:
    code, expected = [], []
    for number, line in enumerate(chunk.split("\n"), 1):
        text, *patterns = re.split(r" *### ", line)
        code.append(text)
        expected += [(number, pattern) for pattern in patterns]
    found = errors_of("\n".join(code))
    assert sorted(line for line, _ in found) == sorted(line for line, _ in expected), found
    for line, message in found:
        assert any(line == at and re.search(pattern, message) for at, pattern in expected), (line, message)
