"""The doors of one invocation, filled: what reads, keeps, fetches, runs and places on this machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import mlbuild
from mlbuild.analysis import Configuration
from mlbuild.diagnostics import Diagnostic, ExitCode, fail
from mlbuild.execution import Doors, Options, Outcome, execute, until_whole
from mlbuild.fetch import HostFetcher, configuration_files, index_settings, path_folders
from mlbuild.files.last_build import Witness
from mlbuild.files.output_tree import DiskOutputTree
from mlbuild.files.sharing import is_shared
from mlbuild.files.source_tree import DiskSourceTree
from mlbuild.files.staging import TreeStore
from mlbuild.files.states import FileStates
from mlbuild.lang import PrivateFolder, ProgramCache
from mlbuild.loading import Loader
from mlbuild.sandbox import SALT, Limits, LinuxRunner, OwnFolder, PlainRunner, enforcement, remove_leftovers
from mlbuild.seams import ActionCache, BlobMissing
from mlbuild.session import null_build
from mlbuild.session.leaving import LeavingOutputs
from mlbuild.store import BlobFiles, DiskActionCache, DiskStore, LayeredActionCache, LayeredFiles, ReadOnlyStore
from mlbuild.store.words import in_words
from mlbuild.terms import OUTPUT_ROOT, ActionGraph, Artifact, FileValue
from mlbuild.terms.event import Warned

if TYPE_CHECKING:
    from mlbuild.config import BuildRequest
    from mlbuild.remote import Remote
    from mlbuild.seams import EventSink
    from mlbuild.session.explaining import Explain
    from mlbuild.verify import Reproduction, Variation

REPOSITORY = "mlbuild"
T = TypeVar("T")


class Rooms:
    """Everything that a build needs of the world; `close` ends what runs and keeps what was learnt."""

    def __init__(self, request: BuildRequest, sink: EventSink) -> None:
        self._request = request
        self._sink = sink
        self._closing = ExitStack()
        with ExitStack() as opening:
            self._open(request, sink, opening)
            self._closing = opening.pop_all()

    def _open(self, request: BuildRequest, sink: EventSink, opening: ExitStack) -> None:
        """Each room that is opened is closed again, last first, also where a later one cannot be opened."""
        cache, private = request.cache_folder, request.private_folder
        with suppress(OSError):
            # What others keep is in nobody's way.
            remove_leftovers(private / "run")
        self._say_whose(cache)
        self.states = FileStates(request.state_folder / "files")
        opening.callback(self.states.save)
        self.written = DiskStore(cache, self._warn)
        opening.callback(self.written.close)
        recorded = DiskActionCache(cache, self.written, self._warn)
        opening.callback(recorded.close)
        self.store: BlobFiles = self.written
        self.cache: ActionCache = recorded
        self._forget_trees = [recorded.forget_trees]
        if request.read_only_cache is not None:
            self._add_read_only(request.read_only_cache, recorded, opening)
        local = self.store
        self.remote = self._open_remote(request, local)
        if self.remote is not None:
            opening.callback(self.remote.close)
            self.store = self.remote.store
        self.sources = DiskSourceTree(request.workspace, {REPOSITORY: request.rules_folder.parent}, local, self.states)
        self.outputs = DiskOutputTree(request.workspace, self.store, request.state_folder / "placed")
        opening.callback(self.outputs.save)
        self.leaving = None
        if self.remote is not None and self.remote.leaves_outputs:
            self.leaving = LeavingOutputs(self.outputs, self.remote.is_here)
        with in_words(cache):
            self.trees = TreeStore(private / "staged", self.store)
        opening.callback(self.trees.close)
        self.runner = self._open_runner(request)
        opening.callback(self.runner.close)
        uv_files, pip_files = configuration_files(request.environ)
        self.settings = index_settings(request.environ, _read(uv_files), _read(pip_files))
        self.fetcher = HostFetcher(
            local,
            str(private / "host"),
            self.settings,
            path_folders(request.environ.get("PATH", "")),
            request.environ,
        )
        programs = ProgramCache(private / "lang")
        opening.callback(programs.close)
        packages = PrivateFolder(private / "lang", ".package")
        about = repr((mlbuild.__version__, [*null_build.own_code()]))
        self.loader = Loader(self.sources, programs, sink, keeper=packages, about=about)
        self.configuration = Configuration(request.defines)

    def _add_read_only(self, folder: Path, recorded: DiskActionCache, opening: ExitStack) -> None:
        """What it has is used; what is made is kept in our own."""
        own = self._request.cache_folder
        is_readable = all(os.access(each, os.R_OK | os.X_OK) for each in (folder, folder / "cas", folder / "ac"))
        self._warn(
            Diagnostic(
                "cache-read-only",
                f"the cache folder `{folder}` cannot be written{'' if is_readable else ', nor read'}: "
                f"what is made is kept in `{own}`",
                hint="make it writable for you, or name another with `--disk_cache`",
            )
        )
        if not is_readable:
            return
        lower = ReadOnlyStore(folder, self._warn)
        opening.callback(lower.close)
        results = DiskActionCache(folder, lower, self._warn)
        opening.callback(results.close)
        self.store = LayeredFiles(self.written, lower)
        self.cache = LayeredActionCache(recorded, results)
        self._forget_trees.append(results.forget_trees)

    def execute(self, graph: ActionGraph, wanted: Iterable[Artifact], explain: Explain | None = None) -> Outcome:
        """Makes the wanted artifacts exist."""
        request = self._request
        remote = self.remote
        doors = Doors(
            self.sources, self.store,
            self.cache if remote is None else remote.behind(self.cache),
            self.runner if remote is None else remote.giving(self.runner), self.fetcher, self._sink, self._keep_log,
            str(request.workspace), self.runner.interrupt, self._look_again, None, explain,
        )  # fmt: skip
        options = Options(
            request.jobs, request.cpus, request.memory_mib, request.keep_going, request.cache_test_results,
            SALT if request.sandbox == "none" else b"",
        )  # fmt: skip
        if remote is None:
            return execute(graph, wanted, doors, options)
        wanted = tuple(wanted)
        outcome = execute(graph, wanted, doors, options)
        remote.bring(outcome.values[artifact] for artifact in wanted if artifact in outcome.values)
        return outcome

    def reproduce(
        self, graph: ActionGraph, wanted: Iterable[Artifact], variations: tuple[Variation, ...]
    ) -> tuple[Outcome, Reproduction]:
        """Makes the wanted artifacts exist, with every spawn run in unlike surroundings. Raises UserError without a sandbox."""
        from mlbuild.verify import Reproduction

        assert isinstance(self.runner, LinuxRunner)
        request = self._request
        reproduction = Reproduction(self.runner, self.cache, variations, len(os.sched_getaffinity(0)), self.store.get)
        doors = Doors(
            self.sources, self.store, self.cache, reproduction, self.fetcher, self._sink, self._keep_log,
            str(request.workspace), self.runner.interrupt, self._look_again, reproduction,
        )  # fmt: skip
        options = Options(request.jobs, request.cpus, request.memory_mib, request.keep_going, reuse_tests=False)
        return execute(graph, wanted, doors, options), reproduction

    @property
    def has_left_outputs(self) -> bool:
        """Whether something that was asked for is not in its place, as `--remote_download_outputs=minimal` wants it."""
        return self.leaving is not None and bool(self.leaving.left)

    def finish_giving(self) -> None:
        """Waits, not for ever, for the results that are on their way to a remote cache."""
        if self.remote is not None:
            self.remote.finish(self._say)

    def own_folder(self) -> OwnFolder:
        """A folder for a program to run in. Raises UserError where the disk refuses it."""
        with in_words(self._request.cache_folder):
            return OwnFolder(self._request.private_folder / "run")

    def until_whole(self, work: Callable[[], T]) -> T:
        """Work that needs blobs of results: what lacks some is made again. Raises UserError where that is in vain."""
        try:
            return until_whole(work, self._look_again)
        except BlobMissing as error:
            raise fail(
                "cache-loses-files",
                f"the cache folder `{self._request.cache_folder}` does not keep what is put there: {error}",
                hint="check the disk, or name another folder with `--disk_cache`",
                exit_code=ExitCode.ENVIRONMENT,
            ) from None

    def witnesses(self) -> tuple[Witness, ...]:
        """Everything that this build looked at or placed, and mlbuild itself."""
        return (
            *self.states.witnesses(),
            *self.fetcher.witnesses,
            *self.outputs.witnesses(),
            *null_build.own_code(),
        )

    def close(self) -> None:
        self._closing.close()

    def _open_runner(self, request: BuildRequest) -> LinuxRunner | PlainRunner:
        """What runs the spawns. Said where it is no sandbox."""
        folder = request.private_folder / "run"
        limits, limited = Limits(memory_mib=request.memory_mib), enforcement(request.sandbox_limits)
        if request.sandbox == "none":
            self._warn(
                Diagnostic(
                    "no-walls",
                    "actions run without a sandbox: they reach your files and the network, what they use is watched at most, and their"
                    " results are kept apart",
                    hint="leave `--sandbox=none` away to build hermetically",
                )
            )
            return PlainRunner(self.store, self.trees, folder, limits=limits, enforcement=limited)
        return LinuxRunner(
            self.store,
            self.trees,
            folder,
            sandbox_debug=request.sandbox_debug,
            say=self._say,
            limits=limits,
            enforcement=limited,
            varies=request.command == "verify",
        )

    def _open_remote(self, request: BuildRequest, local: BlobFiles) -> Remote | None:
        """The remote cache that is asked for. Raises UserError for flags that make no sense."""
        if request.remote is None:
            return None
        if request.sandbox == "none":
            self._warn(
                Diagnostic(
                    "unshared", "the remote cache is not used: results that were made without a sandbox are not shared"
                )
            )
            return None
        from mlbuild.remote import Remote, settings_of

        settings = settings_of(request.remote.values, request.remote.headers)
        return None if settings is None else Remote(settings, request.environ, local, self._warn)

    def _look_again(self) -> None:
        for forget in self._forget_trees:
            forget()
        if self.remote is not None:
            self.remote.look_again()
        self.sources.look_again()

    def _keep_log(self, name: str, log: bytes) -> str:
        path = f"{OUTPUT_ROOT}/logs/{name}.log"
        self.outputs.place(path, FileValue(self.store.put(log)))
        return path

    def _say_whose(self, cache: Path) -> None:
        """Root may write anywhere; what it leaves in a user's cache, that user cannot write any more."""
        there = next(each for each in (cache, *cache.parents) if each.exists())
        if os.geteuid() == 0 and (owner := there.stat().st_uid) != 0 and not is_shared(cache):
            self._warn(
                Diagnostic(
                    "cache-of-a-user",
                    f"the cache folder `{cache}` belongs to user {owner}, and what root puts there stays root's",
                    hint="run mlbuild without `sudo`, or name another folder with `--disk_cache`; "
                    f"`chown -R {owner} {cache}` gives that user back what is root's",
                )
            )

    def _warn(self, diagnostic: Diagnostic) -> None:
        self._sink.emit(Warned(diagnostic))

    def _say(self, line: str) -> None:
        self._sink.emit(Warned(Diagnostic("note", line), "info"))


def _read(paths: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """The configuration files that are there, with their text."""
    found: list[tuple[str, str]] = []
    for path in paths:
        try:
            found.append((path, Path(path).read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError):
            continue
    return tuple(found)
