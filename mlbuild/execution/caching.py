"""A runner that runs a spawn only if nobody has run it before."""

from __future__ import annotations

from mlbuild.execution.key import action_key
from mlbuild.records import replace
from mlbuild.seams import ActionCache, SpawnRunner
from mlbuild.terms import Digest, Spawn, SpawnResult, TreeValue


class CachingRunner:
    """Answers from the cache, else runs and remembers a success (a failure is never remembered)."""

    def __init__(self, cache: ActionCache, inner: SpawnRunner, salt: bytes = b"") -> None:
        self._cache = cache
        self._inner = inner
        self._salt = salt

    def lookup(self, spawn: Spawn) -> tuple[Digest, SpawnResult | None]:
        """The key, and what the cache has under it."""
        key = action_key(replace(spawn, salt=self._salt) if self._salt else spawn)
        remembered = self._cache.lookup(key)
        if remembered is None or not answers(spawn, remembered):
            return key, None
        return key, replace(remembered, is_from_cache=True)

    def run_and_record(self, spawn: Spawn, key: Digest) -> SpawnResult:
        """Runs it now, whatever the cache has."""
        result = self._inner.run(spawn)
        if result.is_success:
            self._cache.record(key, result)
        return result

    def run(self, spawn: Spawn) -> SpawnResult:
        key, remembered = self.lookup(spawn)
        return self.run_and_record(spawn, key) if remembered is None else remembered


def answers(spawn: Spawn, result: SpawnResult) -> bool:
    """Whether the result has the very outputs that the spawn declares, each of its kind. A cache may hold anything."""
    kinds = {path: path in spawn.output_directories for path in spawn.output_paths}
    return result.is_success and {path: isinstance(value, TreeValue) for path, value in result.outputs} == kinds
