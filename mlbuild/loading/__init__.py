"""Phase 1: BUILD files -> target graph.

Comes in: a source tree through its door, and labels or patterns. Goes out: what labels name, as values of `terms`.
Never: a disk but through the door; a value that depends on the configuration (`select` stays unresolved).
"""

from mlbuild.loading.kept import Keeper
from mlbuild.loading.loader import Defaults, Loader
from mlbuild.loading.package import BUILD_FILE, WORKSPACE_FILE, Package, Registration, Workspace

__all__ = ["BUILD_FILE", "WORKSPACE_FILE", "Defaults", "Keeper", "Loader", "Package", "Registration", "Workspace"]
