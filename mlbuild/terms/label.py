"""Labels: the names of targets, files and modules."""

from __future__ import annotations

import re
from typing import ClassVar

from mlbuild.records import ordered_record

PACKAGE = re.compile(r"[A-Za-z0-9/\-._@+=~ ]*\Z")
NAME = re.compile(r"[A-Za-z0-9/\-._@+=,~!%^\"#$&'()*;<>?\[\]{|} ]+\Z")


class BadLabel(ValueError):
    """The text is not a label; the message says why, in words for a person."""


@ordered_record
class Label:
    """`@repository//package:name`; the main repository is the empty string."""

    repository: str
    package: str
    name: str

    starlark_type: ClassVar[str] = "Label"

    @classmethod
    def parse(cls, text: str, *, repository: str = "", package: str = "") -> Label:
        """`text` as seen from a package: absolute, `:name` or `name`.

        Raises:
            BadLabel: if the text is no label.
        """
        rest = text
        if rest.startswith("@"):
            repository, slashes, rest = rest[1:].partition("//")
            if not slashes:
                if re.search("[:/]", repository):
                    raise BadLabel(f"`{text}` is no label: after a repository comes `//package:name`")
                rest = f":{repository}"
            rest = "//" + rest
        if rest.startswith("//"):
            package, colon, name = rest[2:].partition(":")
            if not colon:
                name = package.rpartition("/")[2]
        else:
            name = rest[1:] if rest.startswith(":") else rest
            if ":" in name:
                raise BadLabel(f"`{text}` is no label: an absolute one begins with `//`")
        if message := _fault(package, name):
            raise BadLabel(f"`{text}` is no label: {message}")
        return cls(repository, package, name)

    def __str__(self) -> str:
        repository = f"@{self.repository}" if self.repository else ""
        return f"{repository}//{self.package}:{self.name}"

    @property
    def short(self) -> str:
        """As people write it: `//models` for `//models:models`."""
        if self.package and self.package.rpartition("/")[2] == self.name:
            return str(self).rpartition(":")[0]
        return str(self)

    @property
    def package_path(self) -> str:
        """The package's folder from the exec root: `models`, `external/mlbuild/rules`."""
        if self.repository:
            return f"external/{self.repository}" + (f"/{self.package}" if self.package else "")
        return self.package

    @property
    def path(self) -> str:
        """The path from the exec root of a source file with this label."""
        return f"{self.package_path}/{self.name}" if self.package_path else self.name

    def sibling(self, name: str) -> Label:
        return Label(self.repository, self.package, name)

    # What Starlark sees of a label (the host value protocol of `mlbuild.lang`).
    def starlark_dir(self) -> tuple[str, ...]:
        return ("name", "package", "repo_name", "workspace_root")

    def starlark_attr(self, name: str) -> object:
        return {
            "name": self.name,
            "package": self.package,
            "repo_name": self.repository,
            "workspace_root": f"external/{self.repository}" if self.repository else "",
        }[name]

    def starlark_repr(self) -> str:
        return f'Label("{self}")'

    def starlark_str(self) -> str:
        return str(self)


def _fault(package: str, name: str) -> str | None:
    if not name:
        return "the target's name is empty"
    if not PACKAGE.match(package):
        return f"a package's name cannot hold {_first_bad(PACKAGE, package)!r}"
    if not NAME.match(name):
        return f"a target's name cannot hold {_first_bad(NAME, name)!r}"
    for part in (*package.split("/"), *name.split("/")):
        if part in {".", ".."}:
            return f"`{part}` cannot be a part of it"
    if package.startswith("/") or package.endswith("/") or "//" in package:
        return "a package's name has single slashes inside only"
    if name.startswith("/") or name.endswith("/") or "//" in name:
        return "a target's name has single slashes inside only"
    return None


def _first_bad(allowed: re.Pattern[str], text: str) -> str:
    return next(char for char in text if not allowed.match(char))
