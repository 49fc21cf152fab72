"""The door to a remote cache, whatever it speaks. Its sides believe nothing and check nothing: `blobs` and `claims` do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import BinaryIO, Protocol

from mlbuild.terms import Digest

ROOM_FOR_RESULT = 16 << 20
"""How many bytes a result may have; more is no result."""

LEAST_RATE = 16 << 10
"""Bytes a second, below which a transfer counts as standing still."""


class Backend(Protocol):
    """Law: every call ends within its deadline; what fails raises RemoteError, and nothing else."""

    def open(self) -> None:
        """The first contact: what the server can do. More than once does no harm."""

    def open_to_give(self) -> None:
        """The same, for who wants to write."""

    def largest_blob(self) -> int:
        """How big a blob may be that is given."""

    def batch_bytes(self) -> int:
        """How big the blobs of one `read_many` or `write_many` may be, together."""

    def result(self, key: Digest) -> bytes | None:
        """The encoded result under a key, if there is one."""

    def keep_result(self, key: Digest, data: bytes) -> None: ...

    def missing(self, digests: Sequence[Digest]) -> tuple[Digest, ...]:
        """Those of the digests that the server lacks, in the order asked."""

    def read_many(self, digests: Sequence[Digest]) -> Iterable[tuple[Digest, bytes]]:
        """Small blobs as the server gives them; those that it lacks are left out."""

    def read(self, digest: Digest, offset: int) -> Iterator[bytes]:
        """A blob's bytes from `offset` on, in parts. Raises KeyError where the server lacks it."""

    def write_many(self, blobs: Sequence[tuple[Digest, bytes]]) -> None: ...

    def write(self, digest: Digest, source: Callable[[], BinaryIO]) -> None:
        """A blob from a stream that can be opened again."""

    def close(self) -> None:
        """Ends what is under way, at once."""


class Blobs(Protocol):
    """What the room needs of the local store."""

    def put(self, data: bytes) -> Digest: ...

    def put_stream(self, source: BinaryIO) -> Digest: ...

    def get(self, digest: Digest) -> bytes: ...

    def open(self, digest: Digest) -> BinaryIO: ...

    def missing(self, digests: Iterable[Digest]) -> tuple[Digest, ...]: ...
