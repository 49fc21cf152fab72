"""Questions about the target graph, in Bazel's query language.

Comes in: an expression, and a graph of what labels name (`graph.TargetGraph`, made of loading). Goes out: a set of
labels in a stated order, and its printed forms. Never: analyses or runs anything, reads a file, or chooses among the
cases of a `select`.
"""

from mlbuild.query.evaluate import Answer, Evaluation
from mlbuild.query.graph import Kept, Packages, TargetGraph
from mlbuild.query.ordering import Order, ordered
from mlbuild.query.parse import Source, parse

__all__ = ["Answer", "Evaluation", "Kept", "Order", "Packages", "Source", "TargetGraph", "ordered", "parse"]
