"""Phase 2: target graph x configuration -> action graph.

Comes in: what labels name (from loading), labels, a configuration. Goes out: an `ActionGraph` for the labels' closure.
Never: runs an action, reads a file, or knows what a rule means.
"""

from mlbuild.analysis.analyse import Analysis, analyse
from mlbuild.analysis.configuration import Configuration

__all__ = ["Analysis", "Configuration", "analyse"]
