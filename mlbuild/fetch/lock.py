"""Locks: requirements resolved to exact versions with the hashes of their files."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile

from mlbuild.diagnostics import Diagnostic, Location, UserError, fail
from mlbuild.fetch.interpreter import Interpreter
from mlbuild.fetch.uv import Uv, complaint
from mlbuild.records import record

HEADER = "# Made by `mlbuild lock`: every package that the requirements need, pinned by version and hash.\n"

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


def lock(requirements: str, interpreter: Interpreter, uv: Uv, previous: str = "") -> str:
    """The lock of `requirements` for the interpreter's version, the same on every machine that asks the same index.

    Versions of the `previous` lock are kept where they still fit.

    Only versions that have wheels are taken: an environment never builds a package from source.

    Raises:
        UserError: if there is no solution, or the index cannot be asked.
    """
    with tempfile.TemporaryDirectory(prefix="mlbuild-lock-") as folder:
        made = os.path.join(folder, "lock.txt")
        with open(made, "w", encoding="utf-8") as file:  # noqa: PTH123
            file.write(previous)
        arguments = [
            "pip", "compile", "--quiet", "--universal", "--generate-hashes", "--no-header", "--no-annotate",
            "--only-binary", ":all:", "--python", interpreter.executable,
            "--python-version", interpreter.short_version, *uv.index_options, "--output-file", made, "-",
        ]  # fmt: skip
        code, _, stderr = uv.run(arguments, folder, requirements)
        with open(made, encoding="utf-8") as file:  # noqa: PTH123
            out = file.read()
    if code != 0:
        raise complaint("lock-failed", "the requirements cannot be locked", stderr)
    text = HEADER + "".join(line + "\n" for line in out.splitlines() if line.strip() and not line.startswith("#"))
    check_lock(text)
    return text


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
