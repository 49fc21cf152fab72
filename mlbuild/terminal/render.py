"""Events as lines of text. Plain functions: the same text whether it goes to a terminal, a pipe or a test."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from mlbuild.diagnostics import ExitCode, escape
from mlbuild.terms.event import ActionFailed, BuildFinished, TargetCompleted, TestFinished

TAIL_LINES = 40
TAIL_BYTES = 16_384
REPORT_LINES = 60
SHOWN_OUTPUTS = 10


def duration(seconds: float) -> str:
    """`0.3s`, `12.4s`, `3m07s`, `2h05m`."""
    if seconds < 60:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest:02d}s" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02d}m"


def failure(event: ActionFailed, verbose: bool) -> list[str]:
    """A failed action: who, why, what to do about it, the end of its log, and where the whole log lies."""
    lines = [f"ERROR: {event.owner.short}: {event.mnemonic} failed: {escape(event.reason)}"]
    if verbose and event.command:
        lines.append(f"  command: {escape(shlex.join(event.command))}")
    shown, cut = tail(event.log_tail)
    if cut:
        lines.append(f"  | … {cut} lines before")
    lines += [f"  | {line}" for line in shown]
    for hint in event.hints:
        first, *rest = escape(hint).split("\n")
        lines += [f"  hint: {first}", *(f"        {line}" for line in rest)]
    if event.log_path and event.log_tail:
        lines.append(f"  whole log: {escape(event.log_path)}")
    if not verbose and event.command:
        lines.append("  (`--verbose_failures` shows the command)")
    return lines


def tail(log: str) -> tuple[list[str], int]:
    """The last lines of a log, safe for a terminal, and how many were cut."""
    lines = escape(log[-TAIL_BYTES:].replace("\r\n", "\n").replace("\r", "\n")).rstrip("\n").split("\n")
    if lines == [""]:
        return [], 0
    total = log.rstrip("\n").count("\n") + 1
    kept = lines[-TAIL_LINES:]
    return kept, max(0, total - len(kept))


def completed(event: TargetCompleted) -> list[str]:
    """A target's outputs and reports."""
    if not event.is_success:
        return [f"Target {event.label.short} was not built"]
    lines = [f"Target {event.label.short} up-to-date" + (":" if event.outputs else " (nothing to place)")]
    lines += [f"  {escape(path)}" for path in event.outputs[:SHOWN_OUTPUTS]]
    if len(event.outputs) > SHOWN_OUTPUTS:
        lines.append(f"  … and {len(event.outputs) - SHOWN_OUTPUTS} more")
    for report in event.reports:
        text = escape(report).rstrip("\n").split("\n")
        lines += ["", *(f"  {line}" for line in text[:REPORT_LINES])]
        if len(text) > REPORT_LINES:
            lines.append(f"  … and {len(text) - REPORT_LINES} lines more")
    return lines


def verdict(event: TestFinished) -> str:
    """`//models:quality  (cached) PASSED in 0.3s`."""
    status = event.status.replace("_", " ")
    how = "(cached) " if event.is_cached else ""
    took = f" in {duration(event.seconds)}" if event.status != "NO_STATUS" and not event.is_cached else ""
    return f"{event.label.short}  {how}{status}{took}"


def test_log(event: TestFinished) -> list[str]:
    lines = [f"==== Log of {event.label.short}:"]
    lines += escape(event.log).rstrip("\n").split("\n")
    if event.log_path:
        lines.append(f"==== whole log: {escape(event.log_path)}")
    return lines


def tests_summary(events: Iterable[TestFinished]) -> str:
    every = list(events)
    passed = sum(event.status == "PASSED" for event in every)
    parts = [f"{passed} {_plural(passed, 'test passes', 'tests pass')}"]
    if failed := len(every) - passed:
        parts.append(f"{failed} {_plural(failed, 'fails', 'fail')}")
    return f"{', '.join(parts)} out of {len(every)}"


def last_line(event: BuildFinished) -> str:
    """`41 actions: 3 ran, 37 cached locally, 1 cached remotely; 4.2s`. What a process did not do is not counted here."""
    counted = event.actions - event.internal
    parts = [f"{event.ran} ran"]
    for count, name in (
        (event.cached, "cached locally"),
        (event.cached_remotely, "cached remotely"),
        (event.failed, "failed"),
        (event.skipped, "skipped"),
    ):
        if count:
            parts.append(f"{count} {name}")
    return f"{counted} {_plural(counted, 'action', 'actions')}: {', '.join(parts)}; {duration(event.seconds)}"


def outcome(code: ExitCode) -> str:
    return {
        ExitCode.SUCCESS: "Build completed successfully",
        ExitCode.BUILD_FAILED: "Build did NOT complete successfully",
        ExitCode.TESTS_FAILED: "Build completed, tests FAILED",
    }.get(code, "Build did NOT complete successfully")


def _plural(count: int, one: str, many: str) -> str:
    return one if count == 1 else many
