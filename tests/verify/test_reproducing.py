"""Which runs are made, what is found, and what goes into the cache. The runner is a function of the surroundings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

import pytest

from mlbuild.execution.key import action_key
from mlbuild.store import MemoryActionCache, MemoryStore
from mlbuild.terms import EMPTY, ORDINARY, FileValue, Spawn, SpawnResult, Surroundings
from mlbuild.verify import VARIATIONS, Reproduction

SPAWN = Spawn(("make",), (), EMPTY, ("out.txt",))


class Acting:
    """Runs nothing: the output's text is what the function says of the surroundings."""

    def __init__(self, store: MemoryStore, text: Callable[[Surroundings], str | None]) -> None:
        self._store = store
        self._text = text
        self.runs = 0

    def run(self, spawn: Spawn, around: Surroundings = ORDINARY) -> SpawnResult:
        self.runs += 1
        text = self._text(around)
        if text is None:
            return SpawnResult(1)
        return SpawnResult(0, (("out.txt", FileValue(self._store.put(text.encode()))),))


class Laboratory:
    def __init__(self, text: Callable[[Surroundings], str | None]) -> None:
        self.store = MemoryStore()
        self.cache = MemoryActionCache()
        self.runner = Acting(self.store, text)
        self.reproduction = Reproduction(self.runner, self.cache, VARIATIONS, 2, self.store.get)

    def run(self) -> SpawnResult:
        """As execution does it: a success is recorded."""
        result = self.reproduction.run(SPAWN)
        if result.is_success:
            self.reproduction.record(action_key(SPAWN), result)
        return result

    @property
    def found(self) -> list[tuple[str, tuple[str, ...]]]:
        return [(each.kind, each.causes) for each in self.reproduction.findings]


def test_what_is_the_same_is_run_twice_and_may_be_kept() -> None:
    laboratory = Laboratory(lambda around: "the same")
    laboratory.run()
    assert (laboratory.runner.runs, laboratory.found) == (2, [])
    assert laboratory.cache.lookup(action_key(SPAWN)) is not None


def test_nothing_is_answered_from_a_cache() -> None:
    laboratory = Laboratory(lambda around: "the same")
    laboratory.run()
    assert laboratory.reproduction.lookup(action_key(SPAWN)) is None


def test_a_single_cause_is_named() -> None:
    laboratory = Laboratory(lambda around: around.host)
    laboratory.run()
    assert laboratory.found == [("surroundings", ("host",))]


def test_causes_that_each_suffice_are_all_named() -> None:
    laboratory = Laboratory(lambda around: f"{around.work} {around.umask}")
    laboratory.run()
    assert laboratory.found == [("surroundings", ("path", "umask"))]


def test_causes_that_only_act_together_are_named_together() -> None:
    laboratory = Laboratory(lambda around: str(around.host != ORDINARY.host and around.is_reversed))
    laboratory.run()
    assert laboratory.found == [("together", ("host", "order"))]


def test_what_differs_in_the_same_surroundings_is_no_fault_of_theirs() -> None:
    numbers = count()
    laboratory = Laboratory(lambda around: str(next(numbers)))
    laboratory.run()
    assert laboratory.found == [("by-itself", ())]


@pytest.mark.parametrize(
    ("is_held", "cause"),
    [
        (lambda around: around.has_held_clock, "time"),
        (lambda around: around.has_held_randomness, "randomness"),
        (lambda around: around.has_fixed_addresses, "addresses"),
        (lambda around: around.processors == 1, "threads"),
        (lambda around: around.has_held_randomness or bool(around.environment), "hash_seed"),
    ],
)
def test_what_makes_it_the_same_when_it_is_held_still_is_the_cause(
    is_held: Callable[[Surroundings], bool], cause: str
) -> None:
    numbers = count()
    laboratory = Laboratory(lambda around: "" if is_held(around) else str(next(numbers)))
    laboratory.run()
    assert laboratory.found == [("by-itself", (cause,))]


def test_all_that_has_to_be_held_is_named() -> None:
    numbers = count()
    laboratory = Laboratory(
        lambda around: "" if around.has_held_clock and around.has_fixed_addresses else str(next(numbers))
    )
    laboratory.run()
    assert laboratory.found == [("by-itself", ("time", "addresses"))]


def test_what_differs_once_is_called_chance() -> None:
    texts: Iterator[str] = iter(["a", "b", *"a" * 40])
    laboratory = Laboratory(lambda around: next(texts))
    laboratory.run()
    assert laboratory.found == [("unstable", ())]


def test_what_differs_is_not_kept() -> None:
    laboratory = Laboratory(lambda around: around.host)
    laboratory.run()
    assert laboratory.cache.lookup(action_key(SPAWN)) is None


def test_a_failure_in_unlike_surroundings_is_a_difference() -> None:
    laboratory = Laboratory(lambda around: None if around.user != ORDINARY.user else "fine")
    laboratory.run()
    (finding,) = laboratory.reproduction.findings
    assert (finding.kind, finding.causes, finding.failure) == ("surroundings", ("user",), "exit code 1")


def test_a_failure_in_ordinary_surroundings_is_a_failure_and_not_run_again() -> None:
    laboratory = Laboratory(lambda around: None)
    assert not laboratory.run().is_success
    assert (laboratory.runner.runs, laboratory.found) == (1, [])


def test_a_cache_that_has_another_result_is_found_out_and_left_as_it_is() -> None:
    laboratory = Laboratory(lambda around: "now")
    before = FileValue(laboratory.store.put(b"before"))
    laboratory.cache.record(action_key(SPAWN), SpawnResult(0, (("out.txt", before),)))
    laboratory.run()
    assert laboratory.found == [("cached", ())]
    kept = laboratory.cache.lookup(action_key(SPAWN))
    assert kept is not None and dict(kept.outputs)["out.txt"] == before


def test_a_run_that_is_ended_says_nothing() -> None:
    laboratory = Laboratory(lambda around: around.host)
    ended = SpawnResult(137, failure="interrupted")
    ordinary = laboratory.runner.run

    def run(spawn: Spawn, around: Surroundings = ORDINARY) -> SpawnResult:
        return ordinary(spawn, around) if laboratory.runner.runs < 3 else ended

    laboratory.runner.run = run  # type: ignore[method-assign]
    assert laboratory.run() == ended
    assert laboratory.found == []


def test_what_goes_on_is_the_result_of_ordinary_surroundings() -> None:
    laboratory = Laboratory(lambda around: around.host)
    ((_, value),) = laboratory.run().outputs
    assert laboratory.store.get(value.digest) == b"sandbox"
