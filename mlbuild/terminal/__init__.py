"""What happened, shown: progress, results, the build event protocol, a trace.

Comes in: events. Goes out: text on a terminal or in a file. Never: a change to what happens; a control character of an
action's output that reaches a terminal.

What few builds ask for has its own door: `mlbuild.terminal.bep.BuildEventFile`, `mlbuild.terminal.trace.TraceFile`.
"""

from mlbuild.terminal.console import Console, Style
from mlbuild.terminal.sinks import ListSink, ManySinks

__all__ = ["Console", "ListSink", "ManySinks", "Style"]
