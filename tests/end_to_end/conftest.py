"""Whole builds in this process: the real rooms, the real sandbox.

The interpreter and the packages are made once for all tests, which look at what else ran.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import pytest

from mlbuild.config import BuildRequest, build_request
from mlbuild.diagnostics import ExitCode, UserError, render
from mlbuild.files.remove import remove_tree
from mlbuild.session import Session
from mlbuild.terms.event import (
    ActionFailed,
    ActionFinished,
    BuildFinished,
    Event,
    TargetCompleted,
    TestFinished,
    Warned,
)

SMALL_FLIGHTS = Path(__file__).parents[1] / "rules/ml/small_flights/workspace.py"


class Seen:
    """An event sink that keeps everything."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def emit(self, event: Event) -> None:
        self.events.append(event)


@dataclass
class Built:
    """What a build did."""

    code: ExitCode | int
    events: list[Event] = field(default_factory=list)
    errors: str = ""

    @property
    def ran(self) -> list[str]:
        """The actions that ran: `Mnemonic //target`, sorted."""
        return sorted(
            f"{event.mnemonic} {event.owner.short}"
            for event in self.events
            if isinstance(event, ActionFinished) and event.how == "ran"
        )

    @property
    def ran_targets(self) -> set[str]:
        return {action.split(" ")[1] for action in self.ran}

    @property
    def failures(self) -> str:
        return "\n".join(
            "\n".join((event.reason, event.log_tail, *event.hints))
            for event in self.events
            if isinstance(event, ActionFailed)
        )

    @property
    def warnings(self) -> str:
        return "\n".join(render(event.diagnostic) for event in self.events if isinstance(event, Warned))

    @property
    def tests(self) -> Mapping[str, TestFinished]:
        return {event.label.short: event for event in self.events if isinstance(event, TestFinished)}

    @property
    def targets(self) -> Mapping[str, TargetCompleted]:
        return {event.label.short: event for event in self.events if isinstance(event, TargetCompleted)}

    @property
    def finished(self) -> BuildFinished:
        return next(event for event in reversed(self.events) if isinstance(event, BuildFinished))


@dataclass
class Workspace:
    """A workspace on disk, and the cache that its builds share."""

    folder: Path
    cache: Path

    def request(self, *arguments: str, cache: Path | None = None) -> BuildRequest:
        argv = ("build", f"--disk_cache={cache or self.cache}", *arguments)
        return build_request(argv, {**os.environ, "HOME": str(self.cache.parent / "home")}, self.folder)

    def build(self, *patterns: str, flags: tuple[str, ...] = (), cache: Path | None = None) -> Built:
        return self._do("build", patterns, flags, cache)

    def test(self, *patterns: str, flags: tuple[str, ...] = (), cache: Path | None = None) -> Built:
        return self._do("test", patterns, flags, cache)

    def _do(self, command: str, patterns: tuple[str, ...], flags: tuple[str, ...], cache: Path | None) -> Built:
        sink = Seen()
        try:
            with Session.open(self.request(*flags, cache=cache), sink) as session:
                code = session.build(patterns) if command == "build" else session.test(patterns)
        except UserError as error:
            return Built(error.exit_code, sink.events, "\n".join(map(render, error.diagnostics)))
        return Built(code, sink.events)

    def edit(self, path: str, old: str, new: str) -> None:
        place = self.folder / path
        text = place.read_text(encoding="utf-8")
        assert old in text, f"{path} does not hold {old!r}"
        place.write_text(text.replace(old, new, 1), encoding="utf-8")

    def write(self, path: str, text: str) -> None:
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")

    def output(self, path: str) -> Path:
        return self.folder / "mlbuild-out" / path

    def copy_to(self, folder: Path) -> Workspace:
        """The same sources elsewhere, with the same cache."""
        shutil.copytree(self.folder, folder, ignore=shutil.ignore_patterns("mlbuild-out"))
        return Workspace(folder, self.cache)


@pytest.fixture(scope="session")
def warm_cache(shared_folder: Path, small_flights_module: ModuleType) -> Path:
    """A cache that has the interpreter, the packages and the shell, and nothing else: made once for all workers."""

    def make(cache: Path) -> None:
        workspace = Workspace(small_flights_module.small_flights(cache.parent / "flights"), cache)
        workspace.write("warm/BUILD.ml", 'genrule(name = "shell", outs = ["out"], cmd = "echo > $@")\n')
        done = workspace.build("//data:airlines", "//warm:shell")
        assert done.code == 0, done.errors + done.failures

    return made_once(shared_folder / "warm", make)


@pytest.fixture(scope="session")
def shell_cache(shared_folder: Path) -> Path:
    """A cache that has the shell and nothing else: a few hundred files."""

    def make(cache: Path) -> None:
        workspace = Workspace(cache.parent / "workspace", cache)
        workspace.write("WORKSPACE.ml", 'workspace(name = "shell")\n')
        workspace.write("BUILD.ml", 'genrule(name = "shell", outs = ["out"], cmd = "echo > $@")\n')
        done = workspace.build("//:shell")
        assert done.code == 0, done.errors + done.failures

    return made_once(shared_folder / "shell", make)


@pytest.fixture(scope="session")
def warm_flights_cache(shared_folder: Path, warm_cache: Path, small_flights_module: ModuleType) -> Path:
    """A cache in which the whole of the small flights example has been built."""

    def make(cache: Path) -> None:
        link_copy(warm_cache, cache)
        done = Workspace(small_flights_module.small_flights(cache.parent / "flights"), cache).build("//...")
        assert done.code == 0, done.errors + done.failures

    return made_once(shared_folder / "warm-flights", make)


@pytest.fixture
def cache(tmp_path: Path, warm_cache: Path) -> Iterator[Path]:
    """A cache of the test's own that begins as the warm one."""
    yield link_copy(warm_cache, tmp_path / "cache" / "mlbuild")
    remove_tree(tmp_path / "cache")


@pytest.fixture
def flights_cache(tmp_path: Path, warm_flights_cache: Path) -> Iterator[Path]:
    yield link_copy(warm_flights_cache, tmp_path / "cache" / "mlbuild")
    remove_tree(tmp_path / "cache")


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all workers of this test session."""
    root = tmp_path_factory.getbasetemp()
    return root.parent if os.environ.get("PYTEST_XDIST_WORKER") else root


def made_once(folder: Path, make: Callable[[Path], None]) -> Path:
    """The cache in `folder`, made by whichever worker comes first."""
    folder.mkdir(exist_ok=True)
    cache = folder / "cache" / "mlbuild"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            if cache.parent.exists():
                remove_tree(cache.parent)
            cache.parent.mkdir()
            make(cache)
            (folder / "done").touch()
    return cache


def link_copy(source: Path, target: Path) -> Path:
    """The same cache under another path, by hard links: no build ever writes through one. Locks are its own."""
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-al", str(source), str(target)], check=True)
    for lock in (*target.glob("leases/*"), *(target / name for name in ("staged/in-use", "staged/placing"))):
        lock.unlink(missing_ok=True)
    return target


@pytest.fixture(scope="session")
def small_flights_module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("small_flights_workspace", SMALL_FLIGHTS)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def flights(tmp_path: Path, cache: Path, small_flights_module: ModuleType) -> Workspace:
    """The flights example with a small slice of its data."""
    return Workspace(small_flights_module.small_flights(tmp_path / "flights"), cache)


@pytest.fixture
def workspace(tmp_path: Path, cache: Path) -> Workspace:
    """An empty workspace."""
    made = Workspace(tmp_path / "workspace", cache)
    made.write("WORKSPACE.ml", 'workspace(name = "test")\n')
    return made


@pytest.fixture
def shell_workspace(tmp_path: Path, shell_cache: Path) -> Iterator[Workspace]:
    """An empty workspace for genrules, with a cache of the test's own."""
    cache = link_copy(shell_cache, tmp_path / "cache" / "mlbuild")
    made = Workspace(tmp_path / "workspace", cache)
    made.write("WORKSPACE.ml", 'workspace(name = "test")\n')
    yield made
    remove_tree(tmp_path / "cache")


@pytest.fixture
def built_flights(small_flights_module: ModuleType, tmp_path: Path, flights_cache: Path) -> Workspace:
    """The example, built: in a cache of the test's own in which everything has been built before."""
    workspace = Workspace(small_flights_module.small_flights(tmp_path / "flights"), flights_cache)
    done = workspace.build("//...")
    assert (done.code, done.ran) == (0, []), done.errors + done.failures
    return workspace
