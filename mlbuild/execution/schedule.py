"""Which action may start next. A state machine: no threads, no clock, no disk."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from enum import Enum, auto

from mlbuild.terms import Resources

LOOK_AHEAD = 32
"""How many ready actions that do not fit are passed over in search of one that does."""


class State(Enum):
    WAITING = auto()
    READY = auto()
    RUNNING = auto()
    DONE = auto()
    FAILED = auto()
    SKIPPED = auto()


class Schedule:
    """The owner of every action's state. Actions are numbers, given in the order of analysis.

    Among ready actions the one with the lowest number starts first: a stated order. An action whose resources do
    not fit waits; one that wants more than there is gets all of it.
    """

    def __init__(self, cpus: int, memory_mib: int) -> None:
        self._capacity = Resources(cpus, memory_mib)
        self._free_cpus = cpus
        self._free_memory = memory_mib
        self._states: dict[int, State] = {}
        self._needs: dict[int, Resources] = {}
        self._waits_for: dict[int, int] = {}
        self._dependents: dict[int, list[int]] = {}
        self._ready: list[int] = []
        self._running = 0

    def add(self, action: int, dependencies: Iterable[int], resources: Resources) -> None:
        """A new action; dependencies may be done already, or have failed (then it is skipped at once)."""
        self._needs[action] = Resources(
            min(resources.cpus, self._capacity.cpus), min(resources.memory_mib, self._capacity.memory_mib)
        )
        self._states[action] = State.WAITING
        waits = 0
        for dependency in dict.fromkeys(dependencies):
            state = self._states.get(dependency, State.WAITING)
            if state in (State.FAILED, State.SKIPPED):
                self._states[action] = State.SKIPPED
            if state is not State.DONE:
                waits += 1
                self._dependents.setdefault(dependency, []).append(action)
        self._waits_for[action] = waits
        if waits == 0:
            self._make_ready(action)

    def start_next(self) -> int | None:
        """Starts and returns an action that may run now, if one fits into what is free."""
        passed_over: list[int] = []
        started: int | None = None
        while self._ready and len(passed_over) <= LOOK_AHEAD:
            action = heapq.heappop(self._ready)
            needs = self._needs[action]
            if needs.cpus <= self._free_cpus and needs.memory_mib <= self._free_memory:
                self._states[action] = State.RUNNING
                self._free_cpus -= needs.cpus
                self._free_memory -= needs.memory_mib
                self._running += 1
                started = action
                break
            passed_over.append(action)
        for action in passed_over:
            heapq.heappush(self._ready, action)
        return started

    def finish(self, action: int) -> None:
        """The running action has its outputs; what waited for it alone is ready."""
        self._release(action)
        self._states[action] = State.DONE
        for dependent in self._dependents.get(action, ()):
            self._waits_for[dependent] -= 1
            if self._waits_for[dependent] == 0 and self._states[dependent] is State.WAITING:
                self._make_ready(dependent)

    def fail(self, action: int) -> tuple[int, ...]:
        """The running action has failed; returns all that can no longer run because of it, lowest first."""
        self._release(action)
        self._states[action] = State.FAILED
        skipped: set[int] = set()
        waiting = [action]
        while waiting:
            for dependent in self._dependents.get(waiting.pop(), ()):
                if self._states[dependent] is State.WAITING:
                    self._states[dependent] = State.SKIPPED
                    skipped.add(dependent)
                    waiting.append(dependent)
        return tuple(sorted(skipped))

    def park(self, action: int) -> None:
        """The running action waits for others (the spawns that it has grown into); `finish` or `fail` ends it."""
        needs = self._needs[action]
        self._free_cpus += needs.cpus
        self._free_memory += needs.memory_mib
        self._needs[action] = Resources(0, 0)

    def state(self, action: int) -> State:
        return self._states[action]

    @property
    def is_over(self) -> bool:
        """Nothing runs and nothing can start."""
        return self._running == 0 and not self._ready

    @property
    def running(self) -> int:
        return self._running

    def _make_ready(self, action: int) -> None:
        self._states[action] = State.READY
        heapq.heappush(self._ready, action)

    def _release(self, action: int) -> None:
        needs = self._needs[action]
        self._free_cpus += needs.cpus
        self._free_memory += needs.memory_mib
        self._running -= 1
