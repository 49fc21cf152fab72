"""A story in words: for a person, or as JSON for programs."""

from __future__ import annotations

from collections.abc import Iterator

from mlbuild.journal.entry import Header
from mlbuild.journal.lines import moment
from mlbuild.journal.reasons import few
from mlbuild.journal.story import Step, Told

MOST_CAUSES = 12
MOST_STEPS = 20
"""So many from the beginning of the chain, and as many from its end."""

_ENDS = {"cached": "changed, and its result was known already"}


def as_text(told: Told) -> Iterator[str]:
    """The page for a person."""
    actions = f"{told.actions} {'action' if told.actions == 1 else 'actions'}"
    words = " ".join((told.build.command, *told.build.patterns))
    yield f"{told.target}: {told.ran or 'none'} of {actions} ran in build {told.build.id} ({moment(told.build.began)}, {words})"
    if told.compared_with is not None:
        yield f"compared with build {told.compared_with.id} ({moment(told.compared_with.began)})"
    if not (told.changed or told.led_to or told.for_the_first_time):
        yield "everything that decides its outputs is as it was"
        return
    yield from ("", "what changed")
    for cause in told.changed[:MOST_CAUSES]:
        yield f"  {cause.what}"
        yield from (f"    {each}" for each in cause.details)
    if len(told.changed) > MOST_CAUSES:
        yield f"  … and {len(told.changed) - MOST_CAUSES} more"
    yield from ("", "what that led to")
    yield from _led_to(told)
    if told.did_not_run:
        yield from ("", "what did not run, because what it reads is as before")
        for name, times in told.did_not_run:
            yield f"  {name}" + (f" ({times} times)" if times > 1 else "")
    if told.not_concerned:
        are = "action is" if told.not_concerned == 1 else "actions are"
        yield from ("", f"{told.not_concerned} more {are} not concerned")


def _led_to(told: Told) -> Iterator[str]:
    if told.for_the_first_time:
        yield f"  for the first time: {few(told.for_the_first_time)}"
    left_out = len(told.led_to) - 2 * MOST_STEPS
    for number, step in enumerate(told.led_to):
        if left_out > 0 and MOST_STEPS <= number < MOST_STEPS + left_out:
            if number == MOST_STEPS:
                yield f"  … {left_out} more …"
            continue
        yield from _step(step)


def _step(step: Step) -> Iterator[str]:
    times = f" {len(step.parts)} times: {few(step.parts)}" if len(step.parts) > 1 else ""
    yield f"  {step.action} {_ENDS.get(step.how, step.how)}{times}"
    if step.because:
        yield f"    because {few(step.because)}"
    if step.how == "ran":
        yield (
            f"    made {few(step.made_anew)} anew"
            if step.made_anew
            else "    made the same bytes as before: the change ends here"
        )


def as_json(told: Told) -> str:
    """All of it, nothing cut."""
    import json

    return json.dumps(
        {
            "target": told.target,
            "actions": told.actions,
            "ran": told.ran,
            "build": _build(told.build),
            "compared_with": _build(told.compared_with) if told.compared_with is not None else None,
            "changed": [{"what": each.what, "details": each.details} for each in told.changed],
            "for_the_first_time": told.for_the_first_time,
            "led_to": [
                {
                    "action": each.action,
                    "how": each.how,
                    "parts": each.parts,
                    "because": each.because,
                    "made_anew": each.made_anew,
                }
                for each in told.led_to
            ],
            "did_not_run": [{"action": name, "times": times} for name, times in told.did_not_run],
            "not_concerned": told.not_concerned,
        },
        indent=2,
    )


def _build(header: Header) -> dict[str, object]:
    return {"id": header.id, "command": header.command, "patterns": header.patterns, "began": header.began}
