"""The build event file and the trace."""

import json
from pathlib import Path
from typing import Any

from mlbuild.diagnostics import Diagnostic, ExitCode
from mlbuild.terminal.bep import BuildEventFile
from mlbuild.terminal.trace import TraceFile
from mlbuild.terms import Label
from mlbuild.terms.event import (
    ActionFailed,
    ActionFinished,
    BuildFinished,
    BuildStarted,
    PhaseStarted,
    TargetCompleted,
    TargetConfigured,
    TestFinished,
    Warned,
)

RANKER = Label.parse("//models:ranker")


def every_event_was_announced(lines: list[dict[str, Any]]) -> None:
    """The protocol's law: each event but the first is a child of an earlier one, and each child is sent."""
    waiting = [lines[0]["id"]]
    for line in lines:
        waiting.remove(line["id"])
        waiting += line.get("children", [])
    assert waiting == []
    assert [line.get("lastMessage", False) for line in lines] == [False] * (len(lines) - 1) + [True]


STARTED = BuildStarted("8f0a", "test", ("//...",), "/home/ada/flights", 1000.0)


def test_the_events_of_a_build_have_bazels_names(tmp_path: Path) -> None:
    file = BuildEventFile(str(tmp_path / "events.json"), "/home/ada/flights")
    for event in (
        STARTED,
        TargetConfigured(RANKER, "model"),
        ActionFailed(1, RANKER, "Train", "", ("python",), "exit code 1", "", "mlbuild-out/logs/a.log", 1),
        TargetCompleted(RANKER, True, ("mlbuild-out/models/ranker",)),
        TestFinished(RANKER, "FAILED", False, 0.5, "mlbuild-out/testlogs/test.log", ""),
        BuildFinished(ExitCode.TESTS_FAILED, 2.0, actions=5, ran=2, cached=3, runners=(("linux-sandbox", 2),)),
    ):
        file.emit(event)
    lines = [json.loads(line) for line in (tmp_path / "events.json").read_text().splitlines()]
    every_event_was_announced(lines)
    by_id = {next(iter(line["id"])): line for line in lines}
    assert [name for name in by_id if name != "progress"] == [
        "started", "actionCompleted", "pattern", "targetConfigured", "namedSet", "targetCompleted", "testResult",
        "testSummary", "buildFinished", "buildMetrics",
    ]  # fmt: skip
    assert by_id["started"]["started"]["startTimeMillis"] == "1000000"
    assert by_id["targetConfigured"]["configured"] == {"targetKind": "model rule"}
    assert by_id["actionCompleted"]["action"]["stderr"]["uri"] == "file:///home/ada/flights/mlbuild-out/logs/a.log"
    assert by_id["targetCompleted"]["completed"]["success"] is True
    assert by_id["testResult"]["testResult"]["status"] == "FAILED"
    assert by_id["buildFinished"]["finished"]["exitCode"] == {"name": "TESTS_FAILED", "code": 3}
    summary = by_id["buildMetrics"]["buildMetrics"]["actionSummary"]
    assert summary["actionsExecuted"] == "2"
    assert {"name": "linux-sandbox", "count": 2, "execKind": "Local"} in summary["runnerCount"]


def test_a_build_that_could_not_begin_is_told_as_aborted(tmp_path: Path) -> None:
    file = BuildEventFile(str(tmp_path / "events.json"), "/home/ada/flights")
    for event in (
        STARTED,
        PhaseStarted("loading"),
        Warned(Diagnostic("no-such-target", "package `//models` has no target `rankr`"), "error"),
        BuildFinished(ExitCode.BUILD_FAILED, 2.0),
    ):
        file.emit(event)
    lines = [json.loads(line) for line in (tmp_path / "events.json").read_text().splitlines()]
    every_event_was_announced(lines)
    assert lines[1] == {
        "id": {"pattern": {"pattern": ["//..."]}},
        "aborted": {
            "reason": "LOADING_FAILURE",
            "description": "error[no-such-target]: package `//models` has no target `rankr`",
        },
    }


def test_what_is_left_out_by_keep_going_is_told_beside_what_is_built(tmp_path: Path) -> None:
    file = BuildEventFile(str(tmp_path / "events.json"), "/home/ada/flights")
    for event in (
        STARTED,
        Warned(Diagnostic("syntax", "`(` was never closed"), "error"),
        PhaseStarted("execution"),
        TargetCompleted(RANKER, True, ()),
        BuildFinished(ExitCode.BUILD_FAILED, 2.0),
    ):
        file.emit(event)
    lines = [json.loads(line) for line in (tmp_path / "events.json").read_text().splitlines()]
    every_event_was_announced(lines)
    (skipped,) = [line for line in lines if "aborted" in line]
    assert skipped["id"] == {"patternSkipped": {"pattern": ["//..."]}}


def test_the_trace_puts_actions_that_overlap_on_rows_of_their_own(tmp_path: Path) -> None:
    trace = TraceFile(str(tmp_path / "trace.json"))
    trace.emit(STARTED)
    for number, (began, took) in enumerate([(1000.0, 2.0), (1001.0, 2.0), (1002.5, 1.0)]):
        trace.emit(ActionFinished(number, RANKER, "Train", "ran", began, took))
    trace.emit(BuildFinished(ExitCode.SUCCESS, 4.0))
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    assert [(event["ts"], event["dur"], event["tid"]) for event in events] == [
        (0, 2_000_000, 1), (1_000_000, 2_000_000, 2), (2_500_000, 1_000_000, 1),
    ]  # fmt: skip
