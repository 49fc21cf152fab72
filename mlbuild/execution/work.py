"""One action's work, done by a thread of the pool: its values, or why there are none. Keeps no state of the build."""

from __future__ import annotations

from collections.abc import Mapping

from mlbuild.diagnostics import ExitCode, UserError, fail, render
from mlbuild.execution.caching import CachingRunner
from mlbuild.execution.input_root import directory_of, members, merkle_tree
from mlbuild.execution.merging import merge_subdirectories
from mlbuild.execution.prepare import prepare
from mlbuild.execution.turns import Turns
from mlbuild.records import record
from mlbuild.seams import ActionCache, ContentStore, EventSink, Fetcher, SourceTree
from mlbuild.terms import (
    EMPTY,
    Action,
    Artifact,
    Digest,
    ExpandTemplateAction,
    FetchAction,
    FileValue,
    MapAction,
    MergeAction,
    Spawn,
    SpawnAction,
    SpawnResult,
    SymlinkAction,
    TreeValue,
    Value,
    WriteAction,
    inputs_of,
)
from mlbuild.terms.event import ActionRunning

Values = dict[Artifact, FileValue | TreeValue]

FETCHED = "fetched"
"""The path under which results of fetching are recorded: whoever wants the same thing may call it as it likes."""


@record
class Done:
    """The action's outputs. `how` is as in `ActionFinished`; `ran_to_its_end` means that its process exited by itself."""

    values: Mapping[Artifact, FileValue | TreeValue]
    how: str
    runner: str = ""
    key: Digest | None = None
    stdout: Digest = EMPTY
    stderr: Digest = EMPTY
    wall_seconds: float = 0.0
    ran_to_its_end: bool = True


@record
class Failed:
    reason: str
    exit_code: int
    command: tuple[str, ...]
    done: Done
    is_timed_out: bool = False


@record
class Grown:
    """What a map action has become."""

    actions: tuple[SpawnAction | FetchAction, ...]


Work = Done | Failed | Grown


def ingested(sources: SourceTree, artifact: Artifact) -> FileValue | TreeValue:
    """A source's value. Raises UserError where it has gone since the BUILD files were read."""
    try:
        return sources.ingest(artifact.path)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        raise fail(
            "input-gone",
            f"`{artifact.path}` was there when the build began, and has gone since",
            hint="wait until whatever changes the files has finished, then run the same command again",
        ) from None


class Worker:
    """Does one action at a time; many threads may call it at once."""

    def __init__(
        self,
        sources: SourceTree,
        store: ContentStore,
        runner: CachingRunner,
        cache: ActionCache,
        fetcher: Fetcher,
        sink: EventSink,
        reuse_tests: bool,
    ) -> None:
        self._sources = sources
        self._store = store
        self._runner = runner
        self._cache = cache
        self._fetcher = fetcher
        self._sink = sink
        self._reuse_tests = reuse_tests
        self._turns = Turns()

    def work(self, index: int, action: Action, values: Values) -> Work:
        """Raises BlobMissing, UserError (what stops the whole build) and OSError."""
        for artifact in inputs_of(action):
            if artifact not in values and artifact.is_source:
                values[artifact] = ingested(self._sources, artifact)
        match action:
            case SpawnAction():
                return self._spawn(index, action, values)
            case FetchAction():
                return self._fetch(action, values)
            case MapAction():
                return self._expand(action, values)
            case WriteAction():
                value: FileValue | TreeValue = FileValue(self._store.put(action.content), action.is_executable)
                return Done({action.output: value}, "internal")
            case ExpandTemplateAction():
                return Done({action.output: self._expand_template(action, values)}, "internal")
            case SymlinkAction():
                return Done({action.output: values[action.target]}, "internal")
            case MergeAction():
                return self._merge(action, values)

    def member(self, artifact: Artifact, values: Values) -> FileValue | TreeValue:
        """The value of a member of a directory that has one."""
        assert artifact.parent is not None
        tree = values[artifact.parent]
        assert isinstance(tree, TreeValue)
        value = directory_of(tree, artifact.tree_relative_path, self._store.get)
        if not isinstance(value, FileValue | TreeValue):
            raise LookupError(f"{artifact.path} is no member of {artifact.parent.path}")
        return value

    def unite(self, parts: Mapping[str, Value]) -> TreeValue:
        """The directory that holds each part at its path."""
        tree = merkle_tree(parts, self._store.get)
        tree.keep_in(self._store)
        return TreeValue(tree.digest)

    def _spawn(self, index: int, action: SpawnAction, values: Values) -> Work:
        prepared = prepare(action, values, self._store.get)
        spawn = prepared.spawn
        key, result = self._runner.lookup(spawn)
        if result is not None and action.is_test and not self._reuse_tests:
            result = None
        if result is None:
            # Another target may be at the same work just now.
            with self._turns.of(key) as is_first:
                if not is_first and not action.is_test:
                    _, result = self._runner.lookup(spawn)
                if result is None:
                    self._sink.emit(ActionRunning(index, spawn.arguments, spawn.environment))
                    prepared.root.keep_in(self._store)
                    result = self._run(spawn, key, action.retries)
        by_path = dict(result.outputs)
        seen_as = {output: prepared.paths.get(output.path, output.path) for output in action.outputs}
        outputs = {output: by_path[path] for output, path in seen_as.items() if path in by_path}
        done = Done(
            outputs,
            _how(result),
            result.runner,
            key,
            result.stdout,
            result.stderr,
            result.wall_seconds,
            result.failure is None,
        )
        if result.is_success and len(outputs) == len(action.outputs):
            return done
        return Failed(_reason(result), result.exit_code, spawn.arguments, done, "timed out" in (result.failure or ""))

    def _run(self, spawn: Spawn, key: Digest, retries: int) -> SpawnResult:
        result = self._runner.run_and_record(spawn, key)
        for _ in range(retries):
            if result.is_success:
                break
            result = self._runner.run_and_record(spawn, key)
        return result

    def _fetch(self, action: FetchAction, values: Values) -> Work:
        inputs = {artifact.path: values[artifact] for artifact in action.inputs}
        try:
            key = self._fetcher.key(action, inputs)
            if key is None:
                return Done({action.output: self._fetcher.fetch(action, inputs)}, "internal")
            with self._turns.of(key):
                remembered = self._cache.lookup(key)
                if remembered is not None:
                    return Done({action.output: dict(remembered.outputs)[FETCHED]}, "cached", key=key)
                value = self._fetcher.fetch(action, inputs)
                self._cache.record(key, SpawnResult(0, ((FETCHED, value),), runner="fetch"))
        except UserError as error:
            if error.exit_code == ExitCode.ENVIRONMENT:
                raise  # this machine fails, not the action
            return self._refused("could not be fetched", error)
        return Done({action.output: value}, "ran", "fetch", key)

    def _expand(self, action: MapAction, values: Values) -> Work:
        listed: dict[Artifact, tuple[Artifact, ...]] = {}
        for artifact in action.directories:
            tree = values[artifact]
            if isinstance(tree, TreeValue):
                listed[artifact] = tuple(
                    Artifact(f"{artifact.path}/{path}", artifact.owner, artifact.is_source, parent=artifact)
                    for path, _ in members(tree, self._store.get)
                )
        try:
            return Grown(action.expand(listed))
        except UserError as error:
            return self._refused("its members could not be mapped to actions", error)

    def _merge(self, action: MergeAction, values: Values) -> Work:
        tree = values[action.directory]
        assert isinstance(tree, TreeValue)
        try:
            merged = merge_subdirectories(tree, self._store.get)
        except UserError as error:
            return self._refused("its folders cannot be merged", error)
        merged.keep_in(self._store)
        return Done({action.output: TreeValue(merged.digest)}, "internal")

    def _refused(self, reason: str, error: UserError) -> Failed:
        """A failure before any process: what is wrong stands in its log."""
        text = "\n".join(render(diagnostic) for diagnostic in error.diagnostics)
        done = Done({}, "failed", stderr=self._store.put(text.encode()), ran_to_its_end=False)
        return Failed(reason, int(error.exit_code), (), done)

    def _expand_template(self, action: ExpandTemplateAction, values: Values) -> FileValue:
        template = values[action.template]
        content = self._store.get(template.digest)
        for key, replacement in action.substitutions:
            content = content.replace(key.encode(), replacement.encode())
        return FileValue(self._store.put(content), action.is_executable)


def _how(result: SpawnResult) -> str:
    if result.is_from_remote:
        return "cached-remotely"
    return "cached" if result.is_from_cache else "ran"


def _reason(result: SpawnResult) -> str:
    if result.failure is not None:
        return result.failure
    if result.exit_code > 128:
        return f"ended by signal {result.exit_code - 128}"
    return f"exit code {result.exit_code}"
