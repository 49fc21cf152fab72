"""Messages of the cache's services: what is asked of a server, and what it answers. Answers are read as hostile."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mlbuild.reapi.wire import (
    Message,
    bytes_field,
    encode_digest,
    message_field,
    number_field,
    text_field,
)
from mlbuild.records import record
from mlbuild.terms import Digest

PACKAGE = "/build.bazel.remote.execution.v2."
CAPABILITIES = f"{PACKAGE}Capabilities/GetCapabilities"
FIND_MISSING = f"{PACKAGE}ContentAddressableStorage/FindMissingBlobs"
BATCH_READ = f"{PACKAGE}ContentAddressableStorage/BatchReadBlobs"
BATCH_UPDATE = f"{PACKAGE}ContentAddressableStorage/BatchUpdateBlobs"
GET_RESULT = f"{PACKAGE}ActionCache/GetActionResult"
UPDATE_RESULT = f"{PACKAGE}ActionCache/UpdateActionResult"
READ = "/google.bytestream.ByteStream/Read"
WRITE = "/google.bytestream.ByteStream/Write"
WRITE_STATUS = "/google.bytestream.ByteStream/QueryWriteStatus"

METADATA_HEADER = f"{PACKAGE[1:]}requestmetadata-bin".lower()
SHA256 = 1
DIGEST_FUNCTIONS = (
    "UNKNOWN", "SHA256", "SHA1", "MD5", "VSO", "SHA384", "SHA512", "MURMUR3", "SHA256TREE", "BLAKE3", "GITSHA1",
)  # fmt: skip


@record
class Capabilities:
    """What a server says that it can do, as it says it: 0 means that there is no limit."""

    digest_functions: tuple[int, ...] = (SHA256,)
    takes_results: bool = True
    batch_bytes: int = 0
    largest_blob: int = 0
    lowest_version: tuple[int, int] = (2, 0)
    highest_version: tuple[int, int] = (2, 0)


@record
class BlobAnswer:
    """Of one blob of a batch: `code` is gRPC's, 0 if all is well."""

    digest: Digest
    data: bytes
    code: int
    message: str


def capabilities_request(instance: str) -> bytes:
    return text_field(1, instance)


def capabilities_of(data: bytes) -> Capabilities:
    message = Message(data)
    cache = message.inner(1) or Message(b"")
    update = cache.inner(2)
    return Capabilities(
        cache.numbers(1),
        update is not None and update.flag(1),
        cache.number(4),
        cache.number(8),
        _version(message.inner(4)),
        _version(message.inner(5)),
    )


def find_missing_request(instance: str, digests: Iterable[Digest]) -> bytes:
    return text_field(1, instance) + b"".join([message_field(2, encode_digest(digest)) for digest in digests])


def missing_of(data: bytes) -> tuple[Digest, ...]:
    return tuple(each.as_digest() for each in Message(data).inners(2))


def batch_read_request(instance: str, digests: Iterable[Digest]) -> bytes:
    return text_field(1, instance) + b"".join([message_field(2, encode_digest(digest)) for digest in digests])


def batch_read_answers(data: bytes) -> tuple[BlobAnswer, ...]:
    """Raises ValueError, also for data that is compressed: that was not asked for."""
    return tuple(_blob_answer(each) for each in Message(data).inners(1))


def batch_update_request(instance: str, blobs: Sequence[tuple[Digest, bytes]]) -> bytes:
    requests = [
        message_field(2, message_field(1, encode_digest(digest)) + bytes_field(2, data)) for digest, data in blobs
    ]
    return text_field(1, instance) + b"".join(requests)


def batch_update_answers(data: bytes) -> tuple[BlobAnswer, ...]:
    answers: list[BlobAnswer] = []
    for each in Message(data).inners(1):
        code, said = _status(each.inner(2))
        answers.append(BlobAnswer(each.needed_digest(1), b"", code, said))
    return tuple(answers)


def get_result_request(instance: str, key: Digest) -> bytes:
    return text_field(1, instance) + message_field(2, encode_digest(key))


def update_result_request(instance: str, key: Digest, result: bytes) -> bytes:
    return text_field(1, instance) + message_field(2, encode_digest(key)) + message_field(3, result)


def read_name(instance: str, digest: Digest) -> str:
    """The resource name of a blob."""
    return f"{instance}/blobs/{digest}" if instance else f"blobs/{digest}"


def write_name(instance: str, unique: str, digest: Digest) -> str:
    """The resource name of an upload; `unique` is a UUID."""
    name = f"uploads/{unique}/blobs/{digest}"
    return f"{instance}/{name}" if instance else name


def read_request(name: str, offset: int) -> bytes:
    return text_field(1, name) + number_field(2, offset)


def read_data(data: bytes) -> bytes:
    return Message(data).raw(10)


def write_request(name: str, offset: int, data: bytes, is_last: bool) -> bytes:
    return text_field(1, name) + number_field(2, offset) + number_field(3, is_last) + bytes_field(10, data)


def committed_size(data: bytes) -> int:
    """Of an answer to a write or to the question how far one got."""
    return Message(data).number(1)


def write_status_request(name: str) -> bytes:
    return text_field(1, name)


def request_metadata(version: str, invocation: str) -> bytes:
    """Who asks, for the server's logs."""
    return message_field(1, text_field(1, "mlbuild") + text_field(2, version)) + text_field(3, invocation)


def retry_delay(status: bytes) -> float:
    """The seconds that a `google.rpc.Status` with a `RetryInfo` asks to wait; 0 without. Raises ValueError."""
    for detail in Message(status).inners(3):
        if detail.text(1).endswith("/google.rpc.RetryInfo"):
            delay = Message(detail.raw(2)).inner(1)
            if delay is not None:
                return max(0.0, delay.number(1) + delay.number(2) / 1e9)
    return 0.0


def _blob_answer(message: Message) -> BlobAnswer:
    if message.number(4) != 0:
        raise ValueError("a blob is compressed though that was not asked for")
    code, said = _status(message.inner(3))
    return BlobAnswer(message.needed_digest(1), message.raw(2), code, said)


def _status(message: Message | None) -> tuple[int, str]:
    return (0, "") if message is None else (message.number_32(1), message.text(2))


def _version(message: Message | None) -> tuple[int, int]:
    return (2, 0) if message is None else (message.number_32(1), message.number_32(2))
