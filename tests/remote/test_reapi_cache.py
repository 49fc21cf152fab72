"""A remote cache over gRPC: what one build has made, another does not make; what goes wrong is never believed.

The server is ours: what no real server can be made to do.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

grpc = pytest.importorskip("grpc")

from mlbuild.execution.key import action_key  # noqa: E402
from mlbuild.reapi import encode_digest  # noqa: E402
from mlbuild.reapi.wire import Message, bytes_field, message_field, number_field, text_field  # noqa: E402
from mlbuild.remote.claims import sealed  # noqa: E402
from mlbuild.terms import Digest, FileValue, SpawnResult  # noqa: E402
from tests.remote.reapi_server import ReapiServer, Wrong, read_parts, status  # noqa: E402
from tests.remote.small_build import EXPECTED, SMALL, SPAWNS, build, spawn  # noqa: E402

CODE = grpc.StatusCode
KEY = action_key(SPAWNS[0])


def test_what_one_build_gives_another_takes() -> None:
    with ReapiServer() as server:
        first = build(server.url)
        second = build(server.url)
    assert (first.ran, first.warnings) == (["small", "tree", "big"], [])
    assert (second.ran, second.remote, second.warnings) == ([], ["small", "tree", "big"], [])
    assert first.outputs == second.outputs == EXPECTED


def test_the_limit_of_batches_is_kept_to() -> None:
    sizes: list[int] = []

    def measured(server: ReapiServer, name: str, request: bytes, context: Any) -> None:
        if name == "BatchUpdateBlobs":
            sizes.append(len(request))

    with ReapiServer(wrong=measured, batch_bytes=400) as server:
        assert build(server.url).warnings == []
        assert build(server.url).ran == []
    assert sizes
    assert max(sizes) <= 400


def test_many_results_are_given_with_few_calls() -> None:
    """While the first is on its way the others gather: they travel together."""
    from mlbuild.remote.credentials import Credentials
    from mlbuild.remote.giving import Giver
    from mlbuild.remote.reapi_backend import ReapiBackend
    from mlbuild.remote.settings import Settings, endpoint_of
    from mlbuild.remote.trouble import Patience
    from mlbuild.store import MemoryStore

    with ReapiServer() as server:
        gate = threading.Event()

        def waits(server: ReapiServer, name: str, request: bytes, context: Any) -> None:
            gate.wait(10)

        server.wrong = waits
        settings = Settings(endpoint_of(server.url))
        backend = ReapiBackend(settings, Credentials(settings, {}))
        store = MemoryStore()
        giver = Giver(backend, Patience("x", 0, lambda _: None), store)
        for number in range(100):
            value = FileValue(store.put(b"%d" % number))
            giver.offer(spawn(str(number), ("out/x",)), SpawnResult(0, (("out/x", value),), runner="linux-sandbox"))
        gate.set()
        assert giver.finish(20) == 0
        giver.end()
        backend.close()
        assert len(server.results) == 100
        assert len([name for name in server.calls if name != "UpdateActionResult"]) <= 7


def test_who_asks_is_said_to_the_server() -> None:
    with ReapiServer() as server:
        build(server.url, headers=(("x-team", "ranking"),))
        assert all(
            b"mlbuild" in each["build.bazel.remote.execution.v2.requestmetadata-bin"] for each in server.metadata
        )
        assert {each["x-team"] for each in server.metadata} == {"ranking"}


def test_a_read_that_breaks_off_goes_on_where_it_ended() -> None:
    offsets: list[int] = []

    def breaks_once(server: ReapiServer, name: str, request: bytes, context: Any) -> Iterable[bytes] | None:
        if name != "Read":
            return None
        message = Message(request)
        offsets.append(message.number(2))
        if len(offsets) > 1:
            return None
        return broken(read_parts(server.blobs[message.text(1).split("/")[-2]])[:2], context)

    with ReapiServer() as server:
        build(server.url)
        server.wrong = breaks_once
        second = build(server.url)
    assert (second.ran, second.outputs, second.warnings) == ([], EXPECTED, [])
    assert offsets == [0, 1_400_000]


def broken(parts: Iterable[bytes], context: Any) -> Iterator[bytes]:
    yield from parts
    context.abort(CODE.UNAVAILABLE, "gone")


def test_a_write_that_breaks_off_goes_on_where_the_server_says() -> None:
    with ReapiServer(breaks_writes=1) as server:
        built = build(server.url, SPAWNS[2:])
        assert server.offsets == [0, 1 << 20]
        assert build(server.url, SPAWNS[2:]).ran == []
    assert built.warnings == []


def refuses(code: Any, *names: str) -> Wrong:
    def wrong(server: ReapiServer, name: str, request: bytes, context: Any) -> None:
        if not names or name in names:
            context.abort(code, "because\x1b[31m of it")

    return wrong


def on(name: str, make: Callable[[ReapiServer, bytes], bytes | Iterable[bytes]]) -> Wrong:
    def wrong(server: ReapiServer, called: str, request: bytes, context: Any) -> bytes | Iterable[bytes] | None:
        return make(server, request) if called == name else None

    return wrong


def stalls(*names: str) -> Wrong:
    def wrong(server: ReapiServer, name: str, request: bytes, context: Any) -> None:
        if not names or name in names:
            server.stall()

    return wrong


def batch(change: Callable[[bytes], bytes], code: int = 0, compressor: int = 0) -> Wrong:
    """Batched blobs with other bytes."""

    def make(server: ReapiServer, request: bytes) -> bytes:
        digests = [each.as_digest() for each in Message(request).inners(2)]
        return b"".join(
            message_field(
                1,
                message_field(1, encode_digest(each))
                + bytes_field(2, change(server.blobs[each.hash]))
                + (status(5) if code == 5 else message_field(3, number_field(1, code)))
                + number_field(4, compressor),
            )
            for each in digests
        )

    return on("BatchReadBlobs", make)


def read(change: Callable[[list[bytes]], Iterable[bytes]]) -> Wrong:
    """Streamed blobs with other parts."""
    return on("Read", lambda server, request: change(read_parts(server.blobs[Message(request).text(1).split("/")[-2]])))


def endless(parts: list[bytes]) -> Iterator[bytes]:
    while True:
        yield parts[0]


def caps(cache: bytes, rest: bytes = b"") -> Wrong:
    return on("GetCapabilities", lambda server, request: message_field(1, cache) + rest)


def result(path: str = "out/small", size: int = len(SMALL)) -> Wrong:
    digest = Digest(Digest.of(SMALL).hash, size)
    data = sealed(KEY, SpawnResult(0, ((path, FileValue(digest, True)),)), {})
    return on("GetActionResult", lambda server, request: data)


FAULTS: dict[str, Wrong] = {
    "wrong bytes in a batch": batch(lambda data: data[:-1] + b"?" if data else data),
    "another blob in a batch": batch(lambda data: b"another"),
    "half of each blob in a batch": batch(lambda data: data[: len(data) // 2]),
    "compressed though nobody asked": batch(lambda data: data, compressor=1),
    "no blob of a batch is there": batch(lambda data: b"", 5),
    "each blob of a batch fails": batch(lambda data: b"", 13),
    "each blob of a batch is forbidden": batch(lambda data: b"", 7),
    "an empty batch": on("BatchReadBlobs", lambda server, request: b""),
    "a batch of blobs that nobody asked for": on("BatchReadBlobs", lambda server, request: message_field(1, message_field(1, encode_digest(Digest.of(b"x"))) + bytes_field(2, b"x"))),
    "a batch that is garbage": on("BatchReadBlobs", lambda server, request: b"\xff" * 30),
    "a batch too big for any message": on("BatchReadBlobs", lambda server, request: b"\0" * (33 << 20)),
    "wrong bytes in a stream": read(lambda parts: [*parts[:-1], parts[-1][:-1] + b"?"]),
    "a stream that ends too early": read(lambda parts: parts[:-1]),
    "a stream that gives too much": read(lambda parts: [*parts, *parts]),
    "a stream without end": read(endless),
    "an empty stream": read(lambda parts: []),
    "a stream of nothing": read(lambda parts: [b""] * 1000),
    "a stream of garbage": read(lambda parts: [b"\xff" * 30]),
    "a stream that goes backwards": read(lambda parts: parts[::-1]),
    "no blob for a stream": refuses(CODE.NOT_FOUND, "Read"),
    "no such blobs": refuses(CODE.NOT_FOUND, "Read", "BatchReadBlobs"),
    "data lost": refuses(CODE.DATA_LOSS, "Read", "BatchReadBlobs"),
    "not available": refuses(CODE.UNAVAILABLE),
    "too much asked": refuses(CODE.RESOURCE_EXHAUSTED),
    "an internal error": refuses(CODE.INTERNAL),
    "an unknown error": refuses(CODE.UNKNOWN),
    "knows no call": refuses(CODE.UNIMPLEMENTED),
    "knows no batches": refuses(CODE.UNIMPLEMENTED, "BatchReadBlobs", "BatchUpdateBlobs"),
    "knows no streams": refuses(CODE.UNIMPLEMENTED, "Read", "Write"),
    "knows no capabilities": refuses(CODE.UNIMPLEMENTED, "GetCapabilities"),
    "no such instance": refuses(CODE.NOT_FOUND, "GetCapabilities"),
    "an invalid argument": refuses(CODE.INVALID_ARGUMENT),
    "no credential": refuses(CODE.UNAUTHENTICATED),
    "no permission": refuses(CODE.PERMISSION_DENIED),
    "no permission to write": refuses(CODE.PERMISSION_DENIED, "UpdateActionResult", "BatchUpdateBlobs", "Write"),
    "a full disk": refuses(CODE.RESOURCE_EXHAUSTED, "Write", "BatchUpdateBlobs"),
    "a wrong size committed": on("Write", lambda server, request: number_field(1, 7)),
    "no answer": stalls(),
    "no answer to capabilities": stalls("GetCapabilities"),
    "no answer to results": stalls("GetActionResult"),
    "no answer to a stream": stalls("Read"),
    "no answer to a batch": stalls("BatchReadBlobs"),
    "no answer to what is given": stalls("Write", "BatchUpdateBlobs", "FindMissingBlobs", "UpdateActionResult"),
    "capabilities that are garbage": on("GetCapabilities", lambda server, request: b"\xff" * 9),
    "another digest function": caps(message_field(1, b"\x09") + message_field(2, b"\x08\1")),
    "a newer protocol": caps(message_field(1, b"\1"), message_field(4, number_field(1, 3))),
    "a limit of one byte": caps(message_field(1, b"\1") + message_field(2, b"\x08\1") + number_field(4, 1)),
    "a negative limit": caps(message_field(1, b"\1") + message_field(2, b"\x08\1") + number_field(4, -1)),
    "a limit beyond all messages": caps(message_field(1, b"\1") + message_field(2, b"\x08\1") + number_field(4, 1 << 60)),
    "no blob may be bigger than a byte": caps(message_field(1, b"\1") + message_field(2, b"\x08\1") + number_field(8, 1)),
    "takes no results": caps(message_field(1, b"\1")),
    "says that it lacks nothing": on("FindMissingBlobs", lambda server, request: b""),
    "says that it lacks what nobody has": on("FindMissingBlobs", lambda server, request: message_field(2, encode_digest(Digest.of(b"z")))),
    "results that are garbage": on("GetActionResult", lambda server, request: b"\xff" * 30),
    "empty results": on("GetActionResult", lambda server, request: b""),
    "a failure": on("GetActionResult", lambda server, request: number_field(4, 1)),
    "a result with a log and no more": on("GetActionResult", lambda server, request: bytes_field(5, b"hello")),
    "an output outside": result("../../outside"),
    "another output": result("out/other"),
    "a size that is not the blob's": result(size=5),
    "a size beyond all disks": result(size=1 << 62),
    "another action's result": on("GetActionResult", lambda server, request: next(iter(server.results.values()))),
}  # fmt: skip


@pytest.mark.parametrize("wrong", FAULTS.values(), ids=FAULTS.keys())
def test_whatever_the_server_does_the_build_is_right_and_warned_about_at_most_once(wrong: Wrong) -> None:
    with ReapiServer() as server:
        build(server.url)
        server.wrong = wrong
        for given in (True, False):  # with the results there, and with none
            if not given:
                server.blobs, server.results = {}, {}
            built = build(server.url)
            assert built.is_ended, "it hangs"
            assert built.outputs == EXPECTED
            assert len(built.warnings) <= 1
            assert "\x1b" not in str(built.warnings)
        server.wrong = None
        assert build(server.url).outputs == EXPECTED


@pytest.mark.parametrize("greeting", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-x\r\n", b"\0" * 4096, None])
def test_what_is_no_grpc_at_all(greeting: bytes | None) -> None:
    """Hangs up, says something else, or (None) takes the connection and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        held: list[socket.socket] = []

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                held.append(connection)
                if greeting is not None:
                    with connection:
                        connection.sendall(greeting)

        threading.Thread(target=serve, daemon=True).start()
        built = build(f"grpc://127.0.0.1:{listener.getsockname()[1]}")
        listener.shutdown(socket.SHUT_RDWR)
        for each in held:
            each.close()
    assert built.is_ended
    assert built.outputs == EXPECTED
    assert [each.code for each in built.warnings] == ["remote-left-aside"]


def test_a_secret_that_the_server_repeats_is_not_shown() -> None:
    def tells(server: ReapiServer, name: str, request: bytes, context: Any) -> None:
        context.abort(CODE.PERMISSION_DENIED, f"not with {dict(context.invocation_metadata())['authorization']}")

    with ReapiServer(wrong=tells) as server:
        built = build(server.url, headers=(("authorization", "Bearer s3cr3tt0ken"),))
    assert [each.code for each in built.warnings] == ["remote-left-aside"]
    assert "s3cr3tt0ken" not in str(built.warnings)


def test_a_server_that_asks_to_wait_is_waited_for() -> None:
    """RetryInfo: a moment, then all is well."""
    asked: list[str] = []
    detail = text_field(1, "type.googleapis.com/google.rpc.RetryInfo")
    detail += bytes_field(2, message_field(1, number_field(2, 1_000_000)))

    def busy_once(server: ReapiServer, name: str, request: bytes, context: Any) -> None:
        asked.append(name)
        if len(asked) == 1:
            details = number_field(1, 8) + message_field(3, detail)
            context.set_trailing_metadata((("grpc-status-details-bin", details),))
            context.abort(CODE.RESOURCE_EXHAUSTED, "later")

    with ReapiServer() as server:
        build(server.url)
        server.wrong = busy_once
        built = build(server.url)
    assert (built.ran, built.warnings) == ([], [])
