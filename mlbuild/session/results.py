"""From an outcome to what a person sees: outputs in place, reports, test verdicts. Plain values in, events out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mlbuild.diagnostics import ExitCode
from mlbuild.execution import Counts, Outcome, TestOutcome
from mlbuild.execution.junit import junit_xml
from mlbuild.seams import ContentStore, OutputTree
from mlbuild.terms import OUTPUT_ROOT, Artifact, ConfiguredTarget, FileValue, TreeValue
from mlbuild.terms.event import BuildFinished, TargetCompleted, TestFinished

REPORT_GROUP = "report"
REPORT_LIMIT = 64 * 1024
TEST_LOGS = f"{OUTPUT_ROOT}/testlogs"


def wanted_artifacts(targets: Iterable[ConfiguredTarget], with_tests: bool) -> Iterator[Artifact]:
    """What has to exist: default outputs and reports of every target; for tests also their results."""
    for target in targets:
        yield from target.files
        yield from target.groups.get(REPORT_GROUP, ())
        if with_tests:
            yield from target.test_results


def completed(target: ConfiguredTarget, outcome: Outcome, outputs: OutputTree, store: ContentStore) -> TargetCompleted:
    """Places the target's outputs; nothing of a target that failed."""
    reports = target.groups.get(REPORT_GROUP, ())
    if any(artifact not in outcome.values for artifact in (*target.files, *reports)):
        return TargetCompleted(target.label, False, ())
    placed: list[str] = []
    for artifact in dict.fromkeys((*target.files, *reports)):
        if not artifact.is_source:
            outputs.place(artifact.path, outcome.values[artifact])
        if artifact in target.files:
            placed.append(artifact.path)
    texts = tuple(text for artifact in reports if (text := _text(outcome.values[artifact], store)))
    return TargetCompleted(target.label, True, tuple(placed), texts)


def tested(target: ConfiguredTarget, outcome: Outcome, outputs: OutputTree, store: ContentStore) -> TestFinished:
    """The verdict on a test target; its log and JUnit XML are placed under `mlbuild-out/testlogs`."""
    outcomes = tuple(outcome.tests[artifact] for artifact in target.test_results if artifact in outcome.tests)
    folder = f"{TEST_LOGS}/{target.label.package}/{target.label.name}".replace("//", "/")
    log = b"".join(each.log for each in outcomes)
    if outcomes:
        outputs.place(f"{folder}/test.log", FileValue(store.put(log)))
        outputs.place(f"{folder}/test.xml", FileValue(store.put(junit_xml(target.label, outcomes))))
    complete = all(artifact in outcome.values for artifact in target.test_results)
    return TestFinished(
        target.label,
        _status(outcomes, complete),
        bool(outcomes) and all(each.is_cached for each in outcomes),
        sum(each.seconds for each in outcomes),
        f"{folder}/test.log" if outcomes else "",
        log.decode("utf-8", "replace"),
    )


def exit_code(completed: Iterable[TargetCompleted], tested: Iterable[TestFinished]) -> ExitCode:
    statuses = [each.status for each in tested]
    if any(not each.is_success for each in completed) or "NO_STATUS" in statuses:
        return ExitCode.BUILD_FAILED
    return ExitCode.SUCCESS if all(status == "PASSED" for status in statuses) else ExitCode.TESTS_FAILED


def finished(code: ExitCode, seconds: float, counts: Counts, path: tuple[tuple[str, float], ...]) -> BuildFinished:
    return BuildFinished(
        code,
        seconds,
        actions=counts.total,
        ran=counts.ran,
        cached=counts.cached,
        cached_remotely=counts.cached_remotely,
        internal=counts.internal,
        failed=counts.failed,
        skipped=counts.skipped,
        runners=tuple(sorted(counts.runners.items())),
        critical_path_seconds=sum(seconds for _, seconds in path),
        critical_path=path,
    )


def _status(outcomes: tuple[TestOutcome, ...], complete: bool) -> str:
    if any(each.is_timed_out for each in outcomes):
        return "TIMEOUT"
    if any(not each.is_passed for each in outcomes):
        return "FAILED"
    return "PASSED" if complete else "NO_STATUS"


def _text(value: FileValue | TreeValue, store: ContentStore) -> str:
    if not isinstance(value, FileValue) or value.digest.size > REPORT_LIMIT:
        return ""
    return store.get(value.digest).decode("utf-8", "replace")
