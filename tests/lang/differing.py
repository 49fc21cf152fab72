"""The same programs by other implementations: what differs, and whether a rule explains it.

python -m tests.lang.differing FIRST LAST go=PYTHON rust=PYTHON
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from mlbuild.lang import MODULE, Limits, StarlarkError, Thread, compile_program, execute
from tests.lang.programs import Program

PEER = Path(__file__).with_name("peer.py")
PACKAGES = {"go": "starlark-go==1.0.1", "rust": "starlark-pyo3==2026.1.3"}


class Rule(NamedTuple):
    """A difference that is meant: why, which peers have it, and how it is known from `ours | theirs`."""

    reason: str
    peers: tuple[str, ...]
    pattern: str


BUDGET = frozenset(("too-many-steps", "too-much-memory", "too-large", "integer-too-large"))
"""Codes of limits that others have not, or elsewhere: what exceeds them is not given to them, since it might take them for ever."""

RULES = (
    Rule("what cannot be a key is never in a dict: most likely a mistake, as in Bazel", ("go", "rust"), r"unhashable type: .* \| value$"),
    Rule("starlark-go 1.0.1 has few methods of sets", ("go",), r"\| .*(set has no \.|unknown binary op: set -)"),
    Rule("starlark-rust's `startswith` and `endswith` take no bounds", ("rust",), r"\| (?s:.*)expected 1, got [23]\n(?s:.*)(starts|ends)with\("),
    Rule("a method that would change nothing of a value that cannot change is no error", ("go",), r"^value \| .*(cannot (insert into|delete from) (frozen )?hash table)"),
    Rule("a method that would change nothing of a value that cannot change is no error", ("rust",), r"^value \| (?s:.*)([Ii]mmutable|mutates an iterable)(?s:.*)\.setdefault\("),
    Rule("a list grows in place by a list or a tuple, not by any iterable", ("go", "rust"), r"unsupported binary operation: list \+ (dict|set|range) \| value"),
    Rule("equal tuples and lists need no order of their elements", ("rust",), r"^value \| (?s:.*)`compare` not supported for types `(NoneType|dict)` and `\1`"),
    Rule("starlark-rust iterates over strings", ("rust",), r"type 'string' is not iterable \| value"),
    Rule("whether a range has what is no number is an error, as in starlark-go", ("rust",), r"'in range' requires integer as left operand.* \| value"),
    Rule("starlark-rust's ranges have 32 bits", ("rust",), r"value \| (?s:.*)Error unpacking value for parameter `a\d` of type `int\b(?s:.*)range\("),
    Rule("a dict cannot hold a bool and its equal number as two keys", ("go", "rust"), r"a dict cannot hold both .* \| value"),
    Rule("starlark-rust's `replace` takes no negative count", ("rust",), r"\| .*(?s:.*)Replace final argument was negative"),
    Rule("starlark-rust's `int` takes `0x` without being told the base", ("rust",), r'invalid base-10 literal: "[-+]?0[xob].*\| value'),
    Rule("ranges have 32 bits, as in Bazel", ("go", "rust"), r"want value in signed 32-bit range \|"),
    Rule("starlark-rust's `pop` takes no negative index", ("rust",), r"\| (?s:.*)Index `-\d+` is out of bound(?s:.*)\.pop\("),
)  # fmt: skip


LIMITS = Limits(steps=100_000, memory=1 << 20)


def ours(program: Program) -> dict[str, str]:
    """The text of `result`, or what went wrong."""
    try:
        loaded = {}
        if program.library is not None:
            library = compile_program(program.library.encode(), "lib.star", MODULE, frozenset())
            loaded["lib.star"] = execute(library, {}, {}, Thread())
        compiled = compile_program(program.text().encode(), "program.star", MODULE, frozenset())
        return {"result": str(execute(compiled, {}, loaded, Thread(limits=LIMITS))["result"])}
    except StarlarkError as error:
        return {"error": error.message, "code": error.diagnostics[0].code}


def theirs(peer: str, python: Path, programs: list[Program]) -> list[dict[str, str]]:
    """The peer's answers. One that dies of a program has no answer to it, and is started again for the rest."""
    answers: list[dict[str, str]] = []
    while len(answers) < len(programs):
        rest = programs[len(answers) :]
        lines = "".join(json.dumps((each.text(), each.library)) + "\n" for each in rest)
        told = subprocess.run(
            [python, PEER, peer], input=lines, capture_output=True, text=True, timeout=120, check=False
        )
        answers += [json.loads(line) for line in told.stdout.splitlines()]
        if len(answers) < len(programs):
            answers.append({"died": told.stderr[-300:]})
    return answers


def plain(text: str | None, peer: str) -> str | None:
    """Without the ways to write one number: starlark-go has `1e+06`, starlark-rust six digits and no sign of zero."""
    if text is None:
        return None

    def number(match: re.Match[str]) -> str:
        value = float(match[0])
        return repr(value) if peer == "go" else f"{value + 0.0:.5g}"

    text = text.replace("set([])", "set()")
    return re.sub(r"-?\d+\.?\d*e[+-]?\d+|-?\d+\.\d+", number, text)


ORDER = Rule("an intersection has the order of the first set, as in Bazel", ("go",), "")
STRIP = Rule("to strip no characters strips nothing, as in Bazel", ("go",), r"""strip\((""|'')\)""")


def explained(program: Program, peer: str, mine: dict[str, str], answer: dict[str, str]) -> Rule | None:
    """The rule by which the two may differ."""
    if (
        program.has_sets
        and peer in ORDER.peers
        and "result" in mine
        and sorted(mine["result"]) == sorted(answer.get("result", ""))
    ):
        return ORDER
    if (
        peer in STRIP.peers
        and re.search(STRIP.pattern, program.text())
        and "result" in mine
        and mine["result"].replace(" ", "") == answer.get("result", "").replace(" ", "")
    ):
        return STRIP
    told = f"{mine.get('error', 'value')} | {answer.get('error', 'value')}"
    for rule in RULES:
        if peer in rule.peers and re.search(rule.pattern, told):
            return rule
    return None


def compare(seeds: range, pythons: dict[str, Path]) -> tuple[Counter[str], list[str]]:
    """How often what was seen, and each difference that no rule explains."""
    counts: Counter[str] = Counter()
    unexplained: list[str] = []
    programs = [Program(seed) for seed in seeds]
    mine = [ours(program) for program in programs]
    counts["programs"] += len(programs)
    counts["programs that exceed a limit"] += sum(each.get("code") in BUDGET for each in mine)
    counts["programs that end with a value"] += sum("result" in each for each in mine)
    for peer, python in pythons.items():
        # starlark-rust's bindings have no sets.
        able = [index for index, program in enumerate(programs) if not (peer == "rust" and program.has_sets)]
        chosen = [index for index in able if mine[index].get("code") not in BUDGET]
        for index, answer in zip(chosen, theirs(peer, python, [programs[index] for index in chosen]), strict=True):
            counts[f"compared with {peer}"] += 1
            if "died" in answer:
                counts[f"{peer} died"] += 1
            elif plain(mine[index].get("result"), peer) != plain(answer.get("result"), peer):
                rule = explained(programs[index], peer, mine[index], answer)
                if rule is None:
                    unexplained.append(f"seed {seeds[index]}, {peer}:\n  ours:   {mine[index]}\n  theirs: {answer}")
                else:
                    counts[f"{peer}: {rule.reason}"] += 1
    return counts, unexplained


def main() -> int:
    first, last = int(sys.argv[1]), int(sys.argv[2])
    pythons = {name: Path(python) for name, _, python in (each.partition("=") for each in sys.argv[3:])}
    counts: Counter[str] = Counter()
    failed = 0
    began = time.monotonic()
    for start in range(first, last, 1000):
        found, unexplained = compare(range(start, min(start + 1000, last)), pythons)
        counts += found
        failed += len(unexplained)
        print(*unexplained, sep="\n", flush=True) if unexplained else None
    print(json.dumps({**counts, "unexplained": failed, "seconds": round(time.monotonic() - began)}, indent=1))
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
