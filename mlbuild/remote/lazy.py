"""A store whose blobs may still be with the remote cache: each is brought when somebody needs its bytes, and not before.

What a hit names is promised. A promise that the remote cache does not keep is a missing blob: the build looks again, and
from then on believes no promise, so that one more pass finds everything.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Protocol

from mlbuild.reapi import decode_directory
from mlbuild.remote.blobs import RemoteBlobs
from mlbuild.seams import BlobMissing, ContentStore, SpawnRunner
from mlbuild.terms import Digest, FileValue, Spawn, SpawnResult, TreeValue


class BlobFiles(ContentStore, Protocol):
    """A store whose blobs are files."""

    def path_of(self, digest: Digest) -> Path: ...


class Promises:
    """The blobs that the remote cache has said to have, and that were not needed here yet."""

    def __init__(self) -> None:
        self._digests: set[Digest] = set()
        self.are_kept = True

    def __contains__(self, digest: Digest) -> bool:
        return digest in self._digests

    @property
    def are_there(self) -> bool:
        return bool(self._digests)

    def add(self, digests: Iterable[Digest]) -> None:
        self._digests.update(digests)

    def break_off(self) -> None:
        """One was not kept: none is believed any more."""
        self.are_kept = False
        self._digests = set()


class LazyStore:
    """The local store, and behind it what is promised."""

    def __init__(self, local: BlobFiles, blobs: RemoteBlobs, promises: Promises) -> None:
        self._local = local
        self._blobs = blobs
        self._promises = promises

    def put(self, data: bytes) -> Digest:
        return self._local.put(data)

    def put_stream(self, source: BinaryIO) -> Digest:
        return self._local.put_stream(source)

    def get(self, digest: Digest) -> bytes:
        try:
            return self._local.get(digest)
        except BlobMissing:
            self._bring_one(digest)
            return self._local.get(digest)

    def open(self, digest: Digest) -> BinaryIO:
        try:
            return self._local.open(digest)
        except BlobMissing:
            self._bring_one(digest)
            return self._local.open(digest)

    def path_of(self, digest: Digest) -> Path:
        """The blob's file, checked: to be linked or copied, never to be written. Raises BlobMissing."""
        try:
            return self._local.path_of(digest)
        except BlobMissing:
            self._bring_one(digest)
            return self._local.path_of(digest)

    def missing(self, digests: Iterable[Digest]) -> tuple[Digest, ...]:
        return tuple(digest for digest in self._local.missing(digests) if digest not in self._promises)

    def flush(self) -> None:
        self._local.flush()

    def bring(self, values: Iterable[FileValue | TreeValue]) -> None:
        """Everything that the values hold and that is promised, in few calls. Raises BlobMissing."""
        if not self._promises.are_there:
            return
        wanted: dict[Digest, None] = {}
        seen: set[Digest] = set()
        for value in values:
            if isinstance(value, FileValue):
                wanted[value.digest] = None
            else:
                self._gather(value.digest, wanted, seen)
        promised = [digest for digest in wanted if digest in self._promises]
        if promised and (absent := self._blobs.bring(promised)):
            self._promises.break_off()
            raise BlobMissing(absent[0])

    def has(self, value: FileValue | TreeValue) -> bool:
        """Whether nothing of the value is still with the remote cache."""
        wanted: dict[Digest, None] = {}
        if isinstance(value, FileValue):
            wanted[value.digest] = None
        else:
            self._gather(value.digest, wanted, set())
        return not any(digest in self._promises for digest in self._local.missing(wanted))

    def _gather(self, root: Digest, wanted: dict[Digest, None], seen: set[Digest]) -> None:
        waiting = [root]
        while waiting:
            digest = waiting.pop()
            if digest in seen or not digest.size:
                continue
            seen.add(digest)
            directory = decode_directory(self._local.get(digest))
            wanted.update((file.digest, None) for file in directory.files)
            waiting += [child.digest for child in directory.directories]

    def _bring_one(self, digest: Digest) -> None:
        if digest not in self._promises:
            raise BlobMissing(digest)
        if self._blobs.bring([digest]):
            self._promises.break_off()
            raise BlobMissing(digest)


class BringingRunner:
    """A `SpawnRunner` that brings a spawn's promised inputs before it runs, all at once."""

    def __init__(self, inner: SpawnRunner, store: LazyStore) -> None:
        self._inner = inner
        self._store = store

    def run(self, spawn: Spawn) -> SpawnResult:
        self._store.bring([TreeValue(spawn.input_root)])
        return self._inner.run(spawn)
