"""`mlbuild diff`: two builds of the journal, and the store. Reads only, so it needs no lock."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from mlbuild.diagnostics import ExitCode, fail
from mlbuild.journal.folder import Journal
from mlbuild.journal.lines import moment
from mlbuild.session.journaling import named_build
from mlbuild.session.session import journal_folder
from mlbuild.store import DiskStore
from mlbuild.terms.event import Warned
from mlbuild.verify.between import between, lines, plain

if TYPE_CHECKING:
    from mlbuild.config import BuildRequest
    from mlbuild.journal.entry import Build
    from mlbuild.seams import EventSink


def compare(request: BuildRequest, sink: EventSink) -> tuple[str, ...]:
    """How the second build that the request names is unlike the first. Raises UserError."""
    if len(request.words) != 2:
        raise fail(
            "two-builds", f"`mlbuild diff` takes two builds, not {len(request.words)}",
            hint="`mlbuild log` lists the builds with their ids: `mlbuild diff 1a2b 3c4d`",
            exit_code=ExitCode.COMMAND_LINE,
        )  # fmt: skip
    journal = Journal(journal_folder(request))
    one, other = (named_build(journal, name) for name in request.words)
    store = DiskStore(request.cache_folder, lambda diagnostic: sink.emit(Warned(diagnostic)))
    try:
        found = between(one, other, store.get)
    finally:
        store.close()
    if request.verifying.output == "json":
        return (json.dumps(plain(found, (one.header.id, other.header.id)), indent=2, sort_keys=True),)
    return tuple(lines(found, (_title(one), _title(other))))


def _title(build: Build) -> str:
    header = build.header
    return f"build {header.id} ({moment(header.began)}, {' '.join((header.command, *header.patterns))})"
