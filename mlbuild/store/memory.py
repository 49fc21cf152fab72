"""Blobs and results in memory: for tests, and for what need not outlive a process."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import BinaryIO

from mlbuild.seams import BlobMissing, ContentStore
from mlbuild.store.completeness import Completeness
from mlbuild.terms import EMPTY, Digest, SpawnResult


class MemoryStore:
    """A `ContentStore` in a dictionary."""

    def __init__(self) -> None:
        self._blobs: dict[Digest, bytes] = {EMPTY: b""}

    def put(self, data: bytes) -> Digest:
        digest = Digest.of(data)
        self._blobs[digest] = data
        return digest

    def put_stream(self, source: BinaryIO) -> Digest:
        parts: list[bytes] = []
        while part := source.read(1 << 20):
            parts.append(part)
        return self.put(b"".join(parts))

    def get(self, digest: Digest) -> bytes:
        try:
            return self._blobs[digest]
        except KeyError:
            raise BlobMissing(digest) from None

    def open(self, digest: Digest) -> BinaryIO:
        return io.BytesIO(self.get(digest))

    def missing(self, digests: Iterable[Digest]) -> tuple[Digest, ...]:
        return tuple(digest for digest in dict.fromkeys(digests) if digest not in self._blobs)

    def flush(self) -> None:
        """Memory is as durable as it gets."""

    def lose(self, digest: Digest) -> None:
        """As a collection or a damaged disk would."""
        self._blobs.pop(digest, None)


class MemoryActionCache:
    """An `ActionCache` in a dictionary, beside a store; without one, whoever asks sees to the blobs."""

    def __init__(self, store: ContentStore | None = None) -> None:
        self._results: dict[Digest, SpawnResult] = {}
        self._completeness = None if store is None else Completeness(store)

    def lookup(self, key: Digest) -> SpawnResult | None:
        result = self._results.get(key)
        if result is None or self._completeness is None:
            return result
        # In memory looking is cheap, and tests take blobs away.
        self._completeness.forget()
        return result if self._completeness.is_complete(result) else None

    def record(self, key: Digest, result: SpawnResult) -> None:
        if not result.is_success:
            raise ValueError("failures are never remembered")
        self._results[key] = result
