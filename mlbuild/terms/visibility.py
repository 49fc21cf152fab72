"""Who may depend on a target."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from mlbuild.terms import Label

PUBLIC = "//visibility:public"


def is_visible(visibility: Iterable[str], target: Label, viewer: Label) -> bool:
    """Whether a target in the viewer's package may depend on the target."""
    if (target.repository, target.package) == (viewer.repository, viewer.package):
        return True
    return any(entry == PUBLIC or _admits(entry, viewer.repository, viewer.package) for entry in visibility)


@lru_cache(maxsize=4096)
def _admits(entry: str, repository: str, package: str) -> bool:
    label = Label.parse(entry)
    if label.repository != repository:
        return False
    if label.name == "__pkg__":
        return label.package == package
    is_below = not label.package or package == label.package or package.startswith(label.package + "/")
    return label.name == "__subpackages__" and is_below
