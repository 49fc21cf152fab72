"""Locks: every package by its exact version and the hashes of its files. What makes one is in `locking.py`."""

from __future__ import annotations

import hashlib
import re

from mlbuild.diagnostics import Diagnostic, Location, UserError, fail
from mlbuild.records import record

_HASH = re.compile(r"--hash[= ]\s*([A-Za-z0-9]+):([0-9A-Fa-f]+)")
_PINNED = re.compile(
    r"[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?\s*(?:\[[\w\s,.-]*\])?\s*(?:===?\s*[^\s;,*]+|@\s*\S+)\s*(?:;.*)?\Z"
)
_OPTIONS = ("--index-url", "-i", "--extra-index-url", "--find-links", "-f", "--only-binary", "--no-binary",
            "--prefer-binary", "--require-hashes", "--no-index", "--pre", "--trusted-host")  # fmt: skip


@record
class Requirement:
    """One line of a lock: `attrs==25.1.0 ; python_version > '3.10'`, its hashes, and where it begins."""

    text: str
    hashes: tuple[str, ...]
    line: int

    @property
    def name(self) -> str:
        """The package's name, as indexes spell it."""
        found = re.match(r"[A-Za-z0-9][\w.-]*", self.text)
        return normal_name(found[0]) if found else self.text

    @property
    def version(self) -> str:
        """The version that it is pinned to; of an address, some letters of its hash."""
        if found := re.search(r"===?\s*([^\s;,*]+)", self.text.partition("@")[0].partition(";")[0]):
            return re.sub(r"[^\w.+!-]", "_", found[1])
        return hashlib.sha256(self.text.encode()).hexdigest()[:12]


def normal_name(name: str) -> str:
    """PEP 503's spelling of a package's name."""
    return re.sub(r"[-_.]+", "-", name).lower()


def check_lock(text: str, path: str = "lock") -> tuple[Requirement, ...]:
    """The lock's requirements, each pinned and with a hash.

    Raises:
        UserError: naming every requirement that is not, or a line that makes the lock depend on other files.
    """
    faults: list[Diagnostic] = []
    found: list[Requirement] = []
    for number, line in _logical_lines(text):
        if line.startswith("-"):
            if line.split("=")[0].split()[0] not in _OPTIONS:
                faults.append(
                    Diagnostic(
                        "bad-lock",
                        f"`{line.split()[0]}` cannot stand in a lock",
                        Location(path, number),
                        hint="a lock names packages with versions and hashes and reads no other file: make it with `mlbuild lock`",
                    )
                )
            continue
        hashes = tuple(f"{kind.lower()}:{value.lower()}" for kind, value in _HASH.findall(line))
        requirement = Requirement(re.split(r"\s+--", line, maxsplit=1)[0].strip(), hashes, number)
        if not _PINNED.match(requirement.text):
            faults.append(
                Diagnostic(
                    "lock-without-versions",
                    f"`{requirement.text}` is not pinned to one version",
                    Location(path, number),
                    hint="make the lock with `mlbuild lock`",
                )
            )
        elif not hashes:
            faults.append(
                Diagnostic(
                    "lock-without-hashes",
                    f"`{requirement.text}` has no hash",
                    Location(path, number),
                    hint="make the lock with `mlbuild lock`: it writes the hash of every file that may be installed",
                )
            )
        found.append(requirement)
    if faults:
        raise UserError(*faults)
    return tuple(found)


def lock_options(text: str) -> tuple[str, ...]:
    """The lock's own options, such as `--find-links`, in their order."""
    return tuple(line for _, line in _logical_lines(text) if line.startswith("-"))


def _logical_lines(text: str) -> list[tuple[int, str]]:
    """(number of the first, joined text): a backslash at the end continues a line; comments and empty ones are left out."""
    lines: list[tuple[int, str]] = []
    begun: tuple[int, str] | None = None
    for number, raw in enumerate(text.splitlines(), 1):
        line = re.sub(r"(^|\s)#.*", "", raw).rstrip()
        start, before = begun or (number, "")
        if line.endswith("\\"):
            begun = (start, before + line[:-1] + " ")
            continue
        begun = None
        if joined := (before + line).strip():
            lines.append((start, joined))
    if begun is not None and begun[1].strip():
        lines.append((begun[0], begun[1].strip()))
    return lines


def unlocked(path: str) -> UserError:
    return fail("bad-lock", f"`{path}` is no UTF-8 text", hint="make the lock with `mlbuild lock`")
