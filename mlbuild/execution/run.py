"""Execution: the action graph's wanted artifacts as values. One thread owns the schedule, a pool does the work."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from queue import Empty, SimpleQueue
from typing import TypeVar

from mlbuild.diagnostics import UserError
from mlbuild.execution.caching import CachingRunner
from mlbuild.execution.hints import hints
from mlbuild.execution.outcome import Counts, End, Options, Outcome, TestOutcome
from mlbuild.execution.schedule import Schedule, State
from mlbuild.execution.work import Done, Failed, Grown, Work, Worker, ingested
from mlbuild.records import record
from mlbuild.seams import ActionCache, BlobMissing, ContentStore, EventSink, Fetcher, SourceTree, SpawnRunner
from mlbuild.terms import (
    Action,
    ActionGraph,
    Artifact,
    Digest,
    FetchAction,
    FileValue,
    Resources,
    SpawnAction,
    TreeValue,
    inputs_of,
    outputs_of,
)
from mlbuild.terms.event import ActionFailed, ActionFinished, ActionStarted, ExecutionPlanned

REWINDS = 3
"""How often work starts over because of one and the same blob that a cached result names and the store lacks."""

LONGEST_WAIT = 0.2
"""Seconds that Ctrl-C may have to wait."""

T = TypeVar("T")


@record
class Doors:
    """What execution needs of the world."""

    sources: SourceTree
    store: ContentStore
    cache: ActionCache
    runner: SpawnRunner
    fetcher: Fetcher
    sink: EventSink
    keep_log: Callable[[str, bytes], str]
    """Keeps a failed action's whole log for the person: (name, log) -> path to show."""
    workspace: str
    interrupt: Callable[[], None]
    """Ends every spawn that runs now."""
    look_again: Callable[[], None]
    """A blob that was there has gone: what was remembered as complete has to be looked at again."""
    spawns: ActionCache | None = None
    """Where results of spawns are looked up and kept, if that is not `cache`."""
    explain: Callable[[Action, End, Mapping[Artifact, FileValue | TreeValue]], None] | None = None
    """Is told of each action that has run, with the values of all that it reads and makes."""


def execute(graph: ActionGraph, wanted: Iterable[Artifact], doors: Doors, options: Options) -> Outcome:
    """Makes the wanted artifacts exist, by running only what no cache answers.

    Raises UserError for what stops the whole build (a full disk, no sandbox). A failed action is part of the
    outcome.
    """
    wanted = tuple(dict.fromkeys(wanted))
    return until_whole(lambda: Execution(graph, wanted, doors, options).run(), doors.look_again)


def until_whole(work: Callable[[], T], look_again: Callable[[], None]) -> T:
    """Does the work, again and again while it finds other blobs missing. Raises BlobMissing for one that stays so.

    A blob vanished or was found damaged after a look-up had promised it: what made it runs again, because the look-ups
    of the next attempt no longer find their results complete.
    """
    missed: Counter[Digest] = Counter()
    while True:
        try:
            return work()
        except BlobMissing as error:
            missed[error.digest] += 1
            if missed[error.digest] > REWINDS:
                raise
            look_again()


class Execution:
    """One pass over the needed part of a graph."""

    def __init__(self, graph: ActionGraph, wanted: tuple[Artifact, ...], doors: Doors, options: Options) -> None:
        self._doors = doors
        self._options = options
        self._actions: dict[int, Action] = {}
        self._producers: dict[Artifact, int] = {}
        self._values: dict[Artifact, FileValue | TreeValue] = {}
        self._tests: dict[Artifact, TestOutcome] = {}
        self._counts = Counts()
        self._schedule = Schedule(options.cpus, options.memory_mib)
        self._children_of: dict[int, tuple[int, ...]] = {}  # of a map action that has been expanded
        self._unfinished_of: dict[int, set[int]] = {}
        self._parent_of: dict[int, int] = {}
        self._began: dict[int, float] = {}
        self._finished: dict[int, tuple[float, int | None]] = {}  # length of the longest chain, and its predecessor
        self._seconds: dict[int, float] = {}
        self._ends: dict[int, End] = {}
        self._next_id = len(graph.actions)
        self._wanted = wanted
        self._is_stopping = False
        self._error: BaseException | None = None
        self._results: SimpleQueue[tuple[int, Work | BaseException, float]] = SimpleQueue()
        self._worker = Worker(
            doors.sources,
            doors.store,
            CachingRunner(doors.spawns or doors.cache, doors.runner, options.salt),
            doors.cache,
            doors.fetcher,
            doors.sink,
            options.reuse_tests,
        )
        for index in needed(graph, wanted):
            self._actions[index] = graph.actions[index]
            for output in outputs_of(graph.actions[index]):
                self._producers[output] = index

    def run(self) -> Outcome:
        for index in sorted(self._actions):
            self._schedule.add(index, self._dependencies(index), _resources(self._actions[index]))
        self._counts.total = len(self._actions)
        self._doors.sink.emit(ExecutionPlanned(self._counts.total))
        self._ingest_wanted_sources()
        jobs: SimpleQueue[int | None] = SimpleQueue()
        threads = [
            threading.Thread(target=self._serve, args=(jobs,), name=f"action-{number}", daemon=True)
            for number in range(min(self._options.jobs, max(1, len(self._actions))))
        ]
        try:
            hands = _started(threads)
            in_flight = 0
            while True:
                while not self._is_stopping and in_flight < hands:
                    started = self._schedule.start_next()
                    if started is None:
                        break
                    self._announce(started)
                    jobs.put(started)
                    in_flight += 1
                if in_flight == 0:
                    break
                index, work, seconds = self._next_result()
                in_flight -= 1
                self._take(index, work, seconds)
        except BaseException:
            self._is_stopping = True
            self._doors.interrupt()
            raise
        finally:
            for _ in threads:
                jobs.put(None)
            for thread in threads:
                if thread.ident is not None:  # an interrupt may come before all have started
                    thread.join(timeout=30)
        if self._error is not None:
            raise self._error
        return self._outcome()

    def _next_result(self) -> tuple[int, Work | BaseException, float]:
        """Waits for it in short steps: a signal that comes just before a wait is dealt with only after it."""
        while True:
            try:
                return self._results.get(timeout=LONGEST_WAIT)
            except Empty:
                continue

    def _serve(self, jobs: SimpleQueue[int | None]) -> None:
        while (index := jobs.get()) is not None:
            began = time.perf_counter()
            work: Work | BaseException
            try:
                work = self._worker.work(index, self._actions[index], self._values)
            except BaseException as error:  # handed to the thread that owns the build, which raises it
                work = error
            self._results.put((index, work, time.perf_counter() - began))

    def _announce(self, index: int) -> None:
        action = self._actions[index]
        self._began[index] = time.time()
        description = getattr(action, "progress_message", "") or f"{action.mnemonic} {action.owner.short}"
        self._doors.sink.emit(ActionStarted(index, action.owner, action.mnemonic, description, self._began[index]))

    def _take(self, index: int, work: Work | BaseException, seconds: float) -> None:
        match work:
            case BaseException():
                if self._error is None:
                    self._error = work
                    if isinstance(work, BlobMissing):
                        self._is_stopping = True  # what runs may finish: the next attempt needs its results
                    else:
                        self._stop()
                self._schedule.fail(index)
            case Grown(actions=actions):
                self._grow(index, actions)
            case Done():
                self._complete(index, work, seconds)
            case Failed():
                self._fail(index, work, seconds)

    def _complete(self, index: int, done: Done, seconds: float) -> None:
        action = self._actions[index]
        self._values.update(done.values)
        self._count(done.how, done.runner)
        self._seconds[index] = seconds
        self._note_path(index)
        if isinstance(action, SpawnAction) and action.is_test:
            self._tests[action.outputs[0]] = TestOutcome(
                True, done.how.startswith("cached"), False, done.wall_seconds, self._log(done)
            )
        self._emit_finished(index, done.how, seconds, done)
        self._schedule.finish(index)
        self._child_ended(index)

    def _fail(self, index: int, failed: Failed, seconds: float) -> None:
        if self._is_stopping:  # it was ended by us: its failure says nothing
            self._schedule.fail(index)
            return
        action = self._actions[index]
        self._counts.failed += 1
        self._count_runner(failed.done.runner)
        self._seconds[index] = seconds
        self._emit_finished(index, "failed", seconds, failed.done, failed.exit_code)
        log = self._log(failed.done)
        text = log.decode("utf-8", "replace")
        path = self._doors.keep_log(f"{action.owner.path}.{action.mnemonic}.{index}", log)
        is_test = isinstance(action, SpawnAction) and action.is_test
        if isinstance(action, SpawnAction):
            declared = frozenset(artifact.path for artifact in action.inputs)
            why = hints(text, action.owner, declared, self._is_source, self._doors.workspace)
            if is_test:
                self._tests[action.outputs[0]] = TestOutcome(
                    False, False, failed.is_timed_out, failed.done.wall_seconds, log
                )
        else:
            why = ()
        if not (is_test and failed.done.ran_to_its_end):
            self._doors.sink.emit(
                ActionFailed(
                    index, action.owner, action.mnemonic,
                    getattr(action, "progress_message", "") or f"{action.mnemonic} {action.owner.short}",
                    failed.command, failed.reason, text, path, failed.exit_code, why,
                )
            )  # fmt: skip
            if not is_test and not self._options.keep_going:
                self._stop()
        self._skip_after(index)

    def _skip_after(self, index: int) -> None:
        for skipped in self._schedule.fail(index):
            self._counts.skipped += 1
            if skipped in self._actions and skipped not in self._parent_of:
                self._emit_finished(skipped, "skipped", 0.0, None)
        parent = self._parent_of.get(index)
        if parent is not None and self._schedule.state(parent) is State.RUNNING:
            self._skip_after(parent)

    def _grow(self, index: int, actions: tuple[SpawnAction | FetchAction, ...]) -> None:
        """A map action has become others: they join the schedule, and it waits for them."""
        first = self._next_id
        self._next_id += len(actions)
        self._parent_of.update(dict.fromkeys(range(first, self._next_id), index))
        self._children_of[index] = tuple(range(first, self._next_id))
        self._unfinished_of[index] = set(self._children_of[index])
        self._schedule.park(index)
        for child, action in enumerate(actions, first):
            self._actions[child] = action
            for output in outputs_of(action):
                self._producers[output] = child
        for child, action in enumerate(actions, first):
            for artifact in inputs_of(action):
                if artifact.parent is not None and artifact not in self._producers:
                    self._values[artifact] = self._worker.member(artifact, self._values)
            self._schedule.add(child, self._dependencies(child), _resources(action))
        self._counts.total += len(actions) - 1  # the map action itself is no longer one
        self._doors.sink.emit(ExecutionPlanned(self._counts.total))
        if not actions:
            self._unite(index)

    def _child_ended(self, child: int) -> None:
        parent = self._parent_of.get(child)
        if parent is None:
            return
        self._unfinished_of[parent].discard(child)
        if not self._unfinished_of[parent] and self._schedule.state(parent) is State.RUNNING:
            self._unite(parent)

    def _unite(self, index: int) -> None:
        """All that a map action has become is done: its directories are the unions of their outputs."""
        action = self._actions[index]
        for output in outputs_of(action):
            parts = {
                member.path.removeprefix(output.path + "/"): self._values[member]
                for child in self._children_of[index]
                for member in outputs_of(self._actions[child])
                if member.parent == output
            }
            self._values[output] = self._worker.unite(parts)
        self._note_path(index)
        self._schedule.finish(index)

    def _stop(self) -> None:
        if not self._is_stopping:
            self._is_stopping = True
            self._doors.interrupt()

    def _dependencies(self, index: int) -> tuple[int, ...]:
        producers = (self._producers.get(artifact) for artifact in inputs_of(self._actions[index]))
        return tuple(dict.fromkeys(producer for producer in producers if producer is not None and producer != index))

    def _ingest_wanted_sources(self) -> None:
        """A wanted artifact that no action makes is a source file."""
        for artifact in self._wanted:
            if artifact not in self._producers and artifact.is_source:
                self._values[artifact] = ingested(self._doors.sources, artifact)

    def _is_source(self, path: str) -> bool:
        """For paths that a log speaks of: whatever else they are, they are no source files."""
        try:
            return self._doors.sources.kind(path) is not None
        except UserError:
            return False

    def _log(self, done: Done) -> bytes:
        parts = [self._doors.store.get(digest) for digest in (done.stdout, done.stderr) if digest.size]
        return b"".join(part if part.endswith(b"\n") else part + b"\n" for part in parts)

    def _count(self, how: str, runner: str) -> None:
        if how == "ran":
            self._counts.ran += 1
            self._count_runner(runner)
        elif how == "cached":
            self._counts.cached += 1
        elif how == "cached-remotely":
            self._counts.cached_remotely += 1
        else:
            self._counts.internal += 1

    def _count_runner(self, runner: str) -> None:
        if runner:
            self._counts.runners[runner] = self._counts.runners.get(runner, 0) + 1

    def _emit_finished(self, index: int, how: str, seconds: float, done: Done | None, exit_code: int = 0) -> None:
        action = self._actions[index]
        outputs = outputs_of(action)
        key = done.key if done else None
        end = self._ends[index] = (how, key.hash if key else "", seconds)
        if self._doors.explain is not None and how in ("ran", "failed"):
            used = (*inputs_of(action), *outputs)
            self._doors.explain(action, end, {each: self._values[each] for each in used if each in self._values})
        self._doors.sink.emit(
            ActionFinished(
                index, action.owner, action.mnemonic, how, self._began.get(index, 0.0), seconds,
                done.runner if done else "", outputs[0].path if outputs else "", exit_code, key,
            )
        )  # fmt: skip

    def _note_path(self, index: int) -> None:
        """The longest chain of seconds that ends with this action."""
        best: int | None = None
        for before in (*self._dependencies(index), *self._children_of.get(index, ())):
            if before in self._finished and (best is None or self._finished[before][0] > self._finished[best][0]):
                best = before
        length = self._finished[best][0] if best is not None else 0.0
        self._finished[index] = (length + self._seconds.get(index, 0.0), best)

    def _outcome(self) -> Outcome:
        chain: list[tuple[str, float]] = []
        last = max(self._finished, key=lambda index: (self._finished[index][0], -index), default=None)
        while last is not None:
            if (seconds := self._seconds.get(last, 0.0)) > 0:
                action = self._actions[last]
                chain.append((f"{action.mnemonic} {action.owner.short}", seconds))
            last = self._finished[last][1]
        failed = frozenset(artifact for artifact in self._producers if artifact not in self._values)
        path = tuple(reversed(chain))
        return Outcome(self._values, failed, self._tests, self._counts, path, self._actions, self._ends)


def _started(threads: Iterable[threading.Thread]) -> int:
    """How many of them the machine lets start; raises RuntimeError where it is none."""
    count = 0
    for thread in threads:
        try:
            thread.start()
        except RuntimeError:
            if count == 0:
                raise
            break
        count += 1
    return count


def needed(graph: ActionGraph, wanted: Iterable[Artifact]) -> tuple[int, ...]:
    """The actions that the wanted artifacts need, in the order of the graph."""
    found: set[int] = set()
    waiting = [graph.producers[artifact] for artifact in wanted if artifact in graph.producers]
    while waiting:
        index = waiting.pop()
        if index not in found:
            found.add(index)
            waiting += [
                graph.producers[artifact] for artifact in inputs_of(graph.actions[index]) if artifact in graph.producers
            ]
    return tuple(sorted(found))


def _resources(action: Action) -> Resources:
    return action.resources if isinstance(action, SpawnAction) else Resources(0, 0)
