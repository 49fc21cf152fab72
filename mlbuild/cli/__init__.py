"""argv -> exit code: one file per command.

Comes in: argv and the environment. Goes out: text and an exit code. Never: work of its own; a traceback for what a
person can fix.
"""

from mlbuild.cli.main import main

__all__ = ["main"]
