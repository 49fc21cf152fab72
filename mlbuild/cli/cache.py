"""`mlbuild cache status`, `verify`, `repair` and `gc`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlbuild.cli.building import in_session
from mlbuild.cli.showing import show
from mlbuild.diagnostics import ExitCode, UserError, did_you_mean, fail

if TYPE_CHECKING:
    from mlbuild.config import BuildRequest
    from mlbuild.session import Session

TASKS = ("status", "verify", "repair", "gc")


def run(request: BuildRequest) -> int:
    words = (*request.words, *request.rest)
    if len(words) != 1 or words[0] not in TASKS:
        raise _no_task(words)

    def look_after(session: Session) -> int:
        lines, is_well = session.look_after_cache(words[0])
        show(lines)
        return int(ExitCode.SUCCESS if is_well else ExitCode.BUILD_FAILED)

    return in_session(request, look_after)


def _no_task(words: tuple[str, ...]) -> UserError:
    known = "`status`, `verify`, `repair` or `gc`"
    if len(words) != 1:
        said = f"one of {known}, not {len(words)} words" if words else f"to be told what to do: {known}"
        message, hint = f"`mlbuild cache` needs {said}", "to see what it holds: `mlbuild cache status`"
    else:
        close = did_you_mean(words[0], TASKS)
        message = f"`mlbuild cache` has no `{words[0]}`"
        hint = f"did you mean `mlbuild cache {close}`?" if close else f"it has {known}"
    return fail("no-cache-task", message, hint=hint, exit_code=ExitCode.COMMAND_LINE)
