"""`--profile`: the actions over time as a Chrome trace (chrome://tracing, Perfetto).

Source: the Trace Event Format's complete events (`ph: X`), times in microseconds.
"""

from __future__ import annotations

from pathlib import Path

from mlbuild.terms.event import ActionFinished, BuildFinished, BuildStarted, Event


class TraceFile:
    """An event sink that writes the trace when the build is over. Opened at once, as an unwritable path is said early."""

    def __init__(self, path: str) -> None:
        self._file = Path(path).open("w", encoding="utf-8")  # noqa: SIM115 (closed by the last event)
        self._began = 0.0
        self._events: list[dict[str, object]] = []
        self._lanes: list[float] = []

    def emit(self, event: Event) -> None:
        match event:
            case BuildStarted():
                self._began = event.started_seconds
            case ActionFinished() if event.wall_seconds > 0 and event.how != "skipped":
                self._events.append(
                    {
                        "name": f"{event.mnemonic} {event.owner.short}",
                        "cat": event.how,
                        "ph": "X",
                        "pid": 1,
                        "tid": self._lane(event.seconds, event.seconds + event.wall_seconds),
                        "ts": round((event.seconds - self._began) * 1e6),
                        "dur": round(event.wall_seconds * 1e6),
                        "args": {"output": event.primary_output, "runner": event.runner},
                    }
                )
            case BuildFinished():
                import json

                with self._file as file:
                    json.dump({"traceEvents": self._events, "displayTimeUnit": "ms"}, file)

    def _lane(self, began: float, ended: float) -> int:
        """The first row of the picture that is free at that time."""
        for lane, free_from in enumerate(self._lanes):
            if free_from <= began:
                self._lanes[lane] = ended
                return lane + 1
        self._lanes.append(ended)
        return len(self._lanes)
