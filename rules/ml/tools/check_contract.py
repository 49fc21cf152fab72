"""Checks a table tree against its contract, on the columns that the contract names and no others."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from rules.ml.tools import tables
from rules.ml.tools.contract_rules import Violation, check_column, check_rows
from rules.ml.tools.failure import ToolError

EXAMPLES = 3


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="check_contract")
    parser.add_argument("--label", required=True, help="the contract")
    parser.add_argument("--data", required=True, help="the data's label")
    parser.add_argument("--tree", required=True)
    parser.add_argument("--read", action="append", default=[], help="a column to read; without, all")
    parser.add_argument("--rows", default="{}", help="JSON: {min, max}")
    parser.add_argument("--columns", default="{}", help="JSON: {column: {rule: value}}")
    parser.add_argument("--domain", action="append", default=[], help="TREE:COLUMN, numbered from 0")
    parser.add_argument("--key", action="append", default=[])
    parser.add_argument("--on_fail", choices=["error", "quarantine", "warn"], default="error")
    parser.add_argument("--stamp", required=True)
    parser.add_argument("--findings", required=True)
    parser.add_argument("--clean")
    parser.add_argument("--quarantined")
    options = parser.parse_args(arguments)

    columns = _with_domains(json.loads(options.columns), options.domain)
    partitions = tables.partition_names(options.tree)
    read = [tables.read_partition(Path(options.tree) / each, options.read or None) for each in partitions]
    table = tables.concatenate(list(zip(partitions, read, strict=True)), options.data)

    violations = list(check_rows(table.num_rows, json.loads(options.rows)))
    for name, rules in columns.items():
        violations += check_column(name, table.column(name), rules)
    text = "\n".join(describe(each, table, options.key) for each in violations)

    if options.on_fail == "quarantine":
        fatal = [each for each in violations if each.rows is None or each.rule == "max_null_rate"]
        if not fatal:
            _quarantine(table, [each.num_rows for each in read], partitions, violations, options)
    else:
        fatal = violations if options.on_fail == "error" else []
    if fatal:
        raise ToolError(
            "contract-broken",
            f"{options.data} breaks its contract {options.label}: {_count(len(fatal), 'rule')} of the contract "
            f"{'does' if len(fatal) == 1 else 'do'} not hold",
            notes=[describe(each, table, options.key) for each in fatal],
            hint="mend the data or its source, or, if the data are right, change the contract",
        )
    Path(options.stamp).write_bytes(b"")
    rules_checked = sum(len(each) for each in columns.values()) + len(json.loads(options.rows))
    head = f"{options.label}: {table.num_rows:,} rows, {_count(rules_checked, 'rule')}: "
    ending = "all hold\n" if not violations else f"{_count(len(violations), 'violation')} ({options.on_fail})\n{text}\n"
    Path(options.findings).write_text(head + ending, encoding="utf-8")


def describe(violation: Violation, table: pa.Table, key: Sequence[str]) -> str:
    """The violation with up to three example rows: their key columns, then the value."""
    what = f"column `{violation.column}`: {violation.rule}" if violation.column else violation.rule
    lines = [f"{what}: {violation.message}"]
    if violation.rows is not None:
        shown = [name for name in key if name != violation.column] + [violation.column]
        rows = table.select(shown).take(pa.array(violation.rows[:EXAMPLES])).to_pylist()
        texts = [[_text(row[name]) for name in shown] for row in rows]
        widths = [max(len(name), *(len(row[index]) for row in texts)) for index, name in enumerate(shown)]
        for line in (shown, *texts):
            lines.append(
                "    " + "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
            )
        if violation.count > EXAMPLES:
            lines.append(f"    and {violation.count - EXAMPLES:,} more")
    return "\n".join(lines)


def _text(value: object) -> str:
    if value is None:
        return "null"
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def _domain(text: str) -> pa.ChunkedArray:
    tree, _, column = text.rpartition(":")
    return tables.read_tree(tree, [column]).column(0)


def _with_domains(columns: Mapping[str, Mapping[str, object]], domains: Sequence[str]) -> dict[str, dict[str, object]]:
    """`{"in": {"domain": 0}}` names a column of another table, by its place among `--domain`; so does `drift`."""
    resolved: dict[str, dict[str, object]] = {}
    for name, rules in columns.items():
        resolved[name] = dict(rules)
        domain, drift = rules.get("in"), rules.get("drift")
        if isinstance(domain, dict):
            resolved[name]["in"] = list(_domain(domains[domain["domain"]]).drop_null().unique().to_pylist())
        if isinstance(drift, dict):
            resolved[name]["drift"] = {**drift, "reference": _domain(domains[drift["domain"]])}
    return resolved


def _quarantine(
    table: pa.Table,
    lengths: Sequence[int],
    partitions: Sequence[str],
    violations: Sequence[Violation],
    options: argparse.Namespace,
) -> None:
    """Writes the rows that keep every rule to `--clean`, the others to `--quarantined`, partition by partition."""
    good = np.ones(table.num_rows, dtype=bool)
    for violation in violations:
        if violation.rows is not None:
            good[violation.rows] = False
    start = 0
    for partition, length in zip(partitions, lengths, strict=True):
        rows, mask = table.slice(start, length), good[start : start + length]
        tables.write_partition(rows.filter(pa.array(mask)), Path(options.clean) / partition)
        tables.write_partition(rows.filter(pa.array(~mask)), Path(options.quarantined) / partition)
        start += length
