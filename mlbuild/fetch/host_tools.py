"""`sh` and the POSIX tools of this host with what they load, as one tree."""

from __future__ import annotations

import os
from collections.abc import Iterable

from mlbuild.diagnostics import Diagnostic, ExitCode, UserError, fail
from mlbuild.fetch.closure import Closure, host_folders, library_closure
from mlbuild.fetch.collected import Plan
from mlbuild.fetch.elf import BadElf, Elf, read_elf
from mlbuild.fetch.interpreter import library_pieces
from mlbuild.fetch.tree import HostFile, Link, Piece

FOLDERS = ("/usr/bin", "/bin", "/usr/sbin", "/sbin")

_PACKAGES = {
    "awk": "mawk", "bash": "bash", "bzip2": "bzip2", "cmp": "diffutils", "diff": "diffutils", "file": "file",
    "find": "findutils", "gawk": "gawk", "git": "git", "grep": "grep", "gzip": "gzip", "jq": "jq", "make": "make",
    "patch": "patch", "sed": "sed", "sh": "dash", "tar": "tar", "unzip": "unzip", "xargs": "findutils",
    "xz": "xz-utils", "zip": "zip", "zstd": "zstd",
}  # fmt: skip
"""Debian's package of a tool; what is not here is in `coreutils`."""


def plan_host_tools(required: Iterable[str], optional: Iterable[str], path: Iterable[str] = ()) -> Plan:
    """`bin/*` and `lib/*` of the tools, looked for in the system's folders and then along `path`.

    Raises:
        UserError: naming every required tool that this host lacks.
    """
    required, optional = tuple(required), tuple(optional)
    folders = tuple(dict.fromkeys((*FOLDERS, *(folder for folder in path if folder.startswith("/")))))
    found = {name: _find(name, folders) for name in sorted({*required, *optional})}
    if missing := [name for name in dict.fromkeys(required) if found[name] is None]:
        raise UserError(*map(_missing, missing), exit_code=ExitCode.ENVIRONMENT)
    tools = {name: tool for name, tool in found.items() if tool is not None}
    pieces: dict[str, Piece] = {}
    first: dict[str, str] = {}
    for name, (real, _) in tools.items():
        # A program of many tools looks at the name that it is started by: one file, other names are links to it.
        if (owner := first.setdefault(real, name)) == name:
            pieces[f"bin/{name}"] = HostFile(real, is_executable=True)
        else:
            pieces[f"bin/{name}"] = Link(owner)
    closure, searched = _closure(tuple(first), tuple(tools.values()))
    pieces.update(library_pieces(closure))
    return Plan(pieces, tuple(sorted({*searched, *(folder for folder in folders if os.path.isdir(folder))})))


def _find(name: str, folders: Iterable[str]) -> tuple[str, Elf] | None:
    """The first program of this name, as its real path. A script is passed over: its own interpreter is not in the tree."""
    for folder in folders:
        candidate = os.path.join(folder, name)
        if os.access(candidate, os.X_OK) and os.path.isfile(candidate):
            real = os.path.realpath(candidate)
            try:
                elf = read_elf(real)
            except (BadElf, OSError, ValueError):
                continue
            if elf is not None:
                return real, elf
    return None


def _closure(programs: tuple[str, ...], tools: tuple[tuple[str, Elf], ...]) -> tuple[Closure, tuple[str, ...]]:
    if not programs:
        return Closure(), ()
    folders = host_folders(tools[0][1].machine)
    try:
        closure = library_closure(programs, folders)
    except BadElf as error:
        raise fail("broken-library", str(error), exit_code=ExitCode.ENVIRONMENT) from None
    if closure.missing:
        name, wanting = closure.missing[0]
        raise fail(
            "missing-library",
            f"`{wanting}` needs `{name}`, which this host lacks",
            exit_code=ExitCode.ENVIRONMENT,
        )
    return closure, ("/etc/ld.so.conf", "/etc/ld.so.conf.d", *folders)


def _missing(name: str) -> Diagnostic:
    package = _PACKAGES.get(name, "coreutils")
    return Diagnostic(
        "missing-host-tool",
        f"this host has no program `{name}` for the shell's actions",
        hint=f"install it (Debian and Ubuntu: `apt-get install {package}`)",
    )
