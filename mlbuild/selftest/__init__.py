"""mlbuild against faults: random builds, kills, damage, a disk that refuses, edits in between; counted and told.

Comes in: which campaigns, how long, a seed. Goes out: a figure for each, with every violation and the seed that shows
it again. Never: a figure for what was not run; a lasting change outside of a temporary folder.
"""

from __future__ import annotations

from mlbuild.selftest.campaign import Campaign

__all__ = ["Campaign", "campaigns"]


def campaigns() -> tuple[Campaign, ...]:
    """All of them, in the order in which they are run."""
    from mlbuild.selftest import (
        bad_input,
        collection_races,
        edits_meanwhile,
        flips,
        guided,
        kills,
        power,
        random_builds,
        refusals,
        together,
    )

    return (
        random_builds.CAMPAIGN,
        *kills.CAMPAIGNS,
        *refusals.CAMPAIGNS,
        *flips.CAMPAIGNS,
        edits_meanwhile.CAMPAIGN,
        together.CAMPAIGN,
        collection_races.CAMPAIGN,
        power.CAMPAIGN,
        bad_input.CAMPAIGN,
        guided.CAMPAIGN,
    )
