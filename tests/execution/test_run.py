"""Execution over doors in memory."""

import os
import signal
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest

from mlbuild.diagnostics import UserError
from mlbuild.execution import Doors, Options, Outcome, execute
from mlbuild.execution.input_root import members
from mlbuild.files.memory import MemorySourceTree
from mlbuild.seams import BlobMissing, ContentStore
from mlbuild.store import MemoryActionCache, MemoryStore
from mlbuild.terms import (
    Action,
    ActionGraph,
    Artifact,
    Digest,
    ExpandedDirectory,
    ExpandTemplateAction,
    FetchAction,
    FileValue,
    Label,
    MapAction,
    Spawn,
    SpawnAction,
    SpawnResult,
    SymlinkAction,
    TreeValue,
    WriteAction,
    outputs_of,
)
from mlbuild.terms.event import ActionFailed, ActionFinished, Event

OWNER = Label.parse("//p:t")
Program = Callable[[Mapping[str, bytes], tuple[str, ...]], Mapping[str, bytes]]


def source(path: str) -> Artifact:
    return Artifact(path, OWNER, is_source=True)


def output(name: str, is_directory: bool = False) -> Artifact:
    return Artifact(f"mlbuild-out/p/{name}", OWNER, is_source=False, is_directory=is_directory)


def spawn(command: str, inputs: list[Artifact], outputs: list[Artifact], **more: object) -> SpawnAction:
    return SpawnAction(OWNER, "Run", (command, *(each.path for each in inputs)), tuple(outputs), tuple(inputs), **more)  # type: ignore[arg-type]


class ProgramRunner:
    """Runs Python functions on the spawn's declared inputs, and keeps the store's promise for outputs."""

    def __init__(self, store: ContentStore, programs: Mapping[str, Program], interrupted: threading.Event) -> None:
        self._store = store
        self._programs = programs
        self._interrupted = interrupted
        self.ran: list[str] = []

    def interrupt(self) -> None:
        self._interrupted.set()

    def run(self, spawn: Spawn) -> SpawnResult:
        if self._interrupted.is_set():
            return SpawnResult(1, failure="interrupted")
        self.ran.append(" ".join(spawn.arguments))
        inputs = {
            path.removeprefix("work/"): self._store.get(value.digest)
            for path, value in members(TreeValue(spawn.input_root), self._store.get)
        }
        try:
            made = self._programs[spawn.arguments[0]](inputs, spawn.arguments[1:])
        except AssertionError as error:
            return SpawnResult(1, stderr=self._store.put(str(error).encode()), runner="memory")
        outputs = tuple(
            (path, FileValue(self._store.put(made[path.rpartition("/")[2]]))) for path in spawn.output_paths
        )
        return SpawnResult(0, outputs, runner="memory")


class NoFetcher:
    def key(self, action: FetchAction, inputs: dict[str, FileValue | TreeValue]) -> Digest | None:
        return None

    def fetch(self, action: FetchAction, inputs: dict[str, FileValue | TreeValue]) -> FileValue | TreeValue:
        raise UserError()


class Events:
    def __init__(self) -> None:
        self.seen: list[Event] = []
        self._lock = threading.Lock()

    def emit(self, event: Event) -> None:
        with self._lock:
            self.seen.append(event)


@dataclass
class World:
    """A cache that lasts over builds, and a workspace that may be edited between them."""

    programs: Mapping[str, Program]
    files: dict[str, bytes | str] = field(default_factory=dict)
    store: MemoryStore = field(default_factory=MemoryStore)
    cache: MemoryActionCache = field(default_factory=MemoryActionCache)
    events: Events = field(default_factory=Events)
    ran: list[str] = field(default_factory=list)
    interrupted: threading.Event | None = None

    def build(self, actions: list[Action], wanted: list[Artifact], *, keep_going: bool = False) -> Outcome:
        producers = {made: index for index, action in enumerate(actions) for made in outputs_of(action)}
        runner = ProgramRunner(self.store, self.programs, self.interrupted or threading.Event())
        self.events = Events()
        doors = Doors(
            MemorySourceTree(self.files, self.store), self.store, self.cache, runner, NoFetcher(), self.events,
            lambda name, log: name, "/workspace", runner.interrupt, lambda: None,
        )  # fmt: skip
        try:
            return execute(ActionGraph((), tuple(actions), producers), wanted, doors, Options(4, 4, 4096, keep_going))
        finally:
            self.ran = sorted(runner.ran)

    def text(self, outcome: Outcome, artifact: Artifact) -> str:
        return self.store.get(outcome.values[artifact].digest).decode()


def concatenate(inputs: Mapping[str, bytes], arguments: tuple[str, ...]) -> Mapping[str, bytes]:
    joined = b"+".join(inputs[path] for path in arguments)
    return dict.fromkeys(("a", "b", "c", "out"), joined)


def fail_always(inputs: Mapping[str, bytes], arguments: tuple[str, ...]) -> Mapping[str, bytes]:
    raise AssertionError("FileNotFoundError: [Errno 2] No such file or directory: 'p/secret.csv'")


PROGRAMS: dict[str, Program] = {"cat": concatenate, "fail": fail_always}


def test_a_chain_runs_once_and_then_never_again() -> None:
    world = World(PROGRAMS, {"p/x": "1", "p/y": "2"})
    actions: list[Action] = [
        spawn("cat", [source("p/x")], [output("a")]),
        spawn("cat", [output("a"), source("p/y")], [output("b")]),
    ]
    outcome = world.build(actions, [output("b")])
    assert world.text(outcome, output("b")) == "1+2"
    assert world.ran == ["cat mlbuild-out/p/a p/y", "cat p/x"]
    again = world.build(actions, [output("b")])
    assert world.ran == []
    assert (again.counts.ran, again.counts.cached, again.counts.total) == (0, 2, 2)


def test_an_equal_output_stops_the_rebuild() -> None:
    def first_line(inputs: Mapping[str, bytes], arguments: tuple[str, ...]) -> Mapping[str, bytes]:
        return {"a": inputs["p/x"].splitlines()[0]}

    world = World({**PROGRAMS, "head": first_line}, {"p/x": "1\n# a comment"})
    actions: list[Action] = [
        spawn("head", [source("p/x")], [output("a")]),
        spawn("cat", [output("a")], [output("b")]),
    ]
    world.build(actions, [output("b")])
    world.files["p/x"] = "1\n# another comment"
    world.build(actions, [output("b")])
    assert world.ran == ["head p/x"]


def test_what_nobody_wants_does_not_run() -> None:
    world = World(PROGRAMS, {"p/x": "1"})
    actions: list[Action] = [
        spawn("cat", [source("p/x")], [output("a")]),
        spawn("cat", [source("p/x")], [output("b")]),
    ]
    world.build(actions, [output("b")])
    assert len(world.ran) == 1


def test_a_failure_skips_what_needs_it_and_is_tried_again() -> None:
    world = World(PROGRAMS, {"p/x": "1"})
    actions: list[Action] = [
        spawn("fail", [source("p/x")], [output("a")]),
        spawn("cat", [output("a")], [output("b")]),
        spawn("cat", [source("p/x")], [output("c")]),
    ]
    outcome = world.build(actions, [output("b"), output("c")], keep_going=True)
    assert (outcome.counts.failed, outcome.counts.skipped, outcome.counts.ran) == (1, 1, 1)
    assert outcome.failed == {output("a"), output("b")}
    (failure,) = [event for event in world.events.seen if isinstance(event, ActionFailed)]
    assert failure.reason == "exit code 1"
    assert "secret.csv" in failure.log_tail
    world.build(actions, [output("b")], keep_going=True)
    assert world.ran == ["fail p/x"]


def test_a_failure_says_what_to_declare() -> None:
    world = World(PROGRAMS, {"p/x": "1", "p/secret.csv": "2"})
    world.build([spawn("fail", [source("p/x")], [output("a")])], [output("a")])
    (failure,) = [event for event in world.events.seen if isinstance(event, ActionFailed)]
    assert failure.hints == (
        "`p/secret.csv` exists in the workspace but is not a declared input of `//p:t`, so the action cannot see it: "
        'add "secret.csv" to its `srcs`, `data` or `deps`',
    )


def test_a_test_that_fails_is_a_verdict_and_not_a_failed_build() -> None:
    world = World(PROGRAMS, {"p/x": "1"})
    outcome = world.build([spawn("fail", [source("p/x")], [output("a")], is_test=True)], [output("a")])
    verdict = outcome.tests[output("a")]
    assert (verdict.is_passed, verdict.is_cached) == (False, False)
    assert [event for event in world.events.seen if isinstance(event, ActionFailed)] == []


def test_written_expanded_and_linked_files_need_no_process() -> None:
    world = World(PROGRAMS)
    actions: list[Action] = [
        WriteAction(OWNER, output("a"), b"hello NAME"),
        ExpandTemplateAction(OWNER, output("a"), output("b"), (("NAME", "world"),)),
        SymlinkAction(OWNER, output("b"), output("c")),
    ]
    outcome = world.build(actions, [output("c")])
    assert world.text(outcome, output("c")) == "hello world"
    assert (outcome.counts.internal, outcome.counts.ran) == (3, 0)


def test_a_lost_blob_is_made_again_in_the_same_build() -> None:
    class Complete(MemoryActionCache):
        def lookup(self, key: Digest) -> SpawnResult | None:
            found = super().lookup(key)
            return None if found and world.store.missing(value.digest for _, value in found.outputs) else found

    world = World(PROGRAMS, {"p/x": "1", "p/y": "2"})
    world.cache = Complete()
    actions: list[Action] = [
        spawn("cat", [source("p/x")], [output("a")]),
        spawn("cat", [output("a"), source("p/y")], [output("b")]),
    ]
    outcome = world.build(actions, [output("b")])
    world.store.lose(outcome.values[output("a")].digest)
    world.files["p/y"] = "3"
    assert world.text(world.build(actions, [output("b")]), output("b")) == "1+3"


def test_a_blob_that_cannot_be_made_again_is_an_error() -> None:
    world = World(PROGRAMS, {"p/x": "1", "p/y": "2", "p/z": "3"})
    actions: list[Action] = [
        spawn("cat", [source("p/x"), source("p/z")], [output("a")]),
        spawn("cat", [output("a"), source("p/y")], [output("b")]),
    ]
    world.store.lose(world.build(actions, [output("b")]).values[output("a")].digest)
    world.files["p/y"] = "3"
    with pytest.raises(BlobMissing):  # this cache breaks its law: it promises what the store has lost
        world.build(actions, [output("b")])


def partitions(names: tuple[str, ...]) -> list[Action]:
    """A directory with a member for each name, and one spawn for each member."""

    def expand(listed: Mapping[Artifact, tuple[Artifact, ...]]) -> tuple[SpawnAction, ...]:
        return tuple(
            SpawnAction(
                OWNER, "Part", ("cat", each.path),
                (Artifact(f"{made.path}/{each.basename}/out", OWNER, False, parent=made),), (each,),
            )
            for each in listed[folder]
        )  # fmt: skip

    folder = source("p/table")
    folder = Artifact(folder.path, OWNER, is_source=True, is_directory=True)
    made = output("features", is_directory=True)
    return [
        MapAction(OWNER, "Parts", (folder,), (made,), (folder,), expand),
        SpawnAction(OWNER, "Join", ("cat", ExpandedDirectory(made)), (output("c"),), (made,)),
    ]


def test_each_member_of_a_directory_has_a_spawn_with_a_key_of_its_own() -> None:
    world = World(PROGRAMS, {"p/table/01": "one", "p/table/02": "two"})
    outcome = world.build(partitions(()), [output("c")])
    assert world.text(outcome, output("c")) == "one+two"
    world.files["p/table/03"] = "three"
    outcome = world.build(partitions(()), [output("c")])
    assert world.text(outcome, output("c")) == "one+two+three"
    assert [command for command in world.ran if "table" in command] == ["cat p/table/03"]
    assert (outcome.counts.ran, outcome.counts.cached) == (2, 2)


def test_a_member_that_fails_fails_what_needs_the_whole() -> None:
    def picky(inputs: Mapping[str, bytes], arguments: tuple[str, ...]) -> Mapping[str, bytes]:
        assert b"two" not in inputs.values()
        return concatenate(inputs, arguments)

    world = World({"cat": picky}, {"p/table/01": "one", "p/table/02": "two"})
    outcome = world.build(partitions(()), [output("c")], keep_going=True)
    assert output("c") in outcome.failed
    skipped = [event for event in world.events.seen if isinstance(event, ActionFinished) and event.how == "skipped"]
    assert [event.mnemonic for event in skipped] == ["Join"]


def test_a_stop_of_the_build_is_raised_and_nothing_runs_on() -> None:
    world = World(PROGRAMS)
    with pytest.raises(UserError, match="`p/gone` was there when the build began, and has gone since"):
        world.build([spawn("cat", [source("p/gone")], [output("a")])], [output("a")])


def test_an_interrupt_while_the_pool_starts_is_an_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(thread: threading.Thread) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(KeyboardInterrupt):
        World(PROGRAMS).build([spawn("cat", [source("p/one")], [output("a")])], [output("a")])


def test_where_few_threads_may_start_fewer_actions_run_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    begin, left = threading.Thread.start, [2]

    def start(thread: threading.Thread) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise RuntimeError("can't start new thread")
        begin(thread)

    monkeypatch.setattr(threading.Thread, "start", start)
    world = World(PROGRAMS, {f"p/{number}": str(number) for number in range(6)})
    merged = spawn("cat", [output(f"o{number}") for number in range(6)], [output("out")])
    actions: list[Action] = [SymlinkAction(OWNER, source(f"p/{number}"), output(f"o{number}")) for number in range(6)]
    assert world.text(world.build([*actions, merged], [output("out")]), output("out")) == "0+1+2+3+4+5"


def test_where_no_thread_may_start_the_build_does_not_wait_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(RuntimeError, match="can't start new thread"):
        World(PROGRAMS, {"p/one": "1"}).build([spawn("cat", [source("p/one")], [output("a")])], [output("a")])


def test_a_signal_that_comes_just_before_a_wait_ends_the_build_at_once() -> None:
    ended = threading.Event()
    seen: list[bool] = []

    def slow(inputs: Mapping[str, bytes], arguments: tuple[str, ...]) -> Mapping[str, bytes]:
        # Here it comes to this thread, so the main thread is not woken, as when it had only just begun to wait.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        os.kill(os.getpid(), signal.SIGINT)
        seen.append(ended.wait(20))
        return {"a": b""}

    world = World({"slow": slow}, interrupted=ended)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        with pytest.raises(KeyboardInterrupt):
            world.build([spawn("slow", [], [output("a")])], [output("a")])
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    assert seen == [True]
