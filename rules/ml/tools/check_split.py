"""Whether a split keeps what its `requires` asks: enough rows in each part, and no value of a column in two parts."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from rules.ml.tools import predicates, tables
from rules.ml.tools.failure import ToolError


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="check_split")
    parser.add_argument("--label", required=True)
    parser.add_argument("--tree", required=True)
    parser.add_argument("--read", action="append", required=True)
    parser.add_argument("--part", action="append", required=True, help="NAME=PREDICATE")
    parser.add_argument("--assignments")
    parser.add_argument("--requires", required=True, help="JSON: {min_rows, disjoint}")
    parser.add_argument("--stamp", required=True)
    options = parser.parse_args(arguments)

    requires = json.loads(options.requires)
    table = tables.read_tree(options.tree, options.read)
    assignments = tables.read_tree(options.assignments) if options.assignments else None
    parts = {}
    for text in options.part:
        name, _, path = text.partition("=")
        mask = predicates.member_mask(table, predicates.load(path), assignments)
        parts[name] = table.filter(pa.array(mask))
    problems = find_problems(parts, requires)
    if problems:
        raise ToolError(
            "split-requirement", f"the split {options.label} does not keep what it requires", notes=problems
        )
    Path(options.stamp).write_bytes(b"")


def find_problems(parts: dict[str, pa.Table], requires: dict[str, object]) -> list[str]:
    """A line for each requirement that the parts do not keep."""
    problems = []
    least = requires.get("min_rows", 0)
    assert isinstance(least, int)
    for name, rows in parts.items():
        if rows.num_rows < least:
            problems.append(f"part `{name}` has {rows.num_rows:,} rows, fewer than {least:,}")
    disjoint = requires.get("disjoint", [])
    assert isinstance(disjoint, list)
    names = list(parts)
    for column in disjoint:
        values = {name: set(parts[name].column(column).drop_null().unique().to_pylist()) for name in names}
        for index, first in enumerate(names):
            for second in names[index + 1 :]:
                shared = sorted(values[first] & values[second], key=str)
                if shared:
                    examples = ", ".join(repr(each) for each in shared[:3])
                    problems.append(
                        f"{len(shared):,} values of `{column}` are in `{first}` and in `{second}`, such as {examples}"
                    )
    return problems
