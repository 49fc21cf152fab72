"""What can be held still, to find out why a result differs from run to run in the same surroundings."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from mlbuild.records import record, replace
from mlbuild.terms import ORDINARY, Surroundings


@record
class Hold:
    """One thing that passes or is drawn by itself. `noun` is what it is; `advice` what to do where a result depends on it."""

    name: str
    noun: str
    advice: str
    hold: Callable[[Surroundings], Surroundings]


HOLDS: tuple[Hold, ...] = (
    Hold(
        "randomness",
        "random numbers without a seed",
        "give every generator the target's seed, and make names without `uuid4`, `tempfile` or `os.urandom`",
        lambda around: replace(around, has_held_randomness=True),
    ),
    Hold(
        "time",
        "the time of day",
        "leave times out of what is written, or write those of the data; in archives, set them to a fixed date",
        lambda around: replace(around, has_held_clock=True),
    ),
    Hold(
        "addresses",
        "addresses in memory",
        "leave `id()`, `hash()` of objects and default `repr()` out of what is written or sorted by",
        lambda around: replace(around, has_fixed_addresses=True),
    ),
    Hold(
        "threads",
        "the order in which threads come to their end",
        "put together what threads make in a fixed order, not as it comes",
        lambda around: replace(around, processors=1),
    ),
    Hold(
        "hash_seed",
        "the seed of hashes",
        "sort what comes out of a set before it is written; rules that run Python set `PYTHONHASHSEED`",
        lambda around: replace(around, environment=(*around.environment, ("PYTHONHASHSEED", "0"))),
    ),
)
"""In the order in which they are let go: held randomness also holds the seed of hashes, and not the other way round."""


def held(holds: Iterable[Hold]) -> Surroundings:
    """The ordinary surroundings with these held still."""
    around = ORDINARY
    for each in holds:
        around = each.hold(around)
    return around
