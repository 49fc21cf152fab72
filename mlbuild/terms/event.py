"""Events: what happened, for whoever watches. They never change what happens."""

from __future__ import annotations

from mlbuild.diagnostics import Diagnostic, ExitCode
from mlbuild.records import record
from mlbuild.terms.digest import Digest
from mlbuild.terms.label import Label


@record
class BuildStarted:
    invocation_id: str
    command: str
    arguments: tuple[str, ...]
    workspace: str
    started_seconds: float


@record
class PhaseStarted:
    """`loading`, `analysis`, `execution`."""

    phase: str


@record
class PackageLoaded:
    package: str


@record
class TargetConfigured:
    label: Label
    kind: str


@record
class ExecutionPlanned:
    """How many actions there are now; said again when a map action has grown the graph."""

    total: int


@record
class ActionStarted:
    """`action_id` is unique in the build. Sent when work on it begins: the key, the look-up, or the run."""

    action_id: int
    owner: Label
    mnemonic: str
    description: str
    seconds: float


@record
class ActionRunning:
    """No cache had it: it runs now, with this command (`--subcommands` shows it)."""

    action_id: int
    arguments: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]


@record
class ActionFinished:
    """`how` is `ran`, `cached` (local), `cached-remotely`, `internal` (no process: a written file, a host tree
    collected), `failed` or `skipped` (something that it needs has failed)."""

    action_id: int
    owner: Label
    mnemonic: str
    how: str
    seconds: float
    wall_seconds: float
    runner: str = ""
    primary_output: str = ""
    exit_code: int = 0
    key: Digest | None = None


@record
class ActionFailed:
    """Follows its `ActionFinished`. `log_tail` is the end of stdout and stderr; `log_path` the whole log's file."""

    action_id: int
    owner: Label
    mnemonic: str
    description: str
    command: tuple[str, ...]
    reason: str
    log_tail: str
    log_path: str
    exit_code: int
    hints: tuple[str, ...] = ()


@record
class TargetCompleted:
    label: Label
    is_success: bool
    outputs: tuple[str, ...]
    """Paths from the workspace root, as placed."""
    reports: tuple[str, ...] = ()
    """Short texts that the target shows after a build (its output group `report`)."""


@record
class TestFinished:
    """`status` is `PASSED`, `FAILED`, `TIMEOUT` or `NO_STATUS` (could not be built)."""

    __test__ = False

    label: Label
    status: str
    is_cached: bool
    seconds: float
    log_path: str
    log: str


@record
class Warned:
    """`level` is `warning`, `info`, or `error`: the build ended for it."""

    diagnostic: Diagnostic
    level: str = "warning"


@record
class BuildFinished:
    exit_code: ExitCode
    seconds: float
    actions: int = 0
    ran: int = 0
    cached: int = 0
    cached_remotely: int = 0
    internal: int = 0
    failed: int = 0
    skipped: int = 0
    runners: tuple[tuple[str, int], ...] = ()
    critical_path_seconds: float = 0.0
    critical_path: tuple[tuple[str, float], ...] = ()


Event = (
    BuildStarted
    | PhaseStarted
    | PackageLoaded
    | TargetConfigured
    | ExecutionPlanned
    | ActionStarted
    | ActionRunning
    | ActionFinished
    | ActionFailed
    | TargetCompleted
    | TestFinished
    | Warned
    | BuildFinished
)
