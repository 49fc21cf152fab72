"""What came of an execution, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mlbuild.terms import Artifact, FileValue, TreeValue


@dataclass(frozen=True, slots=True)
class Options:
    """How to execute. `jobs` bounds how many actions are worked on at once; cpus and memory what they may use."""

    jobs: int
    cpus: int
    memory_mib: int
    keep_going: bool = False
    reuse_tests: bool = True


@dataclass(frozen=True, slots=True)
class TestOutcome:
    """One test action's end: `log` is its stdout and stderr."""

    __test__ = False

    is_passed: bool
    is_cached: bool
    is_timed_out: bool
    seconds: float
    log: bytes


@dataclass(slots=True)
class Counts:
    """How many actions ended in which way."""

    total: int = 0
    ran: int = 0
    cached: int = 0
    cached_remotely: int = 0
    internal: int = 0
    failed: int = 0
    skipped: int = 0
    runners: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """`values` has every artifact that exists now; `failed` the artifacts whose action failed or was skipped.

    `tests` has for each first output of a test action how it ended. `critical_path` is the chain of actions that
    took longest, each with its seconds, first to last.
    """

    values: Mapping[Artifact, FileValue | TreeValue]
    failed: frozenset[Artifact]
    tests: Mapping[Artifact, TestOutcome]
    counts: Counts
    critical_path: tuple[tuple[str, float], ...]
