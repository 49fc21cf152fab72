"""Whether an evaluation's metrics pass its gates: a table of slices, a line for each gate, and the verdict."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rules.ml.tools import canonical
from rules.ml.tools.failure import ToolError

SHOWN = "0.95"


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="check_gates")
    parser.add_argument("--label", required=True, help="the evaluation")
    parser.add_argument("--metrics", required=True)
    parser.add_argument("--gates", required=True, help="JSON: a list of gates")
    parser.add_argument("--champion", help="the metrics file of an earlier evaluation")
    parser.add_argument("--out", required=True)
    options = parser.parse_args(arguments)

    metrics: Any = canonical.read(options.metrics)
    champion: Any = canonical.read(options.champion) if options.champion else None
    results = [result for gate in json.loads(options.gates) for result in check(gate, metrics, champion)]
    failed = sum(not is_passed for is_passed, _ in results)
    lines = table_of_slices(metrics)
    if results:
        lines += ["", *(f"{'PASSED' if is_passed else 'FAILED'}  {text}" for is_passed, text in results)]
        lines += ["", f"{options.label}: {len(results) - failed} of {len(results)} gates passed"]
    report = "\n".join(lines) + "\n"
    print(report, end="")
    if failed:
        raise ToolError("gate-failed", f"{failed} of {len(results)} gates of {options.label} failed")
    Path(options.out).write_text(report, encoding="utf-8")


def check(
    gate: Mapping[str, Any], metrics: Mapping[str, Any], champion: Mapping[str, Any] | None
) -> list[tuple[bool, str]]:
    """Whether the gate holds, and in words why: one result, or one for each value of its `slices` column."""
    chosen = [each for each in metrics["slices"] if _is_meant(gate, each["slice"])]
    if not chosen:
        what = gate.get("slice") or gate.get("slices")
        raise ToolError(
            "no-such-slice",
            f"a gate speaks of the slice {what!r}, which was not measured",
            notes=["measured: " + ", ".join(slice_name(each["slice"]) for each in metrics["slices"])],
            hint="name its column in `slices` of the evaluation",
        )
    return [_check_slice(gate, each, champion) for each in chosen]


def _is_meant(gate: Mapping[str, Any], each: Mapping[str, str]) -> bool:
    if "slices" in gate:
        return gate["slices"] in each
    return {name: str(value) for name, value in gate.get("slice", {}).items()} == dict(each)


def _check_slice(
    gate: Mapping[str, Any], each: Mapping[str, Any], champion: Mapping[str, Any] | None
) -> tuple[bool, str]:
    name, where = gate["metric"], each["slice"]
    found = _metric(each, name)
    is_higher_better = found["is_higher_better"]
    confidence = str(gate["confidence"]) if "confidence" in gate else None
    versus = gate.get("versus")
    subject = f"{name}" + (f" of {slice_name(where)}" if where else "")
    if versus is None:
        verdicts = []
        for bound, sign in (("min", 1), ("max", -1)):
            if bound in gate:
                value, text = _cautious(found["model"], confidence, sign)
                is_kept = value is not None and (value - gate[bound]) * sign >= 0
                word = "at least" if sign > 0 else "at most"
                verdicts.append((is_kept, f"{word} {gate[bound]:g}: {text}"))
        return all(kept for kept, _ in verdicts), f"{subject} " + ", ".join(text for _, text in verdicts)
    least = gate.get("min_gain", 0.0)
    if versus == "baseline":
        if "gain" not in found:
            raise ToolError("no-baseline", "a gate compares with the baseline, but the evaluation has none")
        value, text = _cautious(found["gain"], confidence, 1, signed=True)
    else:
        assert champion is not None, "the rule asks for a champion file"
        matching = next((one for one in champion["slices"] if one["slice"] == where), None)
        if matching is None:
            raise ToolError("no-such-slice", f"the champion's file has no slice {slice_name(where)}")
        recorded = _metric(matching, name)["model"]["value"]
        sign = 1 if is_higher_better else -1
        own, _ = _cautious(found["model"], confidence, sign)
        value = None if own is None or recorded is None else (own - recorded) * sign
        text = f"{_number(value, signed=True)} (recorded {_number(recorded)})"
    return value is not None and value >= least, f"{subject} better than the {versus} by at least {least:g}: {text}"


def _metric(each: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    if name not in each["metrics"]:
        raise ToolError(
            "unmeasured-metric",
            f"a gate speaks of `{name}`, which was not measured",
            hint="name it in `metrics` of the evaluation",
        )
    found: Mapping[str, Any] = each["metrics"][name]
    return found


def _cautious(
    line: Mapping[str, Any], confidence: str | None, sign: int, signed: bool = False
) -> tuple[float | None, str]:
    """The value, or with a confidence the end of the interval that is worse."""
    if confidence is None:
        return line["value"], _with_interval(line, signed)
    if confidence not in line["intervals"]:
        raise ToolError("no-interval", "a gate has a `confidence`, but the evaluation has no `bootstrap`")
    low, high = line["intervals"][confidence]
    end, word = (low, "lower") if sign > 0 else (high, "upper")
    return end, f"{_with_interval(line, signed)}, {word} end of {float(confidence):.0%} {_number(end, signed)}"


def table_of_slices(metrics: Mapping[str, Any]) -> list[str]:
    """One line for each slice and metric."""
    unit = {"query": "queries", "row": "rows"}[metrics["unit"]]
    has_baseline = any("baseline" in found for found in metrics["slices"][0]["metrics"].values())
    head = ["metric", "slice", unit, "model"] + (["baseline", "gain"] if has_baseline else [])
    if metrics["bootstrap"]:
        head = [f"{each} [{float(SHOWN):.0%}]" if each in ("model", "baseline", "gain") else each for each in head]
    lines = [head]
    for name in metrics["slices"][0]["metrics"]:
        for each in metrics["slices"]:
            found = each["metrics"][name]
            line = [name, slice_name(each["slice"]), f"{each['units']:,}", _with_interval(found["model"])]
            if has_baseline:
                line += [_with_interval(found["baseline"]), _with_interval(found["gain"], signed=True)]
            lines.append(line)
    widths = [max(len(line[index]) for line in lines) for index in range(len(head))]
    return ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in lines]


def slice_name(where: Mapping[str, str]) -> str:
    return ", ".join(f"{column} = {value}" for column, value in where.items()) or "all"


def _with_interval(line: Mapping[str, Any], signed: bool = False) -> str:
    text = _number(line["value"], signed)
    if SHOWN in line["intervals"]:
        low, high = line["intervals"][SHOWN]
        text += f" [{_number(low, signed)}, {_number(high, signed)}]"
    return text


def _number(value: float | None, signed: bool = False) -> str:
    if value is None:
        return "undefined"
    return f"{value:+.4f}" if signed else f"{value:.4f}"
