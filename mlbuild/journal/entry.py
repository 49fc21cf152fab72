"""A build as the journal has it: what every action was made of, and how it ended. Plain values, by path and digest."""

from __future__ import annotations

from mlbuild.records import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

Kept = tuple[str, str, int]
"""What an artifact was: `file`, `executable` or `tree`, then the digest's hash and size."""


@record
class Entry:
    """One action. `outputs[0]` tells which it is in every build; `inputs` and the contents of `mounts` are paths."""

    owner: str
    mnemonic: str
    how: str
    """As in `ActionFinished`; `mapped` for one that became the actions whose outputs lie below its own."""
    key: str
    seconds: float
    arguments: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    platform: tuple[tuple[str, str], ...] = ()
    mounts: tuple[tuple[str, str, bool], ...] = ()
    """Path in the input root, path of the artifact or target of the link, and whether it is an artifact."""
    timeout_seconds: int = 0
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.mnemonic} {self.owner}"

    @property
    def has_run(self) -> bool:
        return self.how in ("ran", "failed")


@record
class TargetEntry:
    """What a BUILD file said of a target: values are texts, numbers, and lists and dicts of them; labels are texts."""

    kind: str
    path: str
    line: int
    attributes: Mapping[str, object]


@record
class Header:
    """What is known of a build without what it was made of."""

    id: str
    command: str
    patterns: tuple[str, ...]
    began: float
    seconds: float
    exit_code: int
    ran: int
    cached: int
    failed: int
    skipped: int
    version: str
    defines: tuple[tuple[str, str], ...] = ()


@record
class Build:
    """`entries` by first output, in the order of the graph; `values` by path; `targets` by label."""

    header: Header
    entries: Mapping[str, Entry]
    values: Mapping[str, Kept]
    targets: Mapping[str, TargetEntry]
    levels: Mapping[str, tuple[str, ...]]
    """What the levels of a directory are called, for those whose rule says it."""


def from_plain(header: Header, body: Any) -> Build:
    """The build of what `written.plain_body` gave. Raises ValueError or TypeError for anything else."""
    entries, values, targets, levels = body
    made = [Entry(*each) for each in entries]
    return Build(
        header,
        {each.outputs[0]: each for each in made},
        values,
        {label: TargetEntry(*each) for label, each in targets.items()},
        levels,
    )
