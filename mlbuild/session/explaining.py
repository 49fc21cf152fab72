"""`mlbuild why`: the journal and the store, joined. Reads only, so it needs no lock."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

import mlbuild
from mlbuild.diagnostics import Diagnostic, ExitCode, UserError, did_you_mean, fail
from mlbuild.journal.entry import Header, from_plain
from mlbuild.journal.folder import Journal
from mlbuild.journal.graph import Makers
from mlbuild.journal.past import Past
from mlbuild.journal.story import Story
from mlbuild.journal.telling import as_json, as_text
from mlbuild.journal.written import End, plain_body
from mlbuild.seams import BlobMissing
from mlbuild.session.journaling import named_build
from mlbuild.session.session import journal_folder
from mlbuild.store import DiskStore
from mlbuild.terms import Action, Artifact, BadLabel, Digest, FileValue, Label, TreeValue
from mlbuild.terms.event import Warned

if TYPE_CHECKING:
    from mlbuild.config import BuildRequest
    from mlbuild.journal.contents import Read
    from mlbuild.journal.entry import Build
    from mlbuild.seams import ContentStore, EventSink


def explain(request: BuildRequest, sink: EventSink) -> tuple[str, ...]:
    """The story of the request's target. Raises UserError."""
    label = _label(request)
    journal = Journal(journal_folder(request))
    build, earlier = _builds(request, journal, label)
    store = DiskStore(request.cache_folder, lambda diagnostic: sink.emit(Warned(diagnostic)))
    try:
        told = Story(build, Past(earlier), reader(store)).of(label)
    finally:
        store.close()
    if told is None:
        raise _no_actions(build, label)
    return tuple(as_json(told).splitlines() if request.verifying.output == "json" else as_text(told))


Explain = Callable[[Action, End, Mapping[Artifact, FileValue | TreeValue]], None]


class Explainer:
    """Says of each action that has run why, while the build goes on: compared with the builds before this one."""

    def __init__(
        self, request: BuildRequest, store: ContentStore, target_of: Callable[[Label], object], sink: EventSink
    ) -> None:
        self._sink = sink
        self._read = reader(store)
        self._past = Past(Journal(journal_folder(request)).builds())
        self._target_of = target_of

    def __call__(self, action: Action, end: End, values: Mapping[Artifact, FileValue | TreeValue]) -> None:
        now = Header("", "build", (), 0.0, 0.0, 0, 0, 0, 0, 0, mlbuild.__version__)
        build = from_plain(now, plain_body({0: action}, {0: end}, values, self._target_of))
        for name, entry in build.entries.items():
            words = Story(build, self._past, self._read).in_short(name)
            self._sink.emit(Warned(Diagnostic("note", f"{entry.name} {entry.how}: {words}"), "info"))


def reader(store: ContentStore) -> Read:
    """What the store still has."""

    def read(digest: Digest) -> bytes | None:
        try:
            return store.get(digest)
        except (BlobMissing, OSError):
            return None

    return read


def _label(request: BuildRequest) -> str:
    if len(request.words) != 1:
        raise fail(
            "one-target", f"`mlbuild why` takes one target, not {len(request.words)}",
            hint="for example `mlbuild why //models:ranker`", exit_code=ExitCode.COMMAND_LINE,
        )  # fmt: skip
    try:
        return Label.parse(request.words[0], package=request.package).short
    except BadLabel as error:
        raise fail("bad-label", str(error), hint="for example `mlbuild why //models:ranker`",
                   exit_code=ExitCode.COMMAND_LINE) from None  # fmt: skip


def _builds(request: BuildRequest, journal: Journal, label: str) -> tuple[Build, Iterator[Build]]:
    """The build that is asked about, and those before it."""
    if wanted := request.past.build:
        build = named_build(journal, wanted)
        _check_there(build, label)
        earlier = journal.builds()
        for each in earlier:
            if each.header.id == build.header.id:
                break
    else:
        build, earlier = _last_that_ran(journal, label)
    if other := request.past.against:
        return build, iter((named_build(journal, other),))
    return build, earlier


def _last_that_ran(journal: Journal, label: str) -> tuple[Build, Iterator[Build]]:
    """The last build that ran an action of the target, or of what it needs; else the last that had the target.

    With it the builds before.
    """
    last: int | None = None
    seen: list[Build] = []
    every = journal.builds()
    for build in every:
        seen.append(build)
        own = [name for name, entry in build.entries.items() if entry.owner == label]
        ran = build.header.ran or build.header.failed
        if ran and any(entry.has_run for entry in Makers(build).closure(own)):
            return build, every
        if own and last is None:
            last = len(seen) - 1
    if not seen:
        raise fail("nothing-built", "no build of this workspace is remembered",
                   hint=f"build it first: `mlbuild build {label}`", exit_code=ExitCode.COMMAND_LINE)  # fmt: skip
    if last is None:
        raise _no_actions(seen[0], label)
    return seen[last], iter(seen[last + 1 :])


def _check_there(build: Build, label: str) -> None:
    if all(entry.owner != label for entry in build.entries.values()):
        raise _no_actions(build, label)


def _no_actions(build: Build, label: str) -> UserError:
    close = did_you_mean(label, {entry.owner for entry in build.entries.values()})
    return fail(
        "no-actions", f"build {build.header.id} had no action of `{label}`",
        hint=f"did you mean `{close}`?" if close else f"build it: `mlbuild build {label}`",
        exit_code=ExitCode.COMMAND_LINE,
    )  # fmt: skip
