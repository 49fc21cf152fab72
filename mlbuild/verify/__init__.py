"""Whether actions give the same bytes in unlike surroundings; if not, which differs first, in what, and because of what.

Comes in: a runner that can vary surroundings, a store, spawns. Goes out: findings, and their report. Never: a disk, a process,
the result of a cache in the place of a run.
"""

from mlbuild.verify.comparison import Difference, differences
from mlbuild.verify.findings import Finding, Verdict
from mlbuild.verify.reproducing import Reproduction, VariedRunner
from mlbuild.verify.variations import VARIATIONS, Variation

__all__ = [
    "VARIATIONS",
    "Difference",
    "Finding",
    "Reproduction",
    "Variation",
    "VariedRunner",
    "Verdict",
    "differences",
]
