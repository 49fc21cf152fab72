"""What the commands that build have in common: who watches, and how an end by Ctrl-C is told."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from mlbuild.terminal.console import Console, Style
from mlbuild.terminal.sinks import ManySinks

if TYPE_CHECKING:
    from mlbuild.config import BuildRequest
    from mlbuild.seams import EventSink
    from mlbuild.session import Session


def in_session(request: BuildRequest, do: Callable[[Session], int]) -> int:
    """Opens the watchers and a session, and does one thing in it. Raises UserError."""
    from mlbuild.session import Session

    console = Console(
        sys.stderr,
        Style.choose(
            sys.stderr,
            request.environ,
            color=request.color,
            curses=request.curses,
            shows_progress=request.show_progress,
            verbose_failures=request.verbose_failures,
            subcommands=request.subcommands,
            test_output=request.test_output,
        ),
    )
    watchers: list[EventSink] = [console]
    if request.build_event_json_file:
        from mlbuild.terminal.bep import BuildEventFile

        watchers.append(BuildEventFile(request.build_event_json_file, str(request.workspace)))
    if request.profile:
        from mlbuild.terminal.trace import TraceFile

        watchers.append(TraceFile(request.profile))
    sink = ManySinks(*watchers, complain=lambda line: print(f"WARNING: {line}", file=sys.stderr))
    try:
        with Session.open(request, sink) as session:
            return do(session)
    finally:
        console.close()
