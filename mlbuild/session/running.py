"""`mlbuild run` and `mlbuild shell`: a built target started as its actions would be, but attached to the terminal and not sandboxed."""

from __future__ import annotations

import ctypes
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mlbuild.diagnostics import ExitCode, fail
from mlbuild.execution.input_root import merkle_tree
from mlbuild.records import replace
from mlbuild.terms import (
    WORKING_DIRECTORY,
    Artifact,
    ConfiguredTarget,
    FileValue,
    RunCommand,
    SymlinkValue,
    TreeValue,
    Value,
)

if TYPE_CHECKING:
    from mlbuild.config import BuildRequest
    from mlbuild.sandbox import OwnFolder
    from mlbuild.session.rooms import Rooms


PR_SET_PDEATHSIG = 1


def command_of(target: ConfiguredTarget, how: str) -> RunCommand:
    """What `mlbuild run` or `mlbuild shell` (that is `how`) starts of a target. Raises UserError for one that has nothing."""
    if target.run is None:
        raise fail(
            "cannot-run",
            f"`{target.label.short}` ({target.kind}) is not something to run",
            location=target.location,
            hint="`py_binary` targets and rules that return `RunInfo` can be run",
            exit_code=ExitCode.COMMAND_LINE,
        )
    if how == "run":
        return target.run
    if not target.run.shell:
        raise fail(
            "no-shell",
            f"`{target.label.short}` ({target.kind}) has no shell",
            location=target.location,
            hint="`py_env` and `py_binary` targets have one, and rules that return `RunInfo(shell = [...])`",
            exit_code=ExitCode.COMMAND_LINE,
        )
    return replace(target.run, arguments=target.run.shell)


def artifacts(command: RunCommand) -> tuple[Artifact, ...]:
    """All that has to be built before the command can start."""
    mounted = (mount.content for mount in command.mounts if isinstance(mount.content, Artifact))
    return tuple(dict.fromkeys((*command.inputs, *mounted)))


def stage(command: RunCommand, values: Mapping[Artifact, FileValue | TreeValue], rooms: Rooms) -> OwnFolder:
    """A private folder laid out like an input root: read-only inputs, a writable working folder.

    It is to be removed by who has it; if we are killed, the next command does that.
    """
    contents: dict[str, Value] = {f"{WORKING_DIRECTORY}/{path.path}": values[path] for path in command.inputs}
    for mount in command.mounts:
        content = mount.content
        contents[mount.path] = SymlinkValue(content) if isinstance(content, str) else values[content]
    root = merkle_tree(contents, rooms.store.get)
    root.keep_in(rooms.store)
    own = rooms.own_folder()
    folder = own.path
    work = folder / WORKING_DIRECTORY
    work.mkdir()
    for entry in sorted(rooms.trees.tree(root.digest).iterdir()):
        if entry.name != WORKING_DIRECTORY:
            (folder / entry.name).symlink_to(entry.readlink() if entry.is_symlink() else entry)
            continue
        for inside in sorted(entry.iterdir()):
            (work / inside.name).symlink_to(inside)
    return own


def run(command: RunCommand, folder: Path, arguments: tuple[str, ...], request: BuildRequest) -> int:
    """Runs the program in the foreground; returns its exit code (128 + the signal that ended it)."""
    environment = {
        **request.environ,
        **{name: _in_folder(value, command, folder) for name, value in command.environment},
        "BUILD_WORKSPACE_DIRECTORY": str(request.workspace),
        "BUILD_WORKING_DIRECTORY": str(request.working_folder),
    }
    environment.pop("PYTHONHOME", None)
    process: subprocess.Popen[bytes] | None = None
    early: list[int] = []

    def pass_on(number: int, _: object) -> None:
        if process is None:
            early.append(number)
        else:
            process.send_signal(number)

    # Who tells us to end means the program, which may have things to finish; we wait for it.
    told = [each for each in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(each) is not signal.SIG_IGN]
    before = {each: signal.signal(each, pass_on) for each in told}
    prctl = ctypes.CDLL(None).prctl
    try:
        process = subprocess.Popen(
            [*command.arguments, *arguments], cwd=folder / WORKING_DIRECTORY, env=environment,
            # If we are killed, it is too: nobody would be left to end it.
            preexec_fn=lambda: prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0),
        )  # fmt: skip
        # Ctrl-C reaches the program by itself, from the terminal.
        before[signal.SIGINT] = signal.signal(signal.SIGINT, signal.SIG_IGN)
        for number in early:
            process.send_signal(number)
        code = process.wait()
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    return code if code >= 0 else 128 - code


def _in_folder(value: str, command: RunCommand, folder: Path) -> str:
    """A search path with the mounts' absolute paths as they are here (`/python/lib` in the sandbox)."""
    tops = tuple(f"/{mount.path.split('/')[0]}" for mount in command.mounts)
    return ":".join(
        f"{folder}{part}" if any(part == top or part.startswith(top + "/") for top in tops) else part
        for part in value.split(":")
    )
