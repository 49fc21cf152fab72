"""`mlbuild fmt`."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlbuild.diagnostics import Diagnostic, ExitCode, escape, fail, render

if TYPE_CHECKING:
    from mlbuild.config import BuildRequest
    from mlbuild.lang.formatting import Kind
    from mlbuild.session.formatting import Formatted

STDIN = "-"


def run(request: BuildRequest) -> int:
    from mlbuild.session.formatting import formatted_files

    words = (*request.words, *request.rest)
    mode = request.formatting.mode
    if STDIN in words:
        files = iter([_from_stdin(request, words)])
        mode = "pipe" if mode == "fix" else mode
    else:
        files = formatted_files(_paths(request, words), _kind(request))
    code = ExitCode.SUCCESS
    for file in files:
        code = _worse(code, _show(file, mode))
    return int(code)


def _show(file: Formatted, mode: str) -> ExitCode:
    """Does for one file what the mode says."""
    from mlbuild.session.formatting import replace

    if file.mistakes:
        _say(file.mistakes)
        return ExitCode.ENVIRONMENT if file.is_unreadable else ExitCode.BUILD_FAILED
    if mode == "pipe" or (mode == "print_if_changed" and file.is_changed):
        _print(file.after)
    elif not file.is_changed or mode == "print_if_changed":
        return ExitCode.SUCCESS
    elif mode == "check":
        _print(f"{escape(file.path)} # reformat\n".encode())
        return ExitCode.NOT_FORMATTED
    elif mode == "diff":
        _print("".join(_difference(file)).encode())
        return ExitCode.NOT_FORMATTED
    elif (mistake := replace(file)) is not None:
        _say((mistake,))
        return ExitCode.ENVIRONMENT
    else:
        _print(f"formatted {escape(file.path)}\n".encode())
    return ExitCode.SUCCESS


def _worse(one: ExitCode, other: ExitCode) -> ExitCode:
    """What cannot be read comes before what is not Starlark, and that before what is to be formatted."""
    order = (ExitCode.SUCCESS, ExitCode.NOT_FORMATTED, ExitCode.BUILD_FAILED, ExitCode.ENVIRONMENT)
    return max(one, other, key=order.index)


def _paths(request: BuildRequest, words: tuple[str, ...]) -> list[str]:
    from mlbuild.session.starlark_files import StarlarkFiles

    return StarlarkFiles(request.workspace, request.working_folder, request.package).meant(words)


def _kind(request: BuildRequest) -> Kind | None:
    from mlbuild.lang.formatting import Kind

    named = request.formatting.type
    return None if named == "auto" else Kind(named)


def _from_stdin(request: BuildRequest, words: tuple[str, ...]) -> Formatted:
    from mlbuild.lang.formatting import kind_of
    from mlbuild.session.formatting import formatted_bytes

    if len(words) > 1:
        hint = "to format what comes in: `mlbuild fmt - < FILE`"
        message = "`-` (what comes in) is formatted alone"
        raise fail("command-line", message, hint=hint, exit_code=ExitCode.COMMAND_LINE)
    path = request.formatting.path or "<stdin>"
    return formatted_bytes(sys.stdin.buffer.read(), path, _kind(request) or kind_of(path))


def _difference(file: Formatted) -> Iterator[str]:
    before, after = (data.decode().splitlines(keepends=True) for data in (file.before, file.after))
    for line in difflib.unified_diff(before, after, f"a/{file.path}", f"b/{file.path}"):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _say(mistakes: tuple[Diagnostic, ...]) -> None:
    for mistake in mistakes:
        print(render(mistake), file=sys.stderr, flush=True)


def _print(data: bytes) -> None:
    """Prints bytes as they are: who asked for a file gets that file."""
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
