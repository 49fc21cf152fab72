"""What happened, shown: progress, results, the build event protocol, a trace.

Comes in: events. Goes out: text on a terminal or in a file. Never: a change to what happens; a control character of an
action's output that reaches a terminal.
"""

from mlbuild.terminal.bep import BuildEventFile
from mlbuild.terminal.console import Console, Style
from mlbuild.terminal.sinks import ListSink, ManySinks
from mlbuild.terminal.trace import TraceFile

__all__ = ["BuildEventFile", "Console", "ListSink", "ManySinks", "Style", "TraceFile"]
