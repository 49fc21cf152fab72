"""Real builds in the test's own process: what one command did, by its events."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from mlbuild.config import build_request
from mlbuild.diagnostics import UserError, render
from mlbuild.session import Session
from mlbuild.terms.event import ActionFailed, ActionFinished, Event, TargetCompleted, TestFinished


@dataclass
class Built:
    """What one command did."""

    code: int
    events: list[Event] = field(default_factory=list)
    error: str = ""

    @property
    def ran(self) -> list[str]:
        """`MakeFeatures features/route_week/month=09` for each action that ran, sorted."""
        return sorted(
            f"{each.mnemonic} {each.primary_output.removeprefix('mlbuild-out/')}"
            for each in self.events
            if isinstance(each, ActionFinished) and each.how == "ran"
        )

    @property
    def log(self) -> str:
        failed = [each.log_tail for each in self.events if isinstance(each, ActionFailed)]
        tested = [each.log for each in self.events if isinstance(each, TestFinished)]
        return "\n".join([self.error, *failed, *tested])

    @property
    def reports(self) -> str:
        return "\n".join(text for each in self.events if isinstance(each, TargetCompleted) for text in each.reports)


class Listener:
    def __init__(self) -> None:
        self.events: list[Event] = []

    def emit(self, event: Event) -> None:
        self.events.append(event)


def command(workspace: Path, cache: Path, *words: str) -> Built:
    environ = {**os.environ, "XDG_CACHE_HOME": str(cache / "home")}
    # Packages are not fetched again for each test run: uv's own cache is the user's.
    environ.setdefault("UV_CACHE_DIR", str(Path.home() / ".cache" / "uv"))
    listener = Listener()
    try:
        request = build_request((words[0], f"--disk_cache={cache / 'disk'}", *words[1:]), environ, workspace)
        with Session.open(request, listener) as session:
            code = getattr(session, words[0])(words[1:])
        return Built(int(code), listener.events)
    except UserError as error:
        return Built(int(error.exit_code), listener.events, "\n".join(render(each) for each in error.diagnostics))
