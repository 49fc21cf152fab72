"""Finds the command, runs it, and turns whatever goes wrong into words and an exit code."""

from __future__ import annotations

import errno
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from mlbuild.diagnostics import COLUMNS, ExitCode, UserError, escape, fail, render

COMMANDS_ABOUT_US = ("help", "version")
LONGEST_WORDS = 300
NO_THREAD = "can't start new thread"  # what CPython says; it has no class of its own


def main(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Runs one command; never raises but for what ends the interpreter."""
    try:
        return int(_run(_spelled_out(tuple(argv)), environ))
    except UserError as error:
        for diagnostic in error.diagnostics:
            _say(render(diagnostic, _columns()))
        return int(error.exit_code)
    except KeyboardInterrupt:
        _say("interrupted: what has finished is kept, and the same command goes on from there")
        return int(ExitCode.INTERRUPTED)
    except MemoryError:
        _say("error[environment]: the machine has no memory left\n  hint: build less at once (`--jobs=1`)")
        return int(ExitCode.ENVIRONMENT)
    except OSError as error:
        if (words := _of_this_machine(error)) is not None:
            _say(f"error[environment]: {words}")
            return int(ExitCode.ENVIRONMENT)
        return _our_bug(error, argv, environ)
    except RuntimeError as error:
        if str(error) == NO_THREAD:
            _say(f"error[environment]: {_of_this_machine(OSError(errno.EAGAIN, NO_THREAD))}")
            return int(ExitCode.ENVIRONMENT)
        return _our_bug(error, argv, environ)
    except Exception as error:
        return _our_bug(error, argv, environ)


def _columns() -> int:
    """How wide the terminal is on which errors are told."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns
    except (OSError, ValueError, AttributeError):
        return COLUMNS


def _spelled_out(arguments: tuple[str, ...]) -> tuple[str, ...]:
    """`--help`, `-h`, `--version` and `COMMAND --help` as the commands that they mean."""
    if not arguments or arguments[0] in ("--help", "-h"):
        return ("help", *arguments[1:])
    if arguments[0] == "--version":
        return ("version",)
    flags = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return ("help", arguments[0]) if "--help" in flags or "-h" in flags else arguments


def _run(arguments: tuple[str, ...], environ: Mapping[str, str]) -> int:
    from mlbuild.config import build_request, find_command

    command = find_command(arguments)
    room = importlib.import_module(f"mlbuild.cli.{command.name}")
    if command.name in COMMANDS_ABOUT_US:
        return int(room.run(arguments[1:]))
    return int(room.run(build_request(arguments, environ, _standing())))


def _standing() -> Path:
    try:
        return Path.cwd().resolve()
    except FileNotFoundError:
        raise fail(
            "no-folder",
            "the folder that you stand in has been deleted",
            hint="go to another one (`cd`), or into the new one of that name",
            exit_code=ExitCode.ENVIRONMENT,
        ) from None


def _of_this_machine(error: OSError) -> str | None:
    """What the machine lacks, if that is why."""
    where = f": {error.filename}" if error.filename else ""
    return {
        errno.ENOSPC: f"the disk is full{where}; free some space and run the same command again",
        errno.EDQUOT: f"the disk quota is used up{where}; free some space and run the same command again",
        errno.EROFS: f"the file system is read-only{where}",
        errno.EACCES: f"permission denied{where}; make it accessible for you",
        errno.EPERM: f"not permitted{where}; make it accessible for you",
        errno.EMFILE: "too many open files; raise the limit (`ulimit -n`)",
        errno.ENFILE: "the machine has too many open files",
        errno.EAGAIN: "the machine lets no more processes or threads start; raise the limit (`ulimit -u`)",
        errno.ENOMEM: "the machine has no memory left",
        errno.EIO: f"the disk has failed{where}",
        errno.ESTALE: f"the network file system lost the file{where}; run the same command again",
        errno.ENAMETOOLONG: f"the path is too long for this file system{where}",
        errno.ELOOP: f"the links go in a circle{where}",
    }.get(error.errno or 0)


def _our_bug(error: BaseException, argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Exit 37: the traceback goes to a file, its place to the person."""
    import traceback

    text = "".join(traceback.format_exception(error))
    if environ.get("MLBUILD_DEBUG") == "1":
        _say(text)
        return int(ExitCode.INTERNAL)
    try:
        where = f"the details are in {_keep(text, argv, environ)}"
        hint = "nothing that was built is lost; please report it with that file"
    except (OSError, UserError):
        where, hint = "its details could not be kept", "MLBUILD_DEBUG=1 shows them; please report it with them"
    words = str(error).strip().partition("\n")[0][:LONGEST_WORDS]
    _say(f"error[internal]: this is a bug in mlbuild ({type(error).__name__}: {words}); {where}\n  hint: {hint}")
    return int(ExitCode.INTERNAL)


def _keep(text: str, argv: Sequence[str], environ: Mapping[str, str]) -> str:
    """Writes what a report of a bug needs; returns where it is."""
    import platform
    import shlex
    import tempfile

    import mlbuild
    from mlbuild.config import cache_folder

    folder = cache_folder(environ) / "bugs"
    folder.mkdir(parents=True, exist_ok=True)
    about = f"mlbuild {mlbuild.__version__}, Python {platform.python_version()}, {platform.platform()}"
    with tempfile.NamedTemporaryFile(
        "w", dir=folder, suffix=".txt", delete=False, encoding="utf-8", errors="backslashreplace"
    ) as file:
        file.write(f"{about}\nmlbuild {shlex.join(argv)}\n\n{text}")
    return file.name


def _say(text: str) -> None:
    try:
        print(escape(text), file=sys.stderr, flush=True)
    except (OSError, ValueError):  # nobody is left to tell
        return
