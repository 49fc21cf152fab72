"""Whole builds in this process: the real rooms, the real sandbox, a cache that the test session shares.

The interpreter and the packages are then made once; what the tests look at is which actions ran.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import pytest

from mlbuild.config import BuildRequest, build_request
from mlbuild.diagnostics import ExitCode, UserError, render
from mlbuild.session import Session
from mlbuild.terms.event import ActionFailed, ActionFinished, BuildFinished, Event, TargetCompleted, TestFinished

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
def session_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for the whole test session, shared by its workers where there are several."""
    root = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        root = root.parent
    return root / "session-cache" / "mlbuild"


@pytest.fixture(scope="session")
def small_flights_module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("small_flights_workspace", SMALL_FLIGHTS)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def flights(tmp_path: Path, session_cache: Path, small_flights_module: ModuleType) -> Iterator[Workspace]:
    """The flights example with a small slice of its data."""
    yield Workspace(small_flights_module.small_flights(tmp_path / "flights"), session_cache)


@pytest.fixture
def workspace(tmp_path: Path, session_cache: Path) -> Workspace:
    """An empty workspace."""
    made = Workspace(tmp_path / "workspace", session_cache)
    made.write("WORKSPACE.ml", 'workspace(name = "test")\n')
    return made
