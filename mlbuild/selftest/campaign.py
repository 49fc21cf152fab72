"""What a campaign is: one claim, tried again and again, each trial decided by its own number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import TYPE_CHECKING

from mlbuild.records import record

if TYPE_CHECKING:
    from mlbuild.selftest.stage import Stage


class Violation(Exception):
    """The claim does not hold; the message says what was seen instead."""


@record
class Size:
    """How many trials: in mlbuild's default tests (0: only in its slow ones), in a short run, in a long one; and a short run's time in seconds."""

    tiny: int
    short: int
    long: int
    seconds: float


@record
class Campaign:
    """`trial` raises Violation; the number that it gets decides all that is random in it, and it may measure something.

    `lacks` says what this machine does not have for it, if anything. `points`, for a claim about every point of
    something, counts them: then a trial's number is the point's.
    """

    name: str
    claim: str
    size: Size
    trial: Callable[[Stage, int], float | None]
    lacks: Callable[[], str | None] = lambda: None
    points: Callable[[Stage], int] | None = None
    measured: Callable[[Sequence[float]], str] | None = None
    """What was measured in all trials, in words."""

    def numbers(self, stage: Stage, count: int, seed: int) -> Iterable[int]:
        """The numbers of `count` trials: spread over all points, and shuffled, so that time that is up favours none."""
        if self.points is None:
            return range(seed, seed + count)
        points = self.points(stage)
        numbers = [(seed + each) % points for each in range(points)]
        if count < points:
            numbers = sorted({numbers[each * points // count] for each in range(count)})
        Random(seed).shuffle(numbers)
        return numbers


def seconds_of(what: str) -> Callable[[Sequence[float]], str]:
    """Durations in words: the middle one, that which one in a hundred exceeds, and the longest."""

    def told(measures: Sequence[float]) -> str:
        inorder = sorted(measures)
        middle, late = (inorder[min(len(inorder) - 1, int(len(inorder) * share))] for share in (0.5, 0.99))
        return f"{what}: {middle:.2f} s in the middle, {late:.2f} s at the 99th percentile, {inorder[-1]:.2f} s at most"

    return told


def sum_of(what: str) -> Callable[[Sequence[float]], str]:
    return lambda measures: f"{sum(measures):.0f} {what}"
