"""The build event file and the trace."""

import json
from pathlib import Path

from mlbuild.diagnostics import ExitCode
from mlbuild.terminal import BuildEventFile, TraceFile
from mlbuild.terms import Label
from mlbuild.terms.event import (
    ActionFailed,
    ActionFinished,
    BuildFinished,
    BuildStarted,
    TargetCompleted,
    TargetConfigured,
    TestFinished,
)

RANKER = Label.parse("//models:ranker")
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
    ids = [next(iter(line["id"])) for line in lines]
    assert ids == [
        "started", "pattern", "targetConfigured", "actionCompleted", "targetCompleted", "testResult", "buildFinished",
        "buildMetrics",
    ]  # fmt: skip
    by_id = dict(zip(ids, lines, strict=True))
    assert by_id["started"]["started"]["startTimeMillis"] == "1000000"
    assert by_id["targetConfigured"]["configured"] == {"targetKind": "model rule"}
    assert by_id["actionCompleted"]["action"]["stderr"]["uri"] == "file:///home/ada/flights/mlbuild-out/logs/a.log"
    assert by_id["targetCompleted"]["completed"]["success"] is True
    assert by_id["testResult"]["testResult"]["status"] == "FAILED"
    assert by_id["buildFinished"]["finished"]["exitCode"] == {"name": "TESTS_FAILED", "code": 3}
    summary = by_id["buildMetrics"]["buildMetrics"]["actionSummary"]
    assert summary["actionsExecuted"] == "2"
    assert {"name": "linux-sandbox", "count": 2} in summary["runnerCount"]
    assert lines[-1]["lastMessage"] is True


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
