"""The Build Event Protocol as JSON, one event a line.

Source: the JSON mapping of Bazel's `build_event_stream.proto`: an `id` with one key, the payload under its own key, int64
as strings.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import mlbuild
from mlbuild.diagnostics import ExitCode
from mlbuild.terms.event import (
    ActionFailed,
    BuildFinished,
    BuildStarted,
    Event,
    TargetCompleted,
    TargetConfigured,
    TestFinished,
)

Json = Mapping[str, object]

EXIT_NAMES = {
    ExitCode.SUCCESS: "SUCCESS",
    ExitCode.BUILD_FAILED: "BUILD_FAILURE",
    ExitCode.COMMAND_LINE: "COMMAND_LINE_ERROR",
    ExitCode.TESTS_FAILED: "TESTS_FAILED",
    ExitCode.NO_TESTS: "NO_TESTS_FOUND",
    ExitCode.INTERRUPTED: "INTERRUPTED",
    ExitCode.LOCK_HELD: "LOCK_HELD_NOBLOCK_FOR_LOCK",
    ExitCode.ENVIRONMENT: "LOCAL_ENVIRONMENTAL_ERROR",
    ExitCode.INTERNAL: "BLAZE_INTERNAL_ERROR",
}


class BuildEventFile:
    """An event sink that writes a file. Opened at once, so that a path that cannot be written is said before the build."""

    def __init__(self, path: str, workspace: str) -> None:
        self._file = Path(path).open("w", encoding="utf-8")  # noqa: SIM115 (closed by the last event)
        self._workspace = workspace
        self._started_seconds = 0.0

    def emit(self, event: Event) -> None:
        for line in self._encoded(event):
            self._file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")
        if isinstance(event, BuildFinished):
            self._file.close()

    def _encoded(self, event: Event) -> list[Json]:
        match event:
            case BuildStarted():
                self._started_seconds = event.started_seconds
                return [
                    {
                        "id": {"started": {}},
                        "children": [{"buildFinished": {}}, {"buildMetrics": {}}],
                        "started": {
                            "uuid": event.invocation_id,
                            "startTimeMillis": _millis(event.started_seconds),
                            "buildToolVersion": mlbuild.__version__,
                            "command": event.command,
                            "workspaceDirectory": event.workspace,
                        },
                    },
                    {
                        "id": {"pattern": {"pattern": list(event.arguments)}},
                        "expanded": {},
                    },
                ]
            case TargetConfigured():
                return [
                    {
                        "id": {"targetConfigured": {"label": str(event.label)}},
                        "children": [{"targetCompleted": {"label": str(event.label)}}],
                        "configured": {"targetKind": f"{event.kind} rule"},
                    }
                ]
            case ActionFailed():
                return [
                    {
                        "id": {"actionCompleted": {"label": str(event.owner), "primaryOutput": ""}},
                        "action": {
                            "success": False,
                            "type": event.mnemonic,
                            "exitCode": event.exit_code,
                            "label": str(event.owner),
                            "commandLine": list(event.command),
                            "stderr": {"name": "stderr", "uri": self._uri(event.log_path)},
                            "failureDetail": {"message": event.reason},
                        },
                    }
                ]
            case TargetCompleted():
                return [self._completed(event)]
            case TestFinished():
                return [self._tested(event)]
            case BuildFinished():
                return self._finished(event)
        return []

    def _completed(self, event: TargetCompleted) -> Json:
        payload: dict[str, object] = {"success": event.is_success} if event.is_success else {}
        if event.outputs:
            payload["importantOutput"] = [{"name": path, "uri": self._uri(path)} for path in event.outputs]
        return {"id": {"targetCompleted": {"label": str(event.label)}}, "completed": payload}

    def _tested(self, event: TestFinished) -> Json:
        return {
            "id": {"testResult": {"label": str(event.label), "run": 1, "shard": 1, "attempt": 1}},
            "testResult": {
                "status": event.status,
                "cachedLocally": event.is_cached,
                "testAttemptDurationMillis": _millis(event.seconds),
                "testActionOutput": [{"name": "test.log", "uri": self._uri(event.log_path)}] if event.log_path else [],
            },
        }

    def _finished(self, event: BuildFinished) -> list[Json]:
        total = event.actions
        counts = [("total", total), ("disk cache hit", event.cached), ("remote cache hit", event.cached_remotely),
                  ("internal", event.internal), *event.runners]  # fmt: skip
        return [
            {
                "id": {"buildFinished": {}},
                "finished": {
                    "overallSuccess": event.exit_code is ExitCode.SUCCESS,
                    "exitCode": {"name": EXIT_NAMES.get(event.exit_code, "UNKNOWN"), "code": int(event.exit_code)},
                    "finishTimeMillis": _millis(self._started_seconds + event.seconds),
                },
            },
            {
                "id": {"buildMetrics": {}},
                "buildMetrics": {
                    "actionSummary": {
                        "actionsCreated": str(total),
                        "actionsExecuted": str(event.ran + event.failed),
                        "runnerCount": [{"name": name, "count": count} for name, count in counts if count],
                    },
                    "timingMetrics": {"wallTimeInMs": _millis(event.seconds)},
                },
                "lastMessage": True,
            },
        ]

    def _uri(self, path: str) -> str:
        return Path(self._workspace, path).as_uri()


def _millis(seconds: float) -> str:
    return str(round(seconds * 1000))
