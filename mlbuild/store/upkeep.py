"""What looks after a cache, beside any number of builds: counts, checks, repairs and collects it."""

from mlbuild.store.collecting import Collected, collect, last_collection
from mlbuild.store.survey import amounts
from mlbuild.store.verifying import Repaired, Verified, repair, verify

__all__ = ["Collected", "Repaired", "Verified", "amounts", "collect", "last_collection", "repair", "verify"]
