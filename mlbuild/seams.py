"""Every door to the world, each with its law. Phases see only these; `session` fills them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO, Literal, Protocol

from mlbuild.terms import Digest, FetchAction, FileValue, Spawn, SpawnResult, TreeValue
from mlbuild.terms.event import Event

EntryKind = Literal["file", "directory"]


class SourceTree(Protocol):
    """The workspace and the other repositories, by path from the exec root.

    `models/train.py` is of the workspace, `external/mlbuild/rules/…` of the repository `mlbuild`.
    Law: a path read twice in one build gives the same bytes, or the build says that the file changed.
    """

    def read(self, path: str) -> bytes:
        """The file's bytes. Raises FileNotFoundError, IsADirectoryError, PermissionError."""

    def digest(self, path: str) -> Digest:
        """The digest of what `read` gives, without reading a file that looks as it did when it was read. Raises as `read` does."""

    def list(self, path: str) -> tuple[tuple[str, EntryKind], ...]:
        """Names and kinds in a folder, sorted by name; links followed inside the tree; others left out. Raises FileNotFoundError."""

    def kind(self, path: str) -> EntryKind | None:
        """Whether the path exists, and as what."""

    def ingest(self, path: str) -> FileValue | TreeValue:
        """The very bytes of a file or folder, put into the store while they are hashed. Raises FileNotFoundError."""


class ContentStore(Protocol):
    """Blobs by digest. Law: `get(put(b)) == b`; `put` twice is `put` once; wrong bytes are never given."""

    def put(self, data: bytes) -> Digest:
        """Keeps a small blob (a message, a log)."""

    def put_stream(self, source: BinaryIO) -> Digest:
        """Keeps a blob of any size, hashed while it is copied."""

    def get(self, digest: Digest) -> bytes:
        """The blob, checked. Raises BlobMissing."""

    def open(self, digest: Digest) -> BinaryIO:
        """The blob as a stream, checked before the first byte is given. Raises BlobMissing."""

    def missing(self, digests: Iterable[Digest]) -> tuple[Digest, ...]:
        """Those of the digests that `get` could not give, in the order asked, each once."""

    def flush(self) -> None:
        """All that was put is durable when this returns."""


class BlobMissing(LookupError):
    """The store does not have the blob, or no longer has its right bytes."""

    def __init__(self, digest: Digest) -> None:
        super().__init__(f"blob {digest} is not in the store")
        self.digest = digest


class ActionCache(Protocol):
    """Results by key. Law: a hit implies that all its blobs can be had; failures are never recorded."""

    def lookup(self, key: Digest) -> SpawnResult | None:
        """The recorded result of the action with this digest."""

    def record(self, key: Digest, result: SpawnResult) -> None:
        """Remembers a success. The result's blobs are durable before the entry is."""


class SpawnRunner(Protocol):
    """Law: the spawn sees its declared inputs and nothing else; a failure is a result."""

    def run(self, spawn: Spawn) -> SpawnResult: ...


class Fetcher(Protocol):
    """Law: returns the pinned digest or fails; never "latest"."""

    def key(self, action: FetchAction, inputs: dict[str, FileValue | TreeValue]) -> Digest | None:
        """The key that its result may be remembered under, or nothing for what is collected from this host."""

    def fetch(self, action: FetchAction, inputs: dict[str, FileValue | TreeValue]) -> FileValue | TreeValue:
        """What the action names, put into the store. `inputs` by the paths of the action's inputs. Raises UserError."""


class OutputTree(Protocol):
    """Where people find outputs. Law: what is placed is what the digest says, or nothing is."""

    def place(self, path: str, value: FileValue | TreeValue) -> None:
        """Makes `path` (from the workspace root) hold the value, replacing what is there."""


class EventSink(Protocol):
    """Law: never changes what happens; called from one thread at a time."""

    def emit(self, event: Event) -> None: ...
