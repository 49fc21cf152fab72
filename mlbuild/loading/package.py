"""Packages: what one BUILD file says, as values."""

from __future__ import annotations

from collections.abc import Mapping

from mlbuild.diagnostics import Location
from mlbuild.records import field, record
from mlbuild.terms import Label, Target

BUILD_FILE = "BUILD.ml"
WORKSPACE_FILE = "WORKSPACE.ml"


@record
class Package:
    """The targets of one BUILD file, in the order written, and the output files that they name."""

    repository: str
    name: str
    targets: Mapping[str, Target]
    outputs: Mapping[str, Target]
    """Name of an output file -> the target that makes it."""
    exported: tuple[str, ...] = ()
    """What `exports_files` names."""

    def __str__(self) -> str:
        return package_text(self.repository, self.name)


@record
class Registration:
    """One argument of `register_toolchains(...)`, and where it stands (nowhere: mlbuild's own)."""

    label: Label
    location: Location | None = None


@record
class Workspace:
    """What WORKSPACE.ml says, mlbuild's own registrations after it."""

    name: str = ""
    toolchains: tuple[Registration, ...] = field(default=())


def package_text(repository: str, package: str) -> str:
    """A package as people write it: `//models`, `@mlbuild//rules`."""
    return f"@{repository}//{package}" if repository else f"//{package}"


def folder_of(repository: str, package: str) -> str:
    """The package's folder from the exec root."""
    return Label(repository, package, "").package_path


def repository_and_folder(path: str) -> tuple[str, str]:
    """The repository that a path from the exec root is in, and the path below the repository's root."""
    if path.startswith("external/"):
        repository, _, rest = path.removeprefix("external/").partition("/")
        return repository, rest
    return "", path
