"""A verification in words: one page, or JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator

from mlbuild.records import record
from mlbuild.terms import Label
from mlbuild.verify.between import ActionChange, Between
from mlbuild.verify.findings import Finding, Verdict
from mlbuild.verify.holds import HOLDS, Hold
from mlbuild.verify.variations import VARIATIONS, Variation

MOST_FILES = 5
"""Files told of one action."""

_KNOWN: dict[str, Variation | Hold] = {each.name: each for each in VARIATIONS}
_KNOWN |= {each.name: each for each in HOLDS}


@record
class Past:
    """A remembered build, and how what was made now is unlike what it had made."""

    build: str
    found: Between

    @property
    def differing(self) -> tuple[ActionChange, ...]:
        """What was made of the same inputs, and is not the same."""
        return tuple(each for each in self.found.actions if each.has_equal_inputs)


@record
class Verification:
    """What was verified, and what came of it. `unvaried` has what this machine cannot vary, each with the reason."""

    targets: tuple[Label, ...]
    verdicts: tuple[Verdict, ...]
    compared: int
    runs: int
    failed: int
    varied: tuple[str, ...]
    unvaried: tuple[tuple[str, str], ...] = ()
    past: Past | None = None


def as_text(verification: Verification) -> Iterator[str]:
    """The page for a person."""
    differing = len(verification.verdicts)
    actions = _count(verification.compared, "action")
    if verification.compared == 0:
        yield "no action to verify: what was asked for needs none, or none of them came to its end"
    elif differing == 0:
        yield f"identical: {actions}, each run in unlike surroundings, gave the same bytes"
    else:
        yield f"{differing} of {actions} did not always give the same bytes"
    for verdict in verification.verdicts:
        yield ""
        yield from _of_action(verdict)
    if verification.past is not None:
        yield ""
        yield from _of_past(verification.past)
    yield ""
    if verification.failed:
        yield f"not verified: {_count(verification.failed, 'action')} failed, and what needs them"
    yield f"varied: {', '.join(_KNOWN[name].noun for name in verification.varied)}"
    for name, why in verification.unvaried:
        yield f"not varied: {_KNOWN[name].noun}: {why}"


def _of_past(past: Past) -> Iterator[str]:
    differing, moved = past.differing, len(past.found.actions) - len(past.differing)
    same = past.found.same
    yield f"against build {past.build}: {'1 output is' if same == 1 else f'{same} outputs are'} the same"
    if moved:
        yield f"  {_count(moved, 'action')} had other inputs then: `mlbuild why` and `mlbuild diff` tell which"
    for action in differing:
        yield f"  {action.mnemonic} {action.owner} made something else of the same inputs"
        for difference in action.differences[:MOST_FILES]:
            yield f"    `{difference.path}`"
            yield from (f"      {line}" for line in difference.how)


def _of_action(verdict: Verdict) -> Iterator[str]:
    finding = verdict.finding
    yield f"{verdict.mnemonic} {verdict.owner.short}"
    yield f"  {cause(finding)}"
    if finding.failure is not None:
        yield f"  where it differs, it fails: {finding.failure}"
    for difference in finding.differences[:MOST_FILES]:
        yield f"  `{difference.path}`"
        for line in difference.how:
            yield f"    {line}"
    if (more := len(finding.differences) - MOST_FILES) > 0:
        yield f"  … and {_count(more, 'file')} more"
    for suspect in verdict.suspects:
        yield f"  {suspect.path}:{suspect.line}: `{suspect.text}`"
    for line in advice(finding):
        yield f"  hint: {line}"


def cause(finding: Finding) -> str:
    """Because of what it differs, in a clause."""
    nouns = [_KNOWN[name].noun for name in finding.causes if name in _KNOWN]
    match finding.kind:
        case "surroundings" if len(nouns) == 1:
            return f"differs only when {nouns[0]} changes"
        case "surroundings":
            return f"differs when any of these changes: {', '.join(nouns)}"
        case "together":
            return f"differs only when these change together: {', '.join(nouns)}"
        case "by-itself" if nouns:
            return f"differs from run to run, in the same surroundings too: because of {' and '.join(nouns)}"
        case "by-itself":
            return "differs from run to run, in the same surroundings too"
        case "unstable":
            return f"differed once in {_count(finding.runs, 'run')}: chance, or the order in which threads came"
        case "cached":
            return "gives the same bytes now, but the cache has others for it: something that is not in its key has changed"


def advice(finding: Finding) -> tuple[str, ...]:
    """What to do about it, a line each."""
    if finding.kind in ("by-itself", "unstable") and not finding.causes:
        return (
            "look for threads whose results are taken as they come, and for memory that is read before it is written",
        )
    if finding.kind == "cached":
        return ("keep that cache folder if you want to know more; `--disk_cache` names a new one",)
    return tuple(_KNOWN[name].advice for name in finding.causes if name in _KNOWN)


def as_json(verification: Verification) -> Iterator[str]:
    """The same for programs: one object, sorted."""
    yield json.dumps(
        {
            "targets": [label.short for label in verification.targets],
            "compared": verification.compared,
            "runs": verification.runs,
            "failed": verification.failed,
            "identical": not verification.verdicts and not verification.failed,
            "against": _plain_past(verification.past),
            "varied": list(verification.varied),
            "unvaried": dict(verification.unvaried),
            "findings": [_plain(each) for each in verification.verdicts],
        },
        indent=2,
        sort_keys=True,
    )


def _plain(verdict: Verdict) -> dict[str, object]:
    finding = verdict.finding
    return {
        "target": verdict.owner.short,
        "mnemonic": verdict.mnemonic,
        "key": finding.key.hash,
        "kind": finding.kind,
        "causes": list(finding.causes),
        "failure": finding.failure,
        "runs": finding.runs,
        "advice": list(advice(finding)),
        "suspects": [{"path": each.path, "line": each.line, "text": each.text} for each in verdict.suspects],
        "differences": [{"path": each.path, "how": list(each.how)} for each in finding.differences],
    }


def _plain_past(past: Past | None) -> dict[str, object] | None:
    if past is None:
        return None
    return {
        "build": past.build,
        "same_outputs": past.found.same,
        "differing": [
            {
                "target": each.owner,
                "mnemonic": each.mnemonic,
                "differences": [{"path": inner.path, "how": list(inner.how)} for inner in each.differences],
            }
            for each in past.differing
        ],
    }


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
