"""A session: one command in one workspace, from request to exit code. Read top down, `build` is the story.

Heavy rooms are imported where they are used: a build with nothing to do must not pay for them.
"""

from __future__ import annotations

import gc
import sys
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import mlbuild
from mlbuild.diagnostics import Diagnostic, ExitCode, UserError, fail
from mlbuild.journal import again
from mlbuild.session import leftovers, null_build
from mlbuild.session.deferring import uninterrupted
from mlbuild.terms import OUTPUT_ROOT
from mlbuild.terms.event import BuildStarted, PhaseStarted, TargetCompleted, TestFinished, Warned

if TYPE_CHECKING:
    from mlbuild.config import BuildRequest
    from mlbuild.execution import Outcome
    from mlbuild.sandbox import OwnFolder
    from mlbuild.seams import EventSink
    from mlbuild.session.explaining import Explain
    from mlbuild.session.rooms import Rooms
    from mlbuild.terms import ActionGraph, ConfiguredTarget


JOURNAL = "journal"
"""The folder of the builds' records, in the workspace's state."""


def journal_folder(request: BuildRequest) -> str:
    return f"{request.state_folder}/{JOURNAL}"


class Session:
    """One invocation. Open it with `Session.open`; one command is run in it."""

    def __init__(self, request: BuildRequest, sink: EventSink) -> None:
        self._request = request
        self._sink = sink
        self._began = time.time()
        self._rooms: Rooms | None = None
        self._id = str(uuid.uuid4())
        self._words: tuple[str, tuple[str, ...]] = ("", ())

    @classmethod
    @contextmanager
    def open(cls, request: BuildRequest, sink: EventSink) -> Iterator[Session]:
        session = cls(request, sink)
        try:
            yield session
        finally:
            try:
                session.close()
            except KeyboardInterrupt:
                session.close()
                raise
        session._collect()

    def close(self) -> None:
        """More than once does no harm."""
        with uninterrupted():
            if self._rooms is not None:
                self._rooms.close()

    def build(self, patterns: tuple[str, ...]) -> ExitCode:
        """Builds what the patterns name; outputs are in place when it returns."""
        return self._build(patterns, "build")

    def test(self, patterns: tuple[str, ...]) -> ExitCode:
        """Builds what the patterns name and runs those that are tests."""
        return self._build(patterns, "test")

    def _build(self, patterns: tuple[str, ...], command: str) -> ExitCode:
        began_ns = time.time_ns()
        request = self._request
        self._start(command, patterns)
        asked = null_build.question(
            command, patterns, str(request.workspace), request.package, tuple(sorted(request.defines.items())),
            str(request.cache_folder), str(request.read_only_cache), request.environ.get("PATH", ""), sys.executable,
            request.sandbox,
        )  # fmt: skip
        state = request.state_folder / f"last-{command}"
        may_reuse = command == "build" or request.cache_test_results
        if may_reuse and null_build.answer(state, asked, self._sink, self._began, time.time()):
            again.note(journal_folder(request), self._began, time.time() - self._began, command, patterns)
            self._tidy()
            return ExitCode.SUCCESS
        from mlbuild.session import results

        with self._locked(), self._noting_errors():
            if self._makes_output_root():
                began_ns = time.time_ns()
            rooms = self._open_rooms()
            graph, faults = self._analysed(rooms, patterns)
            if command == "test" and not faults and not any(target.test_results for target in graph.targets):
                raise fail(
                    "no-tests", f"no test targets were found in {' '.join(patterns)}", exit_code=ExitCode.NO_TESTS
                )
            self._sink.emit(PhaseStarted("execution"))
            outcome, completed, tested = rooms.until_whole(lambda: self._carried_out(rooms, graph, command == "test"))
            told: tuple[null_build.Told, ...] = (*completed, *tested)
            for event in told:
                self._sink.emit(event)
            rooms.finish_giving()
            code = ExitCode.BUILD_FAILED if faults else results.exit_code(completed, tested)
            self._sink.emit(results.finished(code, time.time() - self._began, outcome.counts, outcome.critical_path))
            if code == ExitCode.SUCCESS and not rooms.has_left_outputs:
                null_build.remember(
                    state, asked, rooms.witnesses(), began_ns, time.time_ns(), told,
                    outcome.counts.total - outcome.counts.internal,
                )  # fmt: skip
            self._note(rooms, outcome, code)
            return code

    def _carried_out(
        self, rooms: Rooms, graph: ActionGraph, with_tests: bool
    ) -> tuple[Outcome, list[TargetCompleted], list[TestFinished]]:
        """Executes, and places the outputs. Raises BlobMissing for an output that turns out to be damaged."""
        from mlbuild.session import results

        outcome = rooms.execute(graph, results.wanted_artifacts(graph.targets, with_tests), self._explain(rooms))
        outputs = rooms.leaving or rooms.outputs
        completed = [results.completed(target, outcome, outputs, rooms.store) for target in graph.targets]
        tested = [
            results.tested(target, outcome, rooms.outputs, rooms.store)
            for target in graph.targets
            if with_tests and target.test_results
        ]
        return outcome, completed, tested

    def run(self, target: str, arguments: tuple[str, ...]) -> ExitCode | int:
        """Builds a target that can be run, and runs it attached to the terminal, in its own environment.

        Returns the program's exit code.
        """
        return self._attached("run", target, arguments)

    def shell(self, target: str, arguments: tuple[str, ...]) -> ExitCode | int:
        """The same with the target's interpreter instead of its program. Returns the interpreter's exit code."""
        return self._attached("shell", target, arguments)

    def _attached(self, how: str, target: str, arguments: tuple[str, ...]) -> ExitCode | int:
        from mlbuild.session import results, running

        self._start(how, (target,))
        with self._locked():
            rooms = self._open_rooms()
            graph, faults = self._analysed(rooms, (target,))
            if faults:
                return ExitCode.BUILD_FAILED
            if len(graph.targets) != 1:
                raise fail("one-target", f"`{target}` names {len(graph.targets)} targets: {how} takes one",
                           exit_code=ExitCode.COMMAND_LINE)  # fmt: skip
            command = running.command_of(graph.targets[0], how)

            def staged() -> tuple[Outcome, OwnFolder | None]:
                outcome = rooms.execute(graph, running.artifacts(command), self._explain(rooms))
                is_whole = all(artifact in outcome.values for artifact in running.artifacts(command))
                return outcome, running.stage(command, outcome.values, rooms) if is_whole else None

            outcome, own = rooms.until_whole(staged)
            rooms.finish_giving()
            code = ExitCode.BUILD_FAILED if own is None else ExitCode.SUCCESS
            self._sink.emit(results.finished(code, time.time() - self._began, outcome.counts, outcome.critical_path))
            self._note(rooms, outcome, code)
            if own is None:
                return code
        # The lock is given back first: what runs may itself build here.
        try:
            return running.run(command, own.path, arguments, self._request)
        finally:
            with uninterrupted():
                own.remove()

    def verify(self, patterns: tuple[str, ...]) -> tuple[Iterable[str], ExitCode]:
        """Runs every action of what the patterns name in unlike surroundings: the report, and what the command ends with.

        Places no outputs. Raises UserError.
        """
        from mlbuild.session import results
        from mlbuild.session.verifying import verify

        self._start("verify", patterns)
        with self._locked():
            rooms = self._open_rooms()
            graph, faults = self._analysed(rooms, patterns)
            self._sink.emit(PhaseStarted("execution"))
            report, verified, outcome = verify(self._request, rooms, graph)
            code = ExitCode.BUILD_FAILED if faults else verified
            self._sink.emit(results.finished(code, time.time() - self._began, outcome.counts, outcome.critical_path))
            return report, code

    def query(self) -> tuple[Iterable[str], ExitCode]:
        """Answers the request's question about the target graph: the lines to show, and what the command ends with."""
        from mlbuild.session.asking import ask

        return ask(self._request, self._sink)

    def log(self) -> tuple[str, ...]:
        """The builds that are remembered, a line each; or the actions of the one that the request names. Raises UserError."""
        from mlbuild.session.journaling import listed, told

        words = self._request.words
        return told(self._request, words) if words else listed(self._request)

    def why(self) -> tuple[str, ...]:
        """Why the actions of the request's target ran, or did not. Raises UserError."""
        from mlbuild.session.explaining import explain

        return explain(self._request, self._sink)

    def diff(self) -> tuple[str, ...]:
        """How two remembered builds are unlike. Raises UserError."""
        from mlbuild.session.comparing import compare

        return compare(self._request, self._sink)

    def lock(self, patterns: tuple[str, ...]) -> tuple[str, ...]:
        """Resolves the requirements of the targets that have both `requirements` and `lock`; returns the locks written."""
        from mlbuild.session.locking import write_locks

        with self._locked():
            rooms = self._open_rooms()
            return write_locks(rooms, self._request, patterns)

    def env(self, words: tuple[str, ...]) -> tuple[tuple[str, ...], ExitCode]:
        """Builds the environments that `words` name and does what they say with them: what there is to tell.

        Raises UserError.
        """
        from mlbuild.session import environments, results

        task, names = environments.task_of(words)
        self._start("env", words)
        with self._locked():
            rooms = self._open_rooms()
            graph, faults = self._analysed(rooms, names)
            if faults:
                return (), ExitCode.BUILD_FAILED
            asked = environments.asked(rooms, self._request, graph, names)
            wanted = tuple(dict.fromkeys(artifact for each in asked for artifact in each.all))

            def done() -> tuple[Outcome, tuple[str, ...] | None]:
                outcome = rooms.execute(graph, wanted, self._explain(rooms))
                if any(artifact not in outcome.values for artifact in wanted):
                    return outcome, None
                found = tuple(environments.built(each, outcome.values, rooms) for each in asked)
                return outcome, task.do(found, self._request, rooms)

            outcome, said = rooms.until_whole(done)
            rooms.finish_giving()
            code = ExitCode.BUILD_FAILED if said is None else ExitCode.SUCCESS
            self._sink.emit(results.finished(code, time.time() - self._began, outcome.counts, outcome.critical_path))
            self._note(rooms, outcome, code)
            return said or (), code

    def clean(self) -> None:
        """Removes `mlbuild-out/` and what is known about it. The cache stays; nothing needs this to be right."""
        from mlbuild.files.remove import remove_tree

        with self._locked():
            # The past is no knowledge of what is there: it is kept.
            known = [path for path in self._request.state_folder.iterdir() if path.name not in ("lock", JOURNAL)]
            for place in (self._request.workspace / OUTPUT_ROOT, *known):
                if place.exists() or place.is_symlink():
                    remove_tree(place)

    def info(self) -> Mapping[str, str]:
        """Where things are, by name."""
        request = self._request
        return {
            "cache": str(request.read_only_cache or request.cache_folder),
            "output_root": str(request.workspace / OUTPUT_ROOT),
            "release": mlbuild.__version__,
            "rules": str(request.rules_folder),
            "workspace": str(request.workspace),
        }

    def look_after_cache(self, task: str) -> tuple[tuple[str, ...], bool]:
        """Does `status`, `verify`, `repair` or `gc`: what there is to tell, a line each, and whether all is well."""
        from mlbuild.session.upkeep import TASKS

        return TASKS[task](self._request)

    def doctor(self) -> tuple[str, ...]:
        """What this machine can and cannot promise, a line each."""
        from mlbuild.session.examination import examine

        return examine(self._request)

    def _analysed(self, rooms: Rooms, patterns: tuple[str, ...]) -> tuple[ActionGraph, tuple[Diagnostic, ...]]:
        """The action graph. With `--keep_going` what can be analysed of it, and what is wrong with the rest, told already.

        Raises UserError, without `--keep_going` for the first phase that finds something wrong.
        """
        from mlbuild.analysis import Analysis, analyse

        # Graphs are big and live as long as the process: collections of young garbage only would cost half the time.
        gc.set_threshold(100_000, 50, 1000)
        self._sink.emit(PhaseStarted("loading"))
        if not self._request.keep_going:
            labels = rooms.loader.expand(patterns, self._request.package)
            self._sink.emit(PhaseStarted("analysis"))
            return analyse(rooms.loader, labels, rooms.configuration, self._sink), ()
        found, faults = rooms.loader.expand_what_loads(patterns, self._request.package)
        self._sink.emit(PhaseStarted("analysis"))
        analysis = Analysis(rooms.loader, rooms.configuration, self._sink)
        targets: list[ConfiguredTarget] = []
        for label in found:
            try:
                targets.append(analysis.configure(label))
            except UserError as error:
                faults += error.diagnostics
        faults = tuple(dict.fromkeys(faults))
        for fault in faults:
            self._sink.emit(Warned(fault, "error"))
        return analysis.graph(targets), faults

    def _explain(self, rooms: Rooms) -> Explain | None:
        if not self._request.explain:
            return None
        from mlbuild.session.explaining import Explainer

        return Explainer(self._request, rooms.store, rooms.loader.entry, self._sink)

    def _note(self, rooms: Rooms, outcome: Outcome, code: ExitCode) -> None:
        """Into the journal: what `mlbuild why` tells later."""
        from mlbuild.session.journaling import note

        note(self._request, rooms.loader, outcome, code, self._id, self._began, self._words)

    @contextmanager
    def _noting_errors(self) -> Iterator[None]:
        """A build that an error ends is remembered too, though not what it was made of."""
        try:
            yield
        except (UserError, KeyboardInterrupt) as error:
            from mlbuild.session.journaling import note_end

            code = error.exit_code if isinstance(error, UserError) else ExitCode.INTERRUPTED
            note_end(self._request, code, self._id, self._began, self._words)
            raise

    def _tidy(self) -> None:
        """What commands have left that were killed goes, also where there is nothing else to do."""
        places = self._request.cache_folder, self._request.private_folder
        if leftovers.may_be_there(*places):
            leftovers.remove(*places)

    def _collect(self) -> None:
        """After work that may have made the cache grow, if it has a limit."""
        limit = self._request.cache_limit
        if limit is None or self._rooms is None:
            return
        from mlbuild.session.upkeep import collect_after_build

        try:
            collect_after_build(self._request.cache_folder, limit, self._rooms.written.has_grown)
        except (OSError, UserError) as error:
            # What was built is right, however big the cache.
            self._sink.emit(Warned(Diagnostic("not-collected", f"the cache could not be made smaller: {error}")))

    def _makes_output_root(self) -> bool:
        """Before the first look at the workspace: made later, it would change the listing that the build has seen."""
        from mlbuild.files.last_build import RACY_NS
        from mlbuild.files.output_tree import make_output_root

        is_new = make_output_root(self._request.workspace)
        if is_new:
            time.sleep(2 * RACY_NS / 1e9)  # what was changed a moment before a build says nothing to the next one
        return is_new

    def _open_rooms(self) -> Rooms:
        from mlbuild.session.rooms import Rooms

        with uninterrupted():
            self._rooms = Rooms(self._request, self._sink)
        return self._rooms

    @contextmanager
    def _locked(self) -> Iterator[None]:
        from mlbuild.files.locks import WorkspaceLock
        from mlbuild.files.sharing import make_cache
        from mlbuild.store.words import in_words

        with in_words(self._request.cache_folder):
            make_cache(self._request.cache_folder)
            self._request.state_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = self._request.state_folder / "lock"
        with WorkspaceLock(lock, block=self._request.block_for_lock, on_wait=self._say):
            yield

    def _say(self, line: str) -> None:
        self._sink.emit(Warned(Diagnostic("note", line), "info"))

    def _start(self, command: str, arguments: tuple[str, ...]) -> None:
        self._words = (command, arguments)
        self._sink.emit(BuildStarted(self._id, command, arguments, str(self._request.workspace), self._began))
