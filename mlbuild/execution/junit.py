"""JUnit XML of a test target, as CI systems read it. Canonical: no times of day, no host."""

from __future__ import annotations

import re

from mlbuild.execution.outcome import TestOutcome
from mlbuild.terms import Label

# What XML 1.0 cannot hold, even escaped.
FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(label: Label, outcomes: tuple[TestOutcome, ...]) -> bytes:
    """One suite for the target, one case for each of its test actions."""
    failures = sum(not outcome.is_passed for outcome in outcomes)
    name = quoted(label.short)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        "<testsuites>",
        f'  <testsuite name={name} tests="{len(outcomes)}" failures="{failures}" errors="0">',
    ]
    for number, outcome in enumerate(outcomes, 1):
        case = name if len(outcomes) == 1 else quoted(f"{label.short} {number}")
        lines.append(f'    <testcase name={case} classname={quoted(label.package)} time="{outcome.seconds:.3f}">')
        if not outcome.is_passed:
            reason = "timed out" if outcome.is_timed_out else "failed"
            lines.append(f'      <failure message="{reason}"/>')
        text = FORBIDDEN.sub("\ufffd", outcome.log.decode("utf-8", "replace"))
        lines.append(f"      <system-out>{escaped(text)}</system-out>")
        lines.append("    </testcase>")
    lines += ["  </testsuite>", "</testsuites>", ""]
    return "\n".join(lines).encode()


def escaped(text: str) -> str:
    """Text for an element. The library's own escape would bring the whole of urllib with it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def quoted(text: str) -> str:
    """Text as an attribute's value."""
    return '"' + escaped(text).replace('"', "&quot;") + '"'
