"""Two stores as one: what is missing in the first is looked for in the second, which is never written."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Protocol

from mlbuild.seams import ActionCache, BlobMissing, ContentStore
from mlbuild.terms import Digest, SpawnResult


class LayeredStore:
    """A `ContentStore` that keeps in `upper` what neither has; for a cache that may be read and not written."""

    def __init__(self, upper: ContentStore, lower: ContentStore) -> None:
        self._upper = upper
        self._lower = lower

    def put(self, data: bytes) -> Digest:
        return self._upper.put(data)

    def put_stream(self, source: BinaryIO) -> Digest:
        return self._upper.put_stream(source)

    def get(self, digest: Digest) -> bytes:
        try:
            return self._upper.get(digest)
        except BlobMissing:
            return self._lower.get(digest)

    def open(self, digest: Digest) -> BinaryIO:
        try:
            return self._upper.open(digest)
        except BlobMissing:
            return self._lower.open(digest)

    def missing(self, digests: Iterable[Digest]) -> tuple[Digest, ...]:
        return self._lower.missing(self._upper.missing(digests))

    def flush(self) -> None:
        self._upper.flush()


class BlobFiles(ContentStore, Protocol):
    """A store whose blobs are files."""

    def path_of(self, digest: Digest) -> Path: ...


class LayeredFiles(LayeredStore):
    """The same of two stores whose blobs are files."""

    def __init__(self, upper: BlobFiles, lower: BlobFiles) -> None:
        super().__init__(upper, lower)
        self._upper_files = upper
        self._lower_files = lower

    def path_of(self, digest: Digest) -> Path:
        """The blob's file, checked: to be linked or copied, never to be written. Raises BlobMissing."""
        try:
            return self._upper_files.path_of(digest)
        except BlobMissing:
            return self._lower_files.path_of(digest)


class LayeredActionCache:
    """An `ActionCache` that records in `upper` only."""

    def __init__(self, upper: ActionCache, lower: ActionCache) -> None:
        self._upper = upper
        self._lower = lower

    def lookup(self, key: Digest) -> SpawnResult | None:
        found = self._upper.lookup(key)
        return self._lower.lookup(key) if found is None else found

    def record(self, key: Digest, result: SpawnResult) -> None:
        self._upper.record(key, result)
