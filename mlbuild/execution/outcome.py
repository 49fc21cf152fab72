"""What came of an execution, as values."""

from __future__ import annotations

from collections.abc import Mapping

from mlbuild.records import record
from mlbuild.terms import Action, Artifact, FileValue, TreeValue

End = tuple[str, str, float]
"""How an action ended (as in `ActionFinished`), the hash of its key or nothing, and the seconds that it took."""


@record
class Options:
    """How to execute. `jobs` bounds how many actions are worked on at once; cpus and memory what they may use."""

    jobs: int
    cpus: int
    memory_mib: int
    keep_going: bool = False
    reuse_tests: bool = True
    salt: bytes = b""
    """Part of the key of every spawn: results of another way to run are not taken for these."""


@record
class TestOutcome:
    """One test action's end: `log` is its stdout and stderr."""

    __test__ = False

    is_passed: bool
    is_cached: bool
    is_timed_out: bool
    seconds: float
    log: bytes


class Counts:
    """How many actions ended in which way; counted up while they do."""

    __slots__ = ("cached", "cached_remotely", "failed", "internal", "ran", "runners", "skipped", "total")

    def __init__(self) -> None:
        self.total = self.ran = self.cached = self.cached_remotely = self.internal = self.failed = self.skipped = 0
        self.runners: dict[str, int] = {}


@record
class Outcome:
    """`values` has every artifact that exists now; `failed` the artifacts whose action failed or was skipped.

    `tests` has for each first output of a test action how it ended. `critical_path` is the chain of actions that
    took longest, each with its seconds, first to last. `actions` are those that were needed, with the spawns that map
    actions became, by number; `ends` says for each that came to an end how.
    """

    values: Mapping[Artifact, FileValue | TreeValue]
    failed: frozenset[Artifact]
    tests: Mapping[Artifact, TestOutcome]
    counts: Counts
    critical_path: tuple[tuple[str, float], ...]
    actions: Mapping[int, Action]
    ends: Mapping[int, End]
