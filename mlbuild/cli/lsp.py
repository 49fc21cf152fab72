"""`mlbuild lsp`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlbuild.diagnostics import ExitCode, fail

if TYPE_CHECKING:
    from mlbuild.config import BuildRequest


def run(request: BuildRequest) -> int:
    try:
        from mlbuild.language_server.server import serve
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] not in ("pygls", "lsprotocol"):
            raise
        raise fail(
            "needs-extra",
            f"the language server needs `{(missing.name or '').partition('.')[0]}`, which is not installed",
            hint="install it with `pip install 'mlbuild[lsp]'`",
            exit_code=ExitCode.ENVIRONMENT,
        ) from None
    return serve(request.private_folder, request.rules_folder)
