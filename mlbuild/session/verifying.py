"""`mlbuild verify`: the walk of a build with a runner that runs everything twice, and its report."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from mlbuild.diagnostics import ExitCode, did_you_mean, fail
from mlbuild.journal.entry import Header, from_plain
from mlbuild.journal.folder import Journal
from mlbuild.journal.written import plain_body
from mlbuild.records import replace
from mlbuild.sandbox import LinuxRunner
from mlbuild.seams import BlobMissing, ContentStore
from mlbuild.session import results
from mlbuild.session.journaling import named_build
from mlbuild.session.session import journal_folder
from mlbuild.terms import Action, FileValue, inputs_of
from mlbuild.verify import VARIATIONS, Finding, Reproduction, Variation, Verdict
from mlbuild.verify.between import between
from mlbuild.verify.report import Past, Verification, as_json, as_text
from mlbuild.verify.suspects import LARGEST_SOURCE, Suspect, suspects

if TYPE_CHECKING:
    from mlbuild.config import BuildRequest
    from mlbuild.execution import Outcome
    from mlbuild.journal.entry import Build
    from mlbuild.session.rooms import Rooms
    from mlbuild.terms import ActionGraph


def verify(request: BuildRequest, rooms: Rooms, graph: ActionGraph) -> tuple[tuple[str, ...], ExitCode, Outcome]:
    """The report, what the command ends with, and what came of the actions. Raises UserError."""
    variations = chosen(request.verifying.vary)
    named = request.past.against
    build = named_build(Journal(journal_folder(request)), named) if named else None
    unvaried: tuple[tuple[str, str], ...] = ()
    for name, why in _impossible(rooms):
        if any(each.name == name for each in variations):
            variations = tuple(each for each in variations if each.name != name)
            unvaried += ((name, why),)
    wanted = tuple(results.wanted_artifacts(graph.targets, False))
    outcome, reproduction = rooms.until_whole(lambda: rooms.reproduce(graph, wanted, variations))
    verification = Verification(
        tuple(target.label for target in graph.targets), verdicts(outcome, reproduction, rooms.store), reproduction.compared,
        reproduction.runs, outcome.counts.failed, tuple(each.name for each in variations), unvaried,
    )  # fmt: skip
    past = None if build is None else _against(build, rooms, outcome)
    verification = replace(verification, past=past)
    if outcome.counts.failed:
        code = ExitCode.BUILD_FAILED
    else:
        code = (
            ExitCode.TESTS_FAILED
            if verification.verdicts or (past is not None and past.differing)
            else ExitCode.SUCCESS
        )
    lines = as_json(verification) if request.verifying.output == "json" else as_text(verification)
    return tuple(lines), code, outcome


def _against(build: Build, rooms: Rooms, outcome: Outcome) -> Past:
    """What was made now beside what a remembered build had made."""
    header = Header("", "verify", (), 0.0, 0.0, 0, 0, 0, 0, 0, "")
    body = plain_body(outcome.actions, outcome.ends, outcome.values, rooms.loader.entry)
    return Past(build.header.id, between(build, from_plain(header, body), rooms.store.get))


def chosen(names: tuple[str, ...]) -> tuple[Variation, ...]:
    """The variations that are named, or all. Raises UserError."""
    known = {each.name: each for each in VARIATIONS}
    for name in names:
        if name not in known:
            close = did_you_mean(name, known)
            raise fail(
                "no-such-variation", f"`--vary`: nothing that can be varied has the name `{name}`",
                hint=f"did you mean `{close}`?" if close else f"there are {', '.join(known)}",
                exit_code=ExitCode.COMMAND_LINE,
            )  # fmt: skip
    return tuple(each for each in VARIATIONS if not names or each.name in names)


def verdicts(outcome: Outcome, reproduction: Reproduction, store: ContentStore) -> tuple[Verdict, ...]:
    """The findings with their actions, in the order of the graph."""
    numbers = {end[1]: number for number, end in sorted(outcome.ends.items(), reverse=True) if end[1]}
    found = sorted(
        ((numbers[each.key.hash], each) for each in reproduction.findings if each.key.hash in numbers),
        key=lambda pair: pair[0],
    )
    return tuple(
        Verdict(
            outcome.actions[number].owner,
            outcome.actions[number].mnemonic,
            getattr(outcome.actions[number], "progress_message", ""),
            finding,
            _suspects(outcome.actions[number], finding, outcome, store),
        )
        for number, finding in found
    )


def _impossible(rooms: Rooms) -> Iterator[tuple[str, str]]:
    """What this machine cannot vary, and why."""
    assert isinstance(rooms.runner, LinuxRunner)
    if not rooms.runner.can_reverse:
        yield "order", "this machine has no file system of memory with room at `/dev/shm`"
    if not rooms.runner.can_vary_time:
        yield "clock", "that takes machine code, which there is for x86-64 alone"


def _suspects(action: Action, finding: Finding, outcome: Outcome, store: ContentStore) -> tuple[Suspect, ...]:
    """The lines of the action's own sources that look like the cause."""
    texts: list[tuple[str, str]] = []
    for artifact in sorted(inputs_of(action)):
        value = outcome.values.get(artifact)
        own = artifact.is_source and not artifact.path.startswith("external/")
        if own and isinstance(value, FileValue) and value.digest.size <= LARGEST_SOURCE:
            with suppress(BlobMissing):
                texts.append((artifact.path, store.get(value.digest).decode("utf-8", "replace")))
    return suspects(finding.causes, texts)
