"""A runner that runs every spawn twice, in unlike surroundings, and compares. What differs is run again until it is clear why."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from mlbuild.execution.key import action_key
from mlbuild.records import replace
from mlbuild.seams import ActionCache
from mlbuild.terms import ORDINARY, Digest, FileValue, Spawn, SpawnResult, Surroundings, TreeValue
from mlbuild.verify.comparison import differences
from mlbuild.verify.findings import Finding, Kind
from mlbuild.verify.holds import HOLDS, Hold, held
from mlbuild.verify.variations import Variation, unlike

Outputs = dict[str, FileValue | TreeValue]

ENOUGH = 3
"""How many runs alike are needed to say that something is not the cause: what differs by chance may agree by chance."""


class VariedRunner(Protocol):
    """A `SpawnRunner` that can be told the surroundings."""

    def run(self, spawn: Spawn, around: Surroundings = ORDINARY) -> SpawnResult: ...


class Reproduction:
    """A `SpawnRunner`, and the `ActionCache` of its own: it answers nothing, and keeps what was found the same.

    The result of the ordinary surroundings is what goes on, so that what comes after it is compared on equal inputs: an action is
    never found to differ because another did.
    """

    def __init__(
        self,
        inner: VariedRunner,
        recorded: ActionCache,
        variations: tuple[Variation, ...],
        processors: int,
        read: Callable[[Digest], bytes],
    ) -> None:
        self._inner = inner
        self._recorded = recorded
        self._variations = variations
        self._processors = processors
        self._read = read
        self._lock = threading.Lock()
        self._findings: dict[Digest, Finding] = {}
        self._compared: set[Digest] = set()
        self.runs = 0

    @property
    def findings(self) -> tuple[Finding, ...]:
        return tuple(self._findings.values())

    @property
    def compared(self) -> int:
        """How many spawns were run in unlike surroundings."""
        return len(self._compared)

    def lookup(self, key: Digest) -> SpawnResult | None:
        """Nothing: everything is run."""
        return None

    def record(self, key: Digest, result: SpawnResult) -> None:
        """Keeps a result that was the same in both runs, where nothing is kept yet."""
        if key not in self._findings and self._recorded.lookup(key) is None:
            self._recorded.record(key, result)

    def run(self, spawn: Spawn) -> SpawnResult:
        """The result in ordinary surroundings; what unlike ones give is compared with it."""
        first = self._run(spawn, ORDINARY)
        if not first.is_success:
            return first
        second = self._run(spawn, self._unlike(self._variations))
        if _was_ended(second):
            return second
        key = action_key(spawn)
        finding = None
        if _differ(first, second):
            told = () if not second.is_success else differences(dict(first.outputs), dict(second.outputs), self._read)
            kind, causes, runs = self._why(spawn, first)
            finding = Finding(key, told, kind, causes, _failure(second), runs + 2)
        elif (kept := self._recorded.lookup(key)) is not None and _differ(first, kept):
            told = differences(dict(kept.outputs), dict(first.outputs), self._read)
            finding = Finding(key, told, "cached")
        with self._lock:
            self._compared.add(key)
            if finding is not None:
                self._findings[key] = finding
        return first

    def _why(self, spawn: Spawn, first: SpawnResult) -> tuple[Kind, tuple[str, ...], int]:
        """The kind of the difference, its causes, and how many runs that took."""
        before = self.runs
        for _ in range(ENOUGH - 1):
            if _differ(first, self._run(spawn, ORDINARY)):
                return "by-itself", self._drawn(spawn), self.runs - before
        causes = self._bisected(spawn, first, self._variations)
        if causes:
            return "surroundings", causes, self.runs - before
        if _differ(first, self._run(spawn, self._unlike(self._variations))):
            together = self._smallest(spawn, first)
            return "together", together, self.runs - before
        return "unstable", (), self.runs - before

    def _drawn(self, spawn: Spawn) -> tuple[str, ...]:
        """What has to be held still for the result to be the same; nothing if that does not help."""
        if not self._is_same(spawn, HOLDS):
            return ()
        needed = HOLDS
        for each in HOLDS:
            without = tuple(hold for hold in needed if hold is not each)
            if without and self._is_same(spawn, without):
                needed = without
        return tuple(hold.name for hold in needed)

    def _is_same(self, spawn: Spawn, holds: tuple[Hold, ...]) -> bool:
        first = self._run(spawn, held(holds))
        return not any(_differ(first, self._run(spawn, held(holds))) for _ in range(ENOUGH - 1))

    def _bisected(self, spawn: Spawn, first: SpawnResult, variations: tuple[Variation, ...]) -> tuple[str, ...]:
        """Those of the variations that change the result, each alone, found by halves."""
        found: list[str] = []
        middle = (len(variations) + 1) // 2
        for half in (variations[:middle], variations[middle:]) if len(variations) > 1 else (variations,):
            if half and _differ(first, self._run(spawn, self._unlike(half))):
                found += [half[0].name] if len(half) == 1 else self._bisected(spawn, first, half)
        return tuple(found)

    def _smallest(self, spawn: Spawn, first: SpawnResult) -> tuple[str, ...]:
        """Variations that change the result together: without any of these it is the same."""
        left = self._variations
        for each in self._variations:
            without = tuple(variation for variation in left if variation is not each)
            if _differ(first, self._run(spawn, self._unlike(without))):
                left = without
        return tuple(variation.name for variation in left)

    def _unlike(self, variations: tuple[Variation, ...]) -> Surroundings:
        return unlike(variations, self._processors)

    def _run(self, spawn: Spawn, around: Surroundings) -> SpawnResult:
        with self._lock:
            self.runs += 1
        return replace(self._inner.run(spawn, around), is_from_cache=False)


def _differ(one: SpawnResult, other: SpawnResult) -> bool:
    return one.is_success != other.is_success or one.outputs != other.outputs


def _failure(result: SpawnResult) -> str | None:
    return None if result.is_success else result.failure or f"exit code {result.exit_code}"


def _was_ended(result: SpawnResult) -> bool:
    return result.failure == "interrupted"
