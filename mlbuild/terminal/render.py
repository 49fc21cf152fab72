"""Events as lines of text. Plain functions: the same text whether it goes to a terminal, a pipe or a test."""

from __future__ import annotations

from collections.abc import Iterable

from mlbuild.diagnostics import ExitCode, escape
from mlbuild.terms.event import ActionFailed, ActionRunning, BuildFinished, TargetCompleted, TestFinished

TAIL_LINES = 40
TAIL_CHARACTERS = 16_384
TEST_LINES = 400
TEST_CHARACTERS = 131_072
REPORT_LINES = 60
SHOWN_OUTPUTS = 10
SHORT_COMMAND = 160


def safe(text: str) -> str:
    """Text of an action, made harmless: for a terminal, and for a CI service, which takes commands from the log.

    GitHub reads `::name ...::` at the start of a line and `##[...]` anywhere, Azure `##vso[...]`.
    """
    lines = escape(text).replace("##[", "\\x23#[").replace("##vso[", "\\x23#vso[").split("\n")
    return "\n".join(line.replace("::", "\\x3a:", 1) if line.lstrip().startswith("::") else line for line in lines)


def on_one_line(text: str) -> str:
    """Safe text that cannot begin a line of its own."""
    return safe(text).replace("\n", "\\n")


def duration(seconds: float) -> str:
    """`0.3s`, `12.4s`, `3m07s`, `2h05m`."""
    if seconds < 60:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest:02d}s" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02d}m"


def failure(event: ActionFailed, verbose: bool) -> list[str]:
    """A failed action: who, why, what to do about it, the end of its log, and where the whole log lies."""
    lines = [f"ERROR: {event.owner.short}: {event.mnemonic} failed: {on_one_line(event.reason)}"]
    if event.command:
        lines.append(f"  command: {_command(event.command) if verbose else _shortened(_command(event.command))}")
    lines += tail(event.log_tail, TAIL_LINES, TAIL_CHARACTERS)
    for hint in event.hints:
        first, *rest = safe(hint).split("\n")
        lines += [f"  hint: {first}", *(f"        {line}" for line in rest)]
    if event.log_path and event.log_tail:
        lines.append(f"  whole log: {on_one_line(event.log_path)}")
    return lines


def subcommand(event: ActionRunning, description: str) -> list[str]:
    """The command of an action that runs, as a shell would take it."""
    settings = (f"{name}={value}" for name, value in event.environment)
    return [f"SUBCOMMAND: {description}", f"  {_command(('env', '-', *settings, *event.arguments))}"]


def tail(log: str, most_lines: int, most_characters: int) -> list[str]:
    """The last lines of a log, each marked as such, and how many came before them."""
    whole = log.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
    if not whole:
        return []
    kept = safe(whole[-most_characters:]).split("\n")[-most_lines:]
    before = whole.count("\n") + 1 - len(kept)
    return [*((f"  | … {before} lines before",) if before else ()), *(f"  | {line}" for line in kept)]


def completed(event: TargetCompleted) -> list[str]:
    """A target's outputs and reports."""
    if not event.is_success:
        return [f"Target {event.label.short} was not built"]
    lines = [f"Target {event.label.short} up-to-date" + (":" if event.outputs else " (nothing to place)")]
    lines += [f"  {on_one_line(path)}" for path in event.outputs[:SHOWN_OUTPUTS]]
    if len(event.outputs) > SHOWN_OUTPUTS:
        lines.append(f"  … and {len(event.outputs) - SHOWN_OUTPUTS} more")
    for report in event.reports:
        text = safe(report).rstrip("\n").split("\n")
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
    """A test's log, marked as such: a line in it that looks like a verdict is none."""
    lines = [f"==== Log of {event.label.short}:", *tail(event.log, TEST_LINES, TEST_CHARACTERS)]
    if event.log_path:
        lines.append(f"==== whole log: {on_one_line(event.log_path)}")
    return lines


def tests_summary(events: Iterable[TestFinished]) -> str:
    every = list(events)
    passed = sum(event.status == "PASSED" for event in every)
    parts = [f"{passed} {_plural(passed, 'test passes', 'tests pass')}"]
    not_run = sum(event.status == "NO_STATUS" for event in every)
    if failed := len(every) - passed - not_run:
        parts.append(f"{failed} {_plural(failed, 'fails', 'fail')}")
    if not_run:
        parts.append(f"{not_run} {_plural(not_run, 'was', 'were')} not run")
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


def outcome(code: ExitCode, command: str = "build") -> str:
    if command == "verify" and code == ExitCode.SUCCESS:
        return "Verified: all identical"
    if command == "verify" and code == ExitCode.TESTS_FAILED:
        return "Verified: NOT all identical"
    return {
        ExitCode.SUCCESS: "Build completed successfully",
        ExitCode.BUILD_FAILED: "Build did NOT complete successfully",
        ExitCode.TESTS_FAILED: "Build completed, tests FAILED",
    }.get(code, "Build did NOT complete successfully")


def _command(words: Iterable[str]) -> str:
    """As a shell takes it, on one line: bash's `$'...'` for words with control characters."""
    import shlex

    return safe(" ".join(shlex.quote(word) if word.isprintable() else _escaped(word) for word in words))


def _escaped(word: str) -> str:
    named = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\\": "\\\\", "'": "\\'"}
    inside = "".join(named.get(char) or (char if char >= " " else f"\\x{ord(char):02x}") for char in word)
    return f"$'{inside}'"


def _shortened(command: str) -> str:
    """A command on one line: how it begins, and its end, which mostly says more."""
    if len(command) <= SHORT_COMMAND:
        return command
    return f"{command[:40]} … {command[43 - SHORT_COMMAND :]} (whole with `--verbose_failures`)"


def _plural(count: int, one: str, many: str) -> str:
    return one if count == 1 else many
