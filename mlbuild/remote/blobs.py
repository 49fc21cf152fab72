"""Blobs from a remote cache into the local store: hashed on the way, capped at their size, resumed where they broke off."""

from __future__ import annotations

import contextlib
import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO, cast

from mlbuild.remote.backend import Backend, Blobs
from mlbuild.remote.trouble import Patience, RemoteError
from mlbuild.terms import Digest

SMALL = 1 << 20
MOST_IN_A_BATCH = 500
MOST_BREAKS = 3
"""How often one blob may end too early, without a word, until it counts as wrong."""

STREAMS = 4


class RemoteBlobs:
    """Brings blobs; for any number of threads."""

    def __init__(self, backend: Backend, patience: Patience, store: Blobs) -> None:
        self._backend = backend
        self._patience = patience
        self._store = store
        self._pool = ThreadPoolExecutor(STREAMS, "remote-blobs")
        self.brought_bytes = 0

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def bring(self, digests: Iterable[Digest]) -> tuple[Digest, ...]:
        """Puts them into the local store; returns those that cannot be had. Raises what the local store raises."""
        wanted = self._store.missing(digests)
        room = self._backend.batch_bytes()
        small = [each for each in wanted if each.size <= min(SMALL, room)]
        groups = list(batches(small, room))
        big = [each for each in wanted if each.size > min(SMALL, room)]
        if len(groups) + len(big) <= 1:
            return (*(self._batch(groups[0]) if groups else ()), *(self._stream(big[0]) if big else ()))
        batched = [self._pool.submit(self._batch, group) for group in groups]
        streamed = [self._pool.submit(self._stream, each) for each in big]
        return tuple(digest for future in (*batched, *streamed) for digest in future.result())

    def _batch(self, group: Sequence[Digest]) -> tuple[Digest, ...]:
        waiting = dict.fromkeys(group)
        absent: dict[Digest, None] = {}

        def work() -> None:
            for digest, data in self._backend.read_many(tuple(waiting)):
                if digest not in waiting:
                    raise RemoteError("wrong", "a blob that nobody asked for")
                del waiting[digest]
                if Digest.of(data) == digest:
                    self._store.put(data)
                    self.brought_bytes += len(data)
                else:
                    absent[digest] = None
                    self._patience.got_wrong(f"wrong bytes for the blob `{digest.hash[:12]}`")

        with contextlib.suppress(RemoteError):  # it has been said; what was not brought counts as absent
            self._patience.read(work)
        return (*waiting, *absent)

    def _stream(self, digest: Digest) -> tuple[Digest, ...]:
        try:
            self._store.put_stream(cast(BinaryIO, _Incoming(digest, self._backend, self._patience)))
        except (KeyError, RemoteError):
            return (digest,)
        self.brought_bytes += digest.size
        return ()


def batches(digests: Iterable[Digest], room: int) -> Iterator[list[Digest]]:
    """Groups whose blobs have room together, with what names them."""
    group: list[Digest] = []
    size = 0
    for digest in digests:
        cost = digest.size + 200
        if group and (size + cost > room or len(group) == MOST_IN_A_BATCH):
            yield group
            group, size = [], 0
        group.append(digest)
        size += cost
    if group:
        yield group


class _Incoming(io.RawIOBase):
    """A blob that comes. At its end it is right, or reading raises RemoteError; KeyError if the server lacks it."""

    def __init__(self, digest: Digest, backend: Backend, patience: Patience) -> None:
        super().__init__()
        self._digest = digest
        self._backend = backend
        self._patience = patience
        self._parts: Iterator[bytes] | None = None
        self._rest = memoryview(b"")
        self._got = 0
        self._breaks = 0
        self._hasher = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while not self._rest and self._got < self._digest.size:
            self._rest = memoryview(self._patience.read(self._next))
            self._got += len(self._rest)
            self._hasher.update(self._rest)
        if self._got > self._digest.size or (not self._rest and self._hasher.hexdigest() != self._digest.hash):
            self._patience.got_wrong(f"wrong bytes for the blob `{self._digest.hash[:12]}`")
            raise RemoteError("wrong", "wrong bytes")
        size = len(self._rest) if size < 0 else size
        part, self._rest = self._rest[:size], self._rest[size:]
        return bytes(part)

    def _next(self) -> bytes:
        if self._parts is None:
            self._parts = iter(self._backend.read(self._digest, self._got))
        try:
            part = next(self._parts, None)
        except BaseException:
            self._parts = None
            raise
        if part is not None:
            return part
        self._parts = None
        self._breaks += 1
        if self._breaks >= MOST_BREAKS:
            raise RemoteError("wrong", f"only a part of the blob `{self._digest.hash[:12]}`")
        raise RemoteError("transient", "a blob ended too early")
