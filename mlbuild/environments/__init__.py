"""What an environment consists of, and what others may have of it: comparisons, bills of materials, virtual environments.

In come trees by digest, out come values and bytes. Nothing here builds, fetches, or writes to a disk.
"""

from mlbuild.environments.bill import bill_of_materials
from mlbuild.environments.contents import Contents, Package, contents
from mlbuild.environments.differences import Differences, compare, lines, plain

__all__ = [
    "Contents",
    "Differences",
    "Package",
    "bill_of_materials",
    "compare",
    "contents",
    "lines",
    "plain",
]
