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
from mlbuild.verify.variations import CLOCK, FIVE_YEARS, Variation, unlike

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
        self._compared_keys: set[Digest] = set()
        self.runs = 0

    @property
    def findings(self) -> tuple[Finding, ...]:
        return tuple(self._findings.values())

    @property
    def compared(self) -> int:
        """How many spawns were run in unlike surroundings."""
        return len(self._compared_keys)

    def lookup(self, key: Digest) -> SpawnResult | None:
        """Nothing: everything is run."""
        return None

    def record(self, key: Digest, result: SpawnResult) -> None:
        """Keeps a result that was the same in both runs, where nothing is kept yet."""
        if key not in self._findings and self._recorded.lookup(key) is None:
            self._recorded.record(key, result)

    def run(self, spawn: Spawn) -> SpawnResult:
        """The result in ordinary surroundings; what unlike ones give is compared with it."""
        try:
            return self._compared_run(spawn)
        except _Ended as ended:
            return ended.result

    def _compared_run(self, spawn: Spawn) -> SpawnResult:
        first = self.run_amid(spawn, ORDINARY)
        if not first.is_success:
            return first
        second = self.run_amid(spawn, self.unlike(self._variations))
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
            self._compared_keys.add(key)
            if finding is not None:
                self._findings[key] = finding
        return first

    def _why(self, spawn: Spawn, first: SpawnResult) -> tuple[Kind, tuple[str, ...], int]:
        """The kind of the difference, its causes, and how many runs that took."""
        before = self.runs
        for _ in range(ENOUGH - 1):
            if _differ(first, self.run_amid(spawn, ORDINARY)):
                return "by-itself", self._drawn(spawn), self.runs - before
        found: tuple[str, ...] = ()
        start, rest = ORDINARY, self._variations
        if any(each.name == CLOCK for each in rest):
            rest = tuple(each for each in rest if each.name != CLOCK)
            if _differ(first, self.run_amid(spawn, replace(ORDINARY, seconds_later=FIVE_YEARS))):
                # Time passes while the other causes are looked for, so it is held.
                found, start = (CLOCK,), replace(ORDINARY, has_held_clock=True)
                first = self.run_amid(spawn, start)
        trial = _Trial(self, spawn, first, start)
        found += trial.bisected(rest) if trial.differs(rest) else ()
        if found:
            return "surroundings", found, self.runs - before
        if trial.differs(rest):
            return "together", trial.smallest(rest), self.runs - before
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
        # What makes the clock another one is loaded in both: it would move addresses.
        first = self.run_amid(spawn, replace(held(holds), seconds_later=1))
        # Times are often written in whole seconds, or days: the others run later, if the clock is not held.
        later = replace(held(holds), seconds_later=FIVE_YEARS)
        return not any(_differ(first, self.run_amid(spawn, later)) for _ in range(ENOUGH - 1))

    def unlike(self, variations: tuple[Variation, ...], start: Surroundings = ORDINARY) -> Surroundings:
        return unlike(variations, self._processors, start)

    def run_amid(self, spawn: Spawn, around: Surroundings) -> SpawnResult:
        with self._lock:
            self.runs += 1
        result = self._inner.run(spawn, around)
        if result.failure == "interrupted":
            raise _Ended(result)
        return result


class _Trial:
    """Runs of one spawn that are compared with a first one, all of the surroundings that begin as `start`."""

    def __init__(self, reproduction: Reproduction, spawn: Spawn, first: SpawnResult, start: Surroundings) -> None:
        self._reproduction = reproduction
        self._spawn = spawn
        self._first = first
        self._start = start

    def differs(self, variations: tuple[Variation, ...]) -> bool:
        around = self._reproduction.unlike(variations, self._start)
        return bool(variations) and _differ(self._first, self._reproduction.run_amid(self._spawn, around))

    def bisected(self, variations: tuple[Variation, ...]) -> tuple[str, ...]:
        """Those of the variations, which differ together, that change the result each alone; found by halves."""
        if len(variations) < 2:
            return tuple(each.name for each in variations)
        middle = len(variations) // 2
        halves = (variations[:middle], variations[middle:])
        return tuple(name for half in halves if self.differs(half) for name in self.bisected(half))

    def smallest(self, variations: tuple[Variation, ...]) -> tuple[str, ...]:
        """Variations that change the result together: without any of these it is the same."""
        left = variations
        for each in variations:
            without = tuple(variation for variation in left if variation is not each)
            if self.differs(without):
                left = without
        return tuple(variation.name for variation in left)


def _differ(one: SpawnResult, other: SpawnResult) -> bool:
    return one.is_success != other.is_success or one.outputs != other.outputs


def _failure(result: SpawnResult) -> str | None:
    return None if result.is_success else result.failure or f"exit code {result.exit_code}"


class _Ended(Exception):
    """The build is being ended: what it was running says nothing."""

    def __init__(self, result: SpawnResult) -> None:
        super().__init__()
        self.result = result
