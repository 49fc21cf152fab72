"""The Build Event Protocol as JSON, one event a line.

Source: the JSON mapping of Bazel's `build_event_stream.proto`: an `id` with one key, the payload under a key of its own,
int64 and durations as strings. As there, every event but the first is announced by an earlier one as its child; what
nothing else announces, an event `progress` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import mlbuild
from mlbuild.diagnostics import Diagnostic, ExitCode
from mlbuild.diagnostics import render as render_diagnostic
from mlbuild.terms import Label
from mlbuild.terms.event import (
    ActionFailed,
    ActionFinished,
    BuildFinished,
    BuildStarted,
    Event,
    PackageLoaded,
    PhaseStarted,
    TargetCompleted,
    TargetConfigured,
    TestFinished,
    Warned,
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
ABORTED_IN = {"loading": "LOADING_FAILURE", "analysis": "ANALYSIS_FAILURE"}
ABORTED_BY = {"interrupted": "USER_INTERRUPTED", "internal": "INTERNAL"}


class BuildEventFile:
    """An event sink that writes a file. Opened at once, so that a path that cannot be written is said before the build."""

    def __init__(self, path: str, workspace: str) -> None:
        self._file = Path(path).open("w", encoding="utf-8", errors="backslashreplace")  # noqa: SIM115 (closed by the last event)
        self._workspace = workspace
        self._started = BuildStarted("", "", (), workspace, 0.0)
        self._phase = ""
        self._packages = 0
        self._kinds: dict[Label, str] = {}
        self._primary_outputs: dict[int, str] = {}
        self._errors: list[Diagnostic] = []
        self._announced: set[str] = set()
        self._is_expanded = False
        self._progress_count = 0
        self._file_sets = 0

    def emit(self, event: Event) -> None:
        match event:
            case BuildStarted():
                self._started = event
                self._start(event)
            case PhaseStarted(phase=phase):
                self._phase = phase
                if phase == "execution":
                    self._expanded()
            case PackageLoaded():
                self._packages += 1
            case TargetConfigured():
                self._kinds[event.label] = event.kind
            case ActionFinished(how="failed"):
                self._primary_outputs[event.action_id] = event.primary_output
            case ActionFailed():
                self._action(event)
            case TargetCompleted():
                self._completed(event)
            case TestFinished():
                self._tested(event)
            case Warned(level="error"):
                self._errors.append(event.diagnostic)
            case BuildFinished():
                self._finished(event)
                self._file.close()

    def _start(self, event: BuildStarted) -> None:
        started = {
            "uuid": event.invocation_id,
            "startTimeMillis": _millis(event.started_seconds),
            "buildToolVersion": mlbuild.__version__,
            "command": event.command,
            "workspaceDirectory": event.workspace,
            "workingDirectory": event.workspace,
        }
        self._announced.add(_key({"started": {}}))
        children: tuple[Json, ...] = (_progress_id(0), self._pattern_id(), {"buildFinished": {}})
        self._write({"started": {}}, {"started": started}, *children)

    def _pattern_id(self) -> Json:
        return {"pattern": {"pattern": list(self._started.arguments)}}

    def _expanded(self) -> None:
        if not self._is_expanded:
            self._is_expanded = True
            self._write(self._pattern_id(), {"expanded": {}})

    def _aborted(self) -> None:
        """The patterns did not become targets, or (`--keep_going`) some of what they name did not."""
        pattern = {"pattern": list(self._started.arguments)}
        identity: Json = {"patternSkipped": pattern} if self._is_expanded else {"pattern": pattern}
        self._is_expanded = True
        codes = [error.code for error in self._errors]
        reason = next(
            (ABORTED_BY[code] for code in codes if code in ABORTED_BY), ABORTED_IN.get(self._phase, "UNKNOWN")
        )
        text = "\n".join(map(render_diagnostic, self._errors))
        self._write(identity, {"aborted": {"reason": reason, "description": text}})

    def _action(self, event: ActionFailed) -> None:
        output = self._primary_outputs.get(event.action_id, "")
        action: dict[str, object] = {
            "success": False,
            "type": event.mnemonic,
            "exitCode": event.exit_code,
            "label": str(event.owner),
            "commandLine": list(event.command),
            "failureDetail": {"message": event.reason},
        }
        if event.log_path:
            action["stderr"] = {"name": "stderr", "uri": self._uri(event.log_path)}
        self._write({"actionCompleted": {"primaryOutput": output, "label": str(event.owner)}}, {"action": action})

    def _completed(self, event: TargetCompleted) -> None:
        """Of the targets configured on the way, those that were asked for are told, each just before its end."""
        self._expanded()
        label = str(event.label)
        completed_id: Json = {"targetCompleted": {"label": label}}
        kind = self._kinds.get(event.label)
        configured: Json = {"targetKind": f"{kind} rule"} if kind else {}
        self._write({"targetConfigured": {"label": label}}, {"configured": configured}, completed_id)
        payload: dict[str, object] = {"success": True} if event.is_success else {}
        if event.outputs:
            files = [{"name": path, "uri": self._uri(path)} for path in event.outputs]
            name = str(self._file_sets)
            self._file_sets += 1
            self._write({"namedSet": {"id": name}}, {"namedSetOfFiles": {"files": files}})
            payload["outputGroup"] = [{"name": "default", "fileSets": [{"id": name}]}]
            payload["importantOutput"] = files
        self._write(completed_id, {"completed": payload})

    def _tested(self, event: TestFinished) -> None:
        label, was_built = str(event.label), event.status != "NO_STATUS"
        outputs = [{"name": "test.log", "uri": self._uri(event.log_path)}] if event.log_path else []
        if was_built:
            result = {
                "status": event.status,
                "cachedLocally": event.is_cached,
                "testAttemptDuration": _duration(event.seconds),
                "testAttemptDurationMillis": _millis(event.seconds),
                "testActionOutput": outputs,
            }
            run = {"label": label, "run": 1, "shard": 1, "attempt": 1}
            self._write({"testResult": run}, {"testResult": result})
        summary: dict[str, object] = {
            "overallStatus": event.status if was_built else "FAILED_TO_BUILD",
            "totalRunCount": int(was_built),
            "totalRunDuration": _duration(event.seconds),
        }
        if outputs:
            summary["passed" if event.status == "PASSED" else "failed"] = [{"uri": outputs[0]["uri"]}]
        self._write({"testSummary": {"label": label}}, {"testSummary": summary})

    def _finished(self, event: BuildFinished) -> None:
        if self._errors:
            self._aborted()
        self._expanded()
        finished = {
            "overallSuccess": event.exit_code == ExitCode.SUCCESS,
            "exitCode": {"name": EXIT_NAMES.get(event.exit_code, "UNKNOWN"), "code": int(event.exit_code)},
            "finishTimeMillis": _millis(self._started.started_seconds + event.seconds),
        }
        self._write(_progress_id(self._progress_count), {"progress": {}})
        self._write({"buildFinished": {}}, {"finished": finished}, {"buildMetrics": {}})
        self._write({"buildMetrics": {}}, {"buildMetrics": self._metrics(event), "lastMessage": True})

    def _metrics(self, event: BuildFinished) -> Json:
        here = {"execKind": "Local"}
        counts = [("total", event.actions, {}), ("disk cache hit", event.cached, {}),
                  ("remote cache hit", event.cached_remotely, {}), ("internal", event.internal, {}),
                  *((name, count, here) for name, count in event.runners)]  # fmt: skip
        return {
            "actionSummary": {
                "actionsCreated": str(event.actions),
                # As Bazel counts: what a remote cache answered is among them, what the local one answered is not.
                "actionsExecuted": str(event.ran + event.failed + event.cached_remotely),
                "actionCacheStatistics": {"hits": event.cached, "misses": event.ran + event.failed},
                "runnerCount": [{"name": name, "count": count, **kind} for name, count, kind in counts if count],
            },
            "packageMetrics": {"packagesLoaded": str(self._packages)},
            "targetMetrics": {"targetsConfigured": str(len(self._kinds))},
            "timingMetrics": {
                "wallTimeInMs": _millis(event.seconds),
                "criticalPathTime": _duration(event.critical_path_seconds),
            },
        }

    def _write(self, identity: Json, payload: Json, *children: Json) -> None:
        """One event, announced by a `progress` before it if nothing else has."""
        import json

        if _key(identity) not in self._announced:
            self._progress_count += 1
            following = _progress_id(self._progress_count)
            self._write(_progress_id(self._progress_count - 1), {"progress": {}}, following, identity)
        self._announced |= {_key(child) for child in children}
        event: dict[str, object] = {"id": identity}
        if children:
            event["children"] = list(children)
        self._file.write(json.dumps({**event, **payload}, ensure_ascii=False, separators=(",", ":")) + "\n")
        self._file.flush()

    def _uri(self, path: str) -> str:
        return Path(self._workspace, path).as_uri()


def _key(identity: Json) -> str:
    return repr(identity)


def _progress_id(number: int) -> Json:
    return {"progress": {"opaqueCount": number}}


def _millis(seconds: float) -> str:
    return str(round(seconds * 1000))


def _duration(seconds: float) -> str:
    return f"{seconds:.3f}s"
