"""A remote cache that speaks the Remote Execution API: what it says of its limits is kept to."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO, TypeVar

import mlbuild
from mlbuild.diagnostics import ExitCode, fail
from mlbuild.reapi import services
from mlbuild.reapi.services import Capabilities
from mlbuild.remote.backend import LEAST_RATE, ROOM_FOR_RESULT
from mlbuild.remote.credentials import Credentials
from mlbuild.remote.settings import Settings
from mlbuild.remote.trouble import NotThere, RemoteError, Unknown
from mlbuild.terms import Digest

if TYPE_CHECKING:
    from mlbuild.remote.grpc_calls import Calls

PART = 1 << 20
MOST_IN_A_QUESTION = 10_000
LARGEST_BATCH = 3 << 20
"""A message may have 4 MiB with most servers, whatever they say of their batches."""

NOT_FOUND, RESOURCE_EXHAUSTED, ABORTED, INTERNAL, UNAVAILABLE = 5, 8, 10, 13, 14

T = TypeVar("T")


class ReapiBackend:
    """A `Backend` over gRPC."""

    def __init__(self, settings: Settings, credentials: Credentials) -> None:
        """Raises UserError where gRPC is not installed, or for a certificate that cannot be used."""
        self._settings = settings
        self._instance = settings.instance
        self._calls = _calls(settings, credentials)
        self._lock = threading.Lock()
        self._room = threading.BoundedSemaphore(settings.connections)
        self._unfinished: dict[Digest, str] = {}
        self._capabilities: Capabilities | None = None

    def open(self) -> None:
        with self._lock:
            if self._capabilities is None:
                self._capabilities = self._asked_for_capabilities()

    def open_to_give(self) -> None:
        self.open()
        if not self._known().takes_results:
            raise RemoteError("refused", "it takes no results (its capabilities say so)")

    def largest_blob(self) -> int:
        limit = self._known().largest_blob
        return limit if limit > 0 else 1 << 62

    def batch_bytes(self) -> int:
        limit = self._known().batch_bytes
        return min(limit, LARGEST_BATCH) if limit > 0 else LARGEST_BATCH

    def result(self, key: Digest) -> bytes | None:
        try:
            data = self._unary(services.GET_RESULT, services.get_result_request(self._instance, key))
        except NotThere:
            return None
        if len(data) > ROOM_FOR_RESULT:
            raise RemoteError("wrong", "a result that is too big to be one")
        return data

    def keep_result(self, key: Digest, data: bytes) -> None:
        self._unary(services.UPDATE_RESULT, services.update_result_request(self._instance, key, data))

    def missing(self, digests: Sequence[Digest]) -> tuple[Digest, ...]:
        asked = list(dict.fromkeys(digests))
        lacking: set[Digest] = set()
        for start in range(0, len(asked), MOST_IN_A_QUESTION):
            request = services.find_missing_request(self._instance, asked[start : start + MOST_IN_A_QUESTION])
            lacking |= set(_read(services.missing_of, self._unary(services.FIND_MISSING, request)))
        return tuple(digest for digest in asked if digest in lacking)

    def read_many(self, digests: Sequence[Digest]) -> Iterable[tuple[Digest, bytes]]:
        request = services.batch_read_request(self._instance, digests)
        size = sum(digest.size for digest in digests)
        answers = _read(services.batch_read_answers, self._unary(services.BATCH_READ, request, size))
        failed = None
        for answer in answers:
            if answer.code == 0:
                yield answer.digest, answer.data
            elif answer.code != NOT_FOUND:
                failed = answer
        if failed is not None:
            raise _failure(failed)

    def read(self, digest: Digest, offset: int) -> Iterator[bytes]:
        request = services.read_request(services.read_name(self._instance, digest), offset)
        with self._room:
            try:
                for data in self._calls.stream_in(services.READ, request, self._seconds(digest.size)):
                    yield _read(services.read_data, data)
            except NotThere:
                raise KeyError(digest) from None

    def write_many(self, blobs: Sequence[tuple[Digest, bytes]]) -> None:
        request = services.batch_update_request(self._instance, blobs)
        answers = _read(services.batch_update_answers, self._unary(services.BATCH_UPDATE, request, len(request)))
        failed = next((answer for answer in answers if answer.code != 0), None)
        if failed is not None:
            raise _failure(failed)
        if {digest for digest, _ in blobs} - {answer.digest for answer in answers}:
            raise RemoteError("transient", "it did not say what became of a blob")

    def write(self, digest: Digest, source: Callable[[], BinaryIO]) -> None:
        """Goes on where an earlier try of the same blob ended, if the server knows where that was."""
        with self._lock:
            name = self._unfinished.get(digest)
        offset = 0 if name is None else self._committed(name, digest)
        if offset == digest.size and name is not None:
            self._finished(digest)
            return
        if name is None or offset == 0:
            name = services.write_name(self._instance, str(uuid.uuid4()), digest)
        with self._lock:
            self._unfinished[digest] = name
        with self._room:
            made = self._calls.stream_out(
                services.WRITE, lambda: _write_requests(name, digest, offset, source), self._seconds(digest.size)
            )
        committed = _read(services.committed_size, made)
        if committed != digest.size:
            raise RemoteError("transient", f"it took {committed} bytes of {digest.size}")
        self._finished(digest)

    def close(self) -> None:
        self._calls.close()

    def _asked_for_capabilities(self) -> Capabilities:
        request = services.capabilities_request(self._instance)
        try:
            with self._room:
                data = self._calls.unary(services.CAPABILITIES, request, self._settings.timeout_seconds)
        except Unknown:
            return Capabilities()
        except NotThere:
            raise RemoteError("lasting", f"it has no instance `{self._instance}` (`--remote_instance_name`)") from None
        found = _read(services.capabilities_of, data)
        if found.digest_functions and services.SHA256 not in found.digest_functions:
            names = [
                services.DIGEST_FUNCTIONS[each]
                for each in found.digest_functions
                if each < len(services.DIGEST_FUNCTIONS)
            ]
            raise RemoteError(
                "lasting", f"it knows blobs by {', '.join(names) or 'nothing that we know'}, and mlbuild by SHA256"
            )
        if found.lowest_version >= (3, 0):
            raise RemoteError("lasting", "it speaks a newer version of the Remote Execution API than 2")
        return found

    def _known(self) -> Capabilities:
        return self._capabilities or Capabilities()

    def _unary(self, method: str, request: bytes, size: int = 0) -> bytes:
        with self._room:
            return self._calls.unary(method, request, self._seconds(size))

    def _committed(self, name: str, digest: Digest) -> int:
        """How many bytes of an upload the server has; 0 where it does not say."""
        try:
            with self._room:
                data = self._calls.unary(services.WRITE_STATUS, services.write_status_request(name), self._seconds(0))
        except (NotThere, Unknown):
            return 0
        size = _read(services.committed_size, data)
        return size if 0 <= size <= digest.size else 0

    def _finished(self, digest: Digest) -> None:
        with self._lock:
            self._unfinished.pop(digest, None)

    def _seconds(self, size: int) -> float:
        return self._settings.timeout_seconds + size / LEAST_RATE


def _calls(settings: Settings, credentials: Credentials) -> Calls:
    try:
        from mlbuild.remote.grpc_calls import Calls
    except ImportError:
        raise fail(
            "no-grpc",
            f"`--remote_cache={settings.endpoint}` needs gRPC, which is not installed",
            hint="`pip install 'mlbuild[remote]'` installs it; `https://` and `http://` need nothing",
            exit_code=ExitCode.COMMAND_LINE,
        ) from None
    about = services.request_metadata(mlbuild.__version__, str(uuid.uuid4()))
    return Calls(settings, credentials, {services.METADATA_HEADER: about})


def _write_requests(name: str, digest: Digest, offset: int, source: Callable[[], BinaryIO]) -> Iterator[bytes]:
    with source() as file:
        file.seek(offset)
        while True:
            data = file.read(PART)
            is_last = offset + len(data) >= digest.size or not data
            yield services.write_request(name, offset, data, is_last)
            if is_last:
                return
            offset += len(data)


def _read(decode: Callable[[bytes], T], data: bytes) -> T:
    try:
        return decode(data)
    except ValueError:
        raise RemoteError("wrong", "an answer that cannot be read") from None


def _failure(answer: services.BlobAnswer) -> RemoteError:
    said = "".join(character if character.isprintable() else " " for character in answer.message)[:200]
    reason = f"it refused the blob `{answer.digest.hash[:12]}` with code {answer.code}" + (f": {said}" if said else "")
    is_transient = answer.code in (RESOURCE_EXHAUSTED, ABORTED, INTERNAL, UNAVAILABLE)
    return RemoteError("transient" if is_transient else "lasting", reason)
