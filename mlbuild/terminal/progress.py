"""How far a build is: what the events so far add up to, as lines. Knows no terminal and no clock."""

from __future__ import annotations

from mlbuild.terminal.render import duration, on_one_line
from mlbuild.terms.event import (
    ActionFinished,
    ActionRunning,
    ActionStarted,
    Event,
    ExecutionPlanned,
    PackageLoaded,
    PhaseStarted,
    TargetConfigured,
)

SHOWN_RUNNING = 4


class Progress:
    """Takes events; times are those that the caller gives, in seconds."""

    def __init__(self) -> None:
        self._phase = ""
        self._loaded = self._configured = self._total = 0
        self._done = self._ran = self._cached = self._failed = 0
        self._begun: dict[int, tuple[str, float]] = {}
        self._running: dict[int, float] = {}

    @property
    def has_begun(self) -> bool:
        return bool(self._phase)

    @property
    def has_executed(self) -> bool:
        """Whether any action is done."""
        return self._done > 0

    @property
    def is_running(self) -> bool:
        """Whether an action runs that no cache had."""
        return bool(self._running)

    def take(self, event: Event, now: float) -> None:
        match event:
            case PhaseStarted(phase=phase):
                self._phase = phase
            case PackageLoaded():
                self._loaded += 1
            case TargetConfigured():
                self._configured += 1
            case ExecutionPlanned(total=total):
                self._total = total
            case ActionStarted():
                self._begun[event.action_id] = (event.description, now)
            case ActionRunning():
                self._running[event.action_id] = now
            case ActionFinished():
                self._begun.pop(event.action_id, None)
                self._running.pop(event.action_id, None)
                self._done += 1
                self._ran += event.how == "ran"
                self._cached += event.how.startswith("cached")
                self._failed += event.how == "failed"

    def description(self, action_id: int) -> str:
        return on_one_line(self._begun.get(action_id, ("", 0.0))[0])

    def status(self, now: float) -> str:
        """One line for where nothing can be redrawn: how far it is, and what has taken longest so far."""
        line = self.summary()
        if at_work := self._at_work():
            began, description = at_work[0]
            more = f" … and {len(at_work) - 1} more" if len(at_work) > 1 else ""
            line += f"; {description} {duration(now - began)}{more}"
        return line

    def lines(self, now: float) -> list[str]:
        """The live display: how far it is, and what is worked on, the longest first.

        The time stands first: a long description is cut at the terminal's edge.
        """
        at_work = self._at_work()
        lines = [self.summary()]
        lines += [f"  {duration(now - began):>6}  {description}" for began, description in at_work[:SHOWN_RUNNING]]
        if len(at_work) > SHOWN_RUNNING:
            lines.append(f"          … and {len(at_work) - SHOWN_RUNNING} more")
        return lines

    def summary(self) -> str:
        """How far it is."""
        if self._phase != "execution":
            counts = [f"{self._loaded} {'package' if self._loaded == 1 else 'packages'} loaded"]
            if self._configured:
                counts.append(f"{self._configured} {'target' if self._configured == 1 else 'targets'} analysed")
            return f"{self._phase.capitalize()}: {', '.join(counts)}"
        counts = [f"{self._ran} ran", f"{self._cached} cached"]
        if self._failed:
            counts.append(f"{self._failed} failed")
        left = max(0, self._total - self._done)
        return f"[{self._done} / {self._total}] {', '.join(counts)}, {left} to go"

    def _at_work(self) -> list[tuple[float, str]]:
        """(since when, description) of what runs; where nothing does, of what is looked up or fetched."""
        since = self._running or {action: began for action, (_, began) in self._begun.items()}
        return sorted((began, self.description(action)) for action, began in since.items())
