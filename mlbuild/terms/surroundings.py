"""What must not matter to a spawn: where it runs, on what, as whom, when. Everything here is outside its key."""

from __future__ import annotations

from mlbuild.records import record


@record
class Surroundings:
    """The ordinary ones, if nothing is said, are those of every build. A result must be the same in all of them.

    `processors` is how many the spawn is shown and may use; nothing means those of the machine. `environment` is added
    to what the spawn declares, and never takes the place of it. `is_reversed` lists folders in another order. A held clock tells
    the same times in each run, held randomness the same random bytes: with them it is found out what a result depends on.
    """

    work: str = "/work"
    inputs: str = "/inputs"
    host: str = "sandbox"
    user: str = "builder"
    user_number: int = 1000
    group_number: int = 1000
    umask: int = 0o022
    processors: int | None = None
    has_fixed_addresses: bool = False
    is_reversed: bool = False
    environment: tuple[tuple[str, str], ...] = ()
    seconds_later: int = 0
    has_held_clock: bool = False
    has_held_randomness: bool = False


ORDINARY = Surroundings()
