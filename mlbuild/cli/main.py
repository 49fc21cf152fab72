"""Finds the command, runs it, and turns whatever goes wrong into words and an exit code."""

from __future__ import annotations

import errno
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from mlbuild.diagnostics import ExitCode, UserError, escape, render

COMMANDS_WITHOUT_WORKSPACE = ("help", "version")


def main(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Runs one command; never raises but for what ends the interpreter."""
    arguments = tuple(argv)
    if arguments and arguments[0] in ("--help", "-h"):
        arguments = ("help", *arguments[1:])
    if arguments and arguments[0] == "--version":
        arguments = ("version",)
    try:
        return int(_run(arguments, environ))
    except UserError as error:
        for diagnostic in error.diagnostics:
            _say(render(diagnostic))
        return int(error.exit_code)
    except KeyboardInterrupt:
        _say("interrupted: what has finished is kept, and the same command goes on from there")
        return int(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return int(ExitCode.SUCCESS)
    except OSError as error:
        if (words := _of_this_machine(error)) is not None:
            _say(f"error[environment]: {words}")
            return int(ExitCode.ENVIRONMENT)
        return _our_bug(error, environ)
    except Exception as error:
        return _our_bug(error, environ)


def _run(arguments: tuple[str, ...], environ: Mapping[str, str]) -> int:
    from mlbuild.config import find_command

    command = find_command(arguments)
    if "--help" in arguments or "-h" in arguments:
        arguments = ("help", command.name)
        command = find_command(arguments)
    room = importlib.import_module(f"mlbuild.cli.{command.name}")
    if command.name in COMMANDS_WITHOUT_WORKSPACE:
        return int(room.run(arguments[1:]))
    from mlbuild.config import build_request

    return int(room.run(build_request(arguments or ("help",), environ, Path.cwd().resolve())))


def _of_this_machine(error: OSError) -> str | None:
    """What the machine lacks, if that is why."""
    where = f": {error.filename}" if error.filename else ""
    return {
        errno.ENOSPC: f"the disk is full{where}; free some space and run the same command again",
        errno.EDQUOT: f"the disk quota is used up{where}; free some space and run the same command again",
        errno.EROFS: f"the file system is read-only{where}",
        errno.EACCES: f"permission denied{where}; make it accessible for you",
        errno.EMFILE: "too many open files; raise the limit (`ulimit -n`)",
        errno.ENFILE: "the machine has too many open files",
        errno.ENOMEM: "the machine has no memory left",
        errno.EIO: f"the disk has failed{where}",
    }.get(error.errno or 0)


def _our_bug(error: BaseException, environ: Mapping[str, str]) -> int:
    """Exit 37: the traceback goes to a file, its place to the person."""
    import tempfile
    import traceback

    text = "".join(traceback.format_exception(error))
    if environ.get("MLBUILD_DEBUG") == "1":
        _say(text)
        return int(ExitCode.INTERNAL)
    try:
        with tempfile.NamedTemporaryFile("w", prefix="mlbuild-bug-", suffix=".txt", delete=False) as file:
            file.write(text)
        where = f"its details are in {file.name}"
    except OSError:
        where = "set MLBUILD_DEBUG=1 to see its details"
    _say(
        f"error[internal]: this is a bug in mlbuild ({type(error).__name__}: {error}); {where}\n"
        "  hint: nothing that was built is lost; please report it with that file"
    )
    return int(ExitCode.INTERNAL)


def _say(text: str) -> None:
    try:
        print(escape(text), file=sys.stderr, flush=True)
    except (BrokenPipeError, ValueError):
        return
