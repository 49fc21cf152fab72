"""Runs campaigns, a few processes at a time, and gives a figure for each. A trial's process may be lost; it counts."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import tempfile
import time
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path

from mlbuild.diagnostics import UserError
from mlbuild.files.remove import remove_tree
from mlbuild.selftest.campaign import Campaign, Violation
from mlbuild.selftest.figures import Figure
from mlbuild.selftest.processes import adopting, nothing_survives
from mlbuild.selftest.stage import Main, Stage

MOST_TOLD = 5
"""Violations of one campaign that are told whole."""


def run(
    campaigns: Iterable[tuple[Campaign, int, float]], seed: int, jobs: int, main: Main, folder: Path | None = None
) -> Iterator[Figure]:
    """A figure for each campaign, of as many trials as are named and as fit into its seconds.

    Raises UserError or Violation where this machine cannot build at all.
    """
    place = Path(tempfile.mkdtemp(prefix="mlbuild-selftest-", dir=folder))
    with adopting():
        try:
            stage = Stage(place, main)
            stage.prepare()
            for campaign, count, seconds in campaigns:
                yield _figure(stage, campaign, count, seconds, seed, jobs)
        finally:
            _remove(place)


def _remove(place: Path) -> None:
    """Where trials were interrupted, the builds that they had started may still be writing there."""
    for _ in range(50):
        with contextlib.suppress(Violation):
            nothing_survives(0.1)
        with contextlib.suppress(OSError):
            remove_tree(place)
            return
    remove_tree(place)


def _figure(stage: Stage, campaign: Campaign, count: int, seconds: float, seed: int, jobs: int) -> Figure:
    if (lacking := campaign.lacks()) is not None:
        return Figure(campaign.name, campaign.claim, 0, count, 0, skipped=lacking)
    began = time.monotonic()
    numbers = list(campaign.numbers(stage, count, seed))
    # Trials of one kind take unlike times: each process takes the next number, from a file whose place they share.
    waiting = os.open(stage.folder / "waiting", os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.pwrite(waiting, b"".join(b"%-20d" % number for number in numbers), 0)
        ends = began + seconds
        workers = [_Worker(stage, campaign, waiting, ends) for _ in range(max(1, min(jobs, len(numbers))))]
    finally:
        os.close(waiting)
    done = 0
    violations: list[tuple[int, str]] = []
    measures: list[float] = []
    try:
        for worker in workers:
            for number, seen, measure in worker.results():
                done += 1
                if measure is not None:
                    measures.append(measure)
                if seen is not None:
                    violations.append((number, seen))
    except BaseException:
        for worker in workers:
            worker.end()
        raise
    told = [
        (number, seen if index < MOST_TOLD else seen[:200]) for index, (number, seen) in enumerate(sorted(violations))
    ]
    measured = campaign.measured(measures) if campaign.measured is not None and measures else ""
    seconds = time.monotonic() - began
    return Figure(campaign.name, campaign.claim, done, len(numbers), seconds, tuple(told), measured=measured)


class _Worker:
    """A process that takes numbers and writes down what each trial showed."""

    def __init__(self, stage: Stage, campaign: Campaign, waiting: int, deadline: float) -> None:
        descriptor, self._path = tempfile.mkstemp(dir=stage.folder)
        self._pid = os.fork()
        if self._pid == 0:
            code = 1
            try:
                _work(stage, campaign, waiting, deadline, descriptor)
                code = 0
            except KeyboardInterrupt:
                pass
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)
        os.close(descriptor)

    def end(self) -> None:
        """Ends it, if it has not ended: nobody wants to know any more."""
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)

    def results(self) -> Iterator[tuple[int, str | None, float | None]]:
        """All of them, when it has ended; a trial that it did not come back from is a violation."""
        _, status = os.waitpid(self._pid, 0)
        begun: int | None = None
        for line in Path(self._path).read_text(encoding="utf-8").splitlines():
            number, is_end, *told = json.loads(line)
            begun = None if is_end else number
            if is_end:
                seen, measure = told
                yield number, seen, measure
        if begun is not None:
            yield begun, f"the trial's own process ended with status {status}", None


def _work(stage: Stage, campaign: Campaign, waiting: int, deadline: float, told: int) -> None:
    with adopting():
        while time.monotonic() < deadline and (word := os.read(waiting, 20)):
            number = int(word)
            os.write(told, json.dumps((number, False)).encode() + b"\n")
            os.write(told, json.dumps((number, True, *_seen(stage, campaign, number))).encode() + b"\n")


def _seen(stage: Stage, campaign: Campaign, number: int) -> tuple[str | None, float | None]:
    """What a trial showed that should not be, and what it measured."""
    try:
        return None, campaign.trial(stage, number)
    except Violation as violation:
        return str(violation), None
    except UserError as error:
        return "an error that no trial should meet: " + "; ".join(each.message for each in error.diagnostics), None
    except Exception:
        return f"a bug:\n{traceback.format_exc()}", None
