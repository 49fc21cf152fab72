"""Why an action failed, when the reason is the sandbox: what it asked for and how to declare it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from mlbuild.terms import Label

NO_SUCH_FILE = re.compile(
    r"""No such file or directory:?\s*b?['"]([^'"\n]+)['"]"""
    # Each word is tried once, from its beginning and as a whole: a log may be one line of megabytes.
    r"""|(?<![\w./~+@=-])([\w./~+@=-]++)['"]?: (?:No such file or directory|cannot open: No such file)"""
    r"""|(?:[Cc]annot|[Cc]ould not|can't|[Ff]ailed to) (?:open|read|find|access|stat)(?: the)?(?: local)?(?: data)?(?: file)?:? ['"]?([\w./~+@=-]+)"""
)
NETWORK = re.compile(
    r"Network is unreachable|Temporary failure in name resolution|Name or service not known|gaierror"
    r"|Could not resolve host|getaddrinfo failed|Connection refused"
)
READ_ONLY = re.compile(r"""Read-only file system:?\s*b?['"]?([^'"\n]*)['"]?""")
DENIED = re.compile(
    r"""Permission denied:?\s*b?['"]([^'"\n]+)['"]|(?<![\w./~+@=-])([\w./~+@=-]++)['"]?: Permission denied"""
)
LIBRARY = re.compile(r"(?<![\w./+-])(lib[\w+-]++(?:\.[\w+-]++)*+): cannot open shared object file")
END = 1 << 20
"""Reasons stand at the end of a log: so much of it is read."""
INSIDE = ("/work/", "/inputs/")
OWN = ("/python/", "/python-packages/", "/shell/", "/proc/", "/dev/", "/tmp/", "/sys/")


def hints(
    log: str, owner: Label, declared: Collection[str], exists_in_workspace: Callable[[str], bool], workspace: str
) -> tuple[str, ...]:
    """What to declare, read off a failed action's log. At most three, in the order of the log.

    `declared` are the paths that the action could see, relative to the exec root; `workspace` is the absolute path
    of the workspace, to recognise an absolute path into it.
    """
    found: dict[str, None] = {}
    log = log[-END:]
    for match in NO_SUCH_FILE.finditer(log):
        path = next(group for group in match.groups() if group)
        if (hint := _about_file(path, owner, declared, exists_in_workspace, workspace)) is not None:
            found[hint] = None
    for match in LIBRARY.finditer(log):
        found[
            f"`{match.group(1)}` is a library of the system, which no package brings along: name it in `libraries` of the "
            "`py_env`, and it is taken from the machine that builds"
        ] = None
    if NETWORK.search(log):
        found[
            "actions have no network: declare what is needed from outside as a target with a pinned digest "
            "(`http_file(url = ..., sha256 = ...)`, `wheel_file(...)`) and name it among the inputs"
        ] = None
    for match in READ_ONLY.finditer(log):
        where = f" (`{match.group(1)}`)" if match.group(1) else ""
        found[f"inputs are read-only{where}: write to a declared output or to a file under `/tmp`"] = None
    for match in DENIED.finditer(log):
        path = next(group for group in match.groups() if group)
        if _inside(path, workspace) in declared:
            found[f"inputs are read-only (`{path}`): write to a declared output or to a file under `/tmp`"] = None
    return tuple(found)[:3]


def _about_file(
    path: str, owner: Label, declared: Collection[str], exists_in_workspace: Callable[[str], bool], workspace: str
) -> str | None:
    inside = _inside(path, workspace)
    if inside in declared:
        return None
    if not inside.startswith("/"):
        for candidate in (inside.removeprefix("./"), f"{owner.package}/{inside.removeprefix('./')}".lstrip("/")):
            if candidate and candidate not in declared and exists_in_workspace(candidate):
                label = _label(candidate, owner)
                return (
                    f"`{path}` exists in the workspace but is not a declared input of `{owner.short}`, so the action "
                    f'cannot see it: add "{label}" to its `srcs`, `data` or `deps`'
                )
        return None
    if path.startswith(OWN):
        return None
    return (
        f"`{path}` lies outside the workspace, and an action sees nothing of the host: put the file into the "
        "workspace and declare it, or fetch it with a pinned digest (`http_file`, `wheel_file`)"
    )


def _inside(path: str, workspace: str) -> str:
    """The path from the workspace's root, if it is written absolute, in the sandbox's way or in the host's."""
    for prefix in (*INSIDE, workspace.rstrip("/") + "/"):
        if path.startswith(prefix):
            return path.removeprefix(prefix)
    return path.removeprefix("./")


def _label(path: str, owner: Label) -> str:
    if owner.package and path.startswith(owner.package + "/"):
        return path.removeprefix(owner.package + "/")
    folder, _, name = path.rpartition("/")
    return f"//{folder}:{name}" if folder or owner.package else name
