"""What is varied between two runs of one spawn, one idea each, and what to do where a result depends on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from mlbuild.records import record, replace
from mlbuild.terms import ORDINARY, Surroundings


@record
class Variation:
    """One way in which surroundings can be unlike. `noun` is what changes; `advice` what to do about it."""

    name: str
    noun: str
    advice: str
    vary: Callable[[Surroundings], Surroundings]


def _with(around: Surroundings, *settings: tuple[str, str]) -> Surroundings:
    return replace(around, environment=(*around.environment, *settings))


CLOCK = "clock"
FIVE_YEARS = 1826 * 24 * 3600

# Enough of them to move what lies on the stack, and one that is long.
_NOISE = (("ZZ_UNHEARD_OF", "x" * 3000), *((f"UNHEARD_OF_{number}", str(number)) for number in range(9)))

VARIATIONS: tuple[Variation, ...] = (
    Variation(
        "path",
        "the working path",
        "write paths relative to the working folder, or leave them out of what is written",
        lambda around: replace(around, work="/another-working-folder", inputs="/another-folder-of-inputs"),
    ),
    Variation(
        "host",
        "the host name",
        "leave the machine's name out of what is written",
        lambda around: replace(around, host="another-host"),
    ),
    Variation(
        "user",
        "the user's name and number",
        "leave the user out of what is written; in archives, set owners to 0",
        lambda around: replace(around, user="somebody", user_number=4321, group_number=4322),
    ),
    Variation(
        CLOCK,
        "the clock",
        "leave times out of what is written, or take those of the data; in archives, set them to a fixed date",
        lambda around: replace(around, seconds_later=FIVE_YEARS),
    ),
    Variation(
        "time_zone",
        "the time zone",
        "work in UTC, and name it: `tz=timezone.utc`",
        lambda around: _with(around, ("TZ", "ELSE-11:30")),
    ),
    Variation(
        "locale",
        "the locale",
        "name the encoding and the order of text yourself, or set `LC_ALL` in the action's `env`",
        lambda around: _with(around, ("LANG", "C.UTF-8"), ("LC_ALL", "C.UTF-8")),
    ),
    Variation(
        "umask",
        "the umask",
        "set the modes of what is written into archives yourself",
        lambda around: replace(around, umask=0o027),
    ),
    Variation(
        "order",
        "the order of folder listings",
        "sort what a folder lists: `sorted(os.listdir(...))`, `sorted(path.glob(...))`",
        lambda around: replace(around, is_reversed=True),
    ),
    Variation(
        "processors",
        "the number of processors",
        "take the number of threads from the target (`cpus`), never from the machine",
        lambda around: replace(around, processors=1 if around.processors != 1 else 3),
    ),
    Variation(
        "environment",
        "environment variables that nobody declared",
        "read the variables that the action declares, by name",
        lambda around: _with(around, *_NOISE),
    ),
)


def unlike(variations: Iterable[Variation], processors: int, start: Surroundings = ORDINARY) -> Surroundings:
    """Surroundings that differ in all of these from those at the start, on a machine with so many processors."""
    around = replace(start, processors=processors)
    for variation in variations:
        around = variation.vary(around)
    return around if around.processors != processors else replace(around, processors=None)
