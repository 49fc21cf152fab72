"""The only joiner: fills the doors and walks the phases.

Comes in: a request and an event sink. Goes out: an exit code, outputs in place, events. Never: a rule's meaning.
"""

from mlbuild.session.session import Session

__all__ = ["Session"]
