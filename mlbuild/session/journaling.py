"""A finished build into the journal, and the journal's builds as lines."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import mlbuild
from mlbuild.diagnostics import ExitCode, fail
from mlbuild.journal.again import noted
from mlbuild.journal.entry import Build, Header
from mlbuild.journal.folder import Journal
from mlbuild.journal.lines import action_lines, build_lines
from mlbuild.journal.written import plain_body
from mlbuild.session.session import journal_folder

if TYPE_CHECKING:
    from mlbuild.config import BuildRequest
    from mlbuild.execution import Outcome
    from mlbuild.loading import Loader


def note(
    request: BuildRequest,
    loader: Loader,
    outcome: Outcome,
    code: ExitCode,
    invocation: str,
    began: float,
    words: tuple[str, tuple[str, ...]],
) -> None:
    """Keeps what the build was made of. What the disk refuses is not kept: the build is right without it."""
    counts = outcome.counts
    header = Header(
        invocation[:8], words[0], words[1], began, time.time() - began, int(code), counts.ran,
        counts.cached + counts.cached_remotely, counts.failed, counts.skipped, mlbuild.__version__,
        tuple(sorted(request.defines.items())),
    )  # fmt: skip
    body = plain_body(outcome.actions, outcome.ends, outcome.values, loader.entry)
    Journal(journal_folder(request)).keep(header, body, int(began * 1e9))


def note_end(
    request: BuildRequest, code: ExitCode, invocation: str, began: float, words: tuple[str, tuple[str, ...]]
) -> None:
    """Keeps that there was a build, and how an error ended it."""
    header = Header(
        invocation[:8], words[0], words[1], began, time.time() - began, int(code), 0, 0, 0, 0, mlbuild.__version__,
        tuple(sorted(request.defines.items())),
    )  # fmt: skip
    Journal(journal_folder(request)).keep(header, ([], {}, {}, {}), int(began * 1e9))


def listed(request: BuildRequest) -> tuple[str, ...]:
    """The builds that are remembered, oldest first, a line each."""
    folder = journal_folder(request)
    return tuple(build_lines((header for _, header in Journal(folder).headers()), noted(folder)))


def told(request: BuildRequest, words: tuple[str, ...]) -> tuple[str, ...]:
    """What one build did. Raises UserError."""
    if len(words) != 1:
        raise fail(
            "one-build", f"`mlbuild log` takes one build, not {len(words)}", hint="`mlbuild log` lists them",
            exit_code=ExitCode.COMMAND_LINE,
        )  # fmt: skip
    return tuple(action_lines(named_build(Journal(journal_folder(request)), words[0])))


def named_build(journal: Journal, name: str) -> Build:
    """The build that the beginning of an id names. Raises UserError."""
    found = [file for file, header in journal.headers() if name and header.id.startswith(name)]
    build = journal.build(found[0]) if len(found) == 1 else None
    if build is None:
        what = "two builds have an id that begins with" if len(found) > 1 else "no build is remembered by the id"
        raise fail(
            "no-such-build", f"{what} `{name}`", hint="`mlbuild log` lists the builds",
            exit_code=ExitCode.COMMAND_LINE,
        )  # fmt: skip
    return build
