"""`mlbuild info`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlbuild.cli.building import in_session
from mlbuild.cli.showing import show
from mlbuild.diagnostics import ExitCode, did_you_mean, fail

if TYPE_CHECKING:
    from mlbuild.config import BuildRequest
    from mlbuild.session import Session


def run(request: BuildRequest) -> int:
    def tell(session: Session) -> int:
        known = session.info()
        for name in request.words:
            if name not in known:
                close = did_you_mean(name, known)
                hint = f"did you mean `{close}`?" if close else f"known: {', '.join(known)}"
                raise fail("unknown-info", f"there is no info `{name}`", hint=hint, exit_code=ExitCode.COMMAND_LINE)
        if len(request.words) == 1:
            show((known[request.words[0]],))
        else:
            show(f"{name}: {known[name]}" for name in request.words or known)
        return 0

    return in_session(request, tell)
