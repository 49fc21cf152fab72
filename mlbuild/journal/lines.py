"""The journal's builds as lines of text."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from mlbuild.journal.entry import Build, Header

ENDS = {0: "ok", 1: "failed", 3: "tests failed", 8: "interrupted"}


def build_lines(headers: Iterable[Header], again: Iterable[tuple[float, float, str]]) -> Iterator[str]:
    """Every build, oldest first: id, when, how it ended, seconds, what it did, and its words."""
    rows = [(each.began, each.id, _end(each), each.seconds, _counts(each), " ".join((each.command, *each.patterns)))
            for each in headers]  # fmt: skip
    rows += [(began, "-" * 8, "ok", seconds, "nothing to do", words) for began, seconds, words in again]
    for began, name, end, seconds, counts, words in sorted(rows):
        yield f"{name}  {moment(began)}  {seconds:8.1f}s  {end:<12}  {counts:<28}  {words}".rstrip()


def action_lines(build: Build) -> Iterator[str]:
    """The build, then what it ran, in the order of the graph."""
    header = build.header
    yield f"build {header.id}, {moment(header.began)}: mlbuild {' '.join((header.command, *header.patterns))}"
    yield f"{_end(header)} after {header.seconds:.1f}s: {_counts(header)}"
    for entry in build.entries.values():
        if entry.has_run:
            yield f"  {entry.seconds:8.1f}s  {entry.how:<6}  {entry.name}  {entry.outputs[0]}"


def moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def _end(header: Header) -> str:
    return ENDS.get(header.exit_code, f"code {header.exit_code}")


def _counts(header: Header) -> str:
    parts = [f"{header.ran} ran", f"{header.cached} cached"]
    parts += [f"{number} {what}" for number, what in ((header.failed, "failed"), (header.skipped, "skipped")) if number]
    return ", ".join(parts)
