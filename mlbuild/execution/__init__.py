"""Phase 3: action graph -> outputs by digest.

Comes in: an `ActionGraph`, the artifacts that are wanted, the doors. Goes out: an `Outcome`, and events on the way.
Never: a disk, a process or a network but through the doors; an order that depends on threads in anything that reaches
a key or an output.
"""

from mlbuild.execution.key import action_key
from mlbuild.execution.outcome import Counts, Options, Outcome, TestOutcome
from mlbuild.execution.run import Doors, execute, until_whole

__all__ = ["Counts", "Doors", "Options", "Outcome", "TestOutcome", "action_key", "execute", "until_whole"]
