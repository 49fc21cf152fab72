"""What a verification has found, as values."""

from __future__ import annotations

from typing import Literal

from mlbuild.records import record
from mlbuild.terms import Digest, Label
from mlbuild.verify.comparison import Difference
from mlbuild.verify.suspects import Suspect

Kind = Literal["by-itself", "surroundings", "together", "unstable", "cached"]
"""Why results differ: whenever it runs; because of one or more variations, each alone; because of several together; now and
then; or only from what a cache has had for it."""


@record
class Finding:
    """A spawn whose results are not always the same. `causes` are names of variations, or of what had to be held still.

    `failure` says how it failed in unlike surroundings, if that is how it differs. `runs` is how often it was run.
    """

    key: Digest
    differences: tuple[Difference, ...]
    kind: Kind
    causes: tuple[str, ...] = ()
    failure: str | None = None
    runs: int = 2


@record
class Verdict:
    """A finding, and whose action it is of."""

    owner: Label
    mnemonic: str
    description: str
    finding: Finding
    suspects: tuple[Suspect, ...] = ()
