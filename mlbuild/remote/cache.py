"""Results from a remote cache behind the local one. A hit is believed when all its blobs are here, hashed by us, or when they
are promised: then their bytes are hashed before anybody sees them.
"""

from __future__ import annotations

from mlbuild.records import replace
from mlbuild.remote.backend import Backend, Blobs
from mlbuild.remote.blobs import RemoteBlobs
from mlbuild.remote.claims import Claim, opened
from mlbuild.remote.lazy import Promises
from mlbuild.remote.trees import unpacked
from mlbuild.remote.trouble import Patience, RemoteError
from mlbuild.seams import ActionCache, BlobMissing
from mlbuild.terms import Digest, FileValue, SpawnResult, TreeValue


class RemoteActionCache:
    """An `ActionCache`: the local one first, then the remote one. It records in the local one only."""

    def __init__(
        self,
        local: ActionCache,
        store: Blobs,
        backend: Backend,
        blobs: RemoteBlobs,
        patience: Patience,
        promises: Promises | None = None,
    ) -> None:
        """With `promises`, files stay with the remote cache until somebody needs them."""
        self._local = local
        self._store = store
        self._backend = backend
        self._blobs = blobs
        self._patience = patience
        self._promises = promises
        self._brought_whole: dict[Digest, SpawnResult] = {}

    def lookup(self, key: Digest) -> SpawnResult | None:
        found = self._local.lookup(key)
        if found is not None or not self._patience.reads:
            return found
        try:
            data = self._patience.read(lambda: self._result(key))
        except RemoteError:
            return None
        if data is None:
            return None
        is_lazy = self._promises is not None and self._promises.are_kept
        try:
            result = self._brought(opened(key, data), is_lazy)
        except ValueError as error:
            self._patience.got_wrong(f"a result that cannot be right ({error})")
            return None
        if result is None:
            return None
        if not is_lazy:
            self._brought_whole[key] = result
        return replace(result, is_from_remote=True)

    def record(self, key: Digest, result: SpawnResult) -> None:
        self._local.record(key, result)

    def settle(self) -> None:
        """Remembers here what was brought: all at once, since to make blobs durable takes longer than to bring them."""
        while self._brought_whole:
            key, result = self._brought_whole.popitem()
            self._local.record(key, result)

    def _result(self, key: Digest) -> bytes | None:
        self._backend.open()
        return self._backend.result(key)

    def _brought(self, claim: Claim, is_lazy: bool) -> SpawnResult | None:
        """The result, with all that it names in the local store or promised. Nothing, where something cannot be had."""
        trees = dict(claim.trees)
        files = (*(value.digest for _, value in claim.files), claim.stdout, claim.stderr)
        if self._blobs.bring((*trees.values(), *(() if is_lazy else files))):
            return None
        values: list[tuple[str, FileValue | TreeValue]] = [*claim.files]
        inside: dict[Digest, None] = {}
        for path, digest in trees.items():
            try:
                root, messages, below = unpacked(self._store.get(digest))
            except BlobMissing:
                return None
            for message in messages.values():
                self._store.put(message)
            inside |= dict.fromkeys(below)
            values.append((path, TreeValue(root)))
        if is_lazy and self._promises is not None:
            self._promises.add((*files, *inside))
        elif self._blobs.bring(inside):
            return None
        return SpawnResult(
            0,
            tuple(sorted(values, key=lambda value: value[0])),
            claim.stdout,
            claim.stderr,
            runner=claim.runner,
            wall_seconds=claim.wall_seconds,
        )
