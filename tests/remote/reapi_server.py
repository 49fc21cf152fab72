"""A cache that speaks the Remote Execution API on a loopback port, in this process, and does wrong what a test wants.

It knows messages by hand, not by the code under test, where that is easy; blobs and results are kept as they come.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import grpc

from mlbuild.reapi import encode_digest
from mlbuild.reapi.wire import Message, bytes_field, message_field, number_field
from mlbuild.terms import Digest

Wrong = Callable[["ReapiServer", str, bytes, Any], "bytes | Iterable[bytes] | None"]
"""By the call's name and request: what to answer instead (or an abort through the context), or nothing."""


@dataclass
class ReapiServer:
    """Right, but for `wrong`."""

    wrong: Wrong | None = None
    blobs: dict[str, bytes] = field(default_factory=dict)
    results: dict[str, bytes] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    metadata: list[dict[str, Any]] = field(default_factory=list)
    partial: dict[str, bytes] = field(default_factory=dict)
    """What has come of uploads, by resource name."""
    offsets: list[int] = field(default_factory=list)
    """Where each write began."""
    breaks_writes: int = 0
    """How many writes break off after their first message."""
    credentials: grpc.ServerCredentials | None = None
    batch_bytes: int = 0
    port: int = 0

    def __enter__(self) -> ReapiServer:
        self.ended = threading.Event()
        self._pool = ThreadPoolExecutor(16)
        self._server = grpc.server(self._pool, options=[("grpc.so_reuseport", 0)])
        self._server.add_generic_rpc_handlers([_Handlers(self)])
        if self.credentials is None:
            self.port = self._server.add_insecure_port("127.0.0.1:0")
        else:
            self.port = self._server.add_secure_port("127.0.0.1:0", self.credentials)
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self._server.stop(0).wait(5)
        self._pool.shutdown(wait=False)

    @property
    def url(self) -> str:
        return f"grpc://127.0.0.1:{self.port}"

    def stall(self) -> None:
        self.ended.wait(30)

    def right(self, name: str, request: bytes) -> bytes | Iterable[bytes] | grpc.StatusCode:
        """What a cache should answer, for every call but Write."""
        message = Message(request)
        match name:
            case "GetCapabilities":
                cache = message_field(1, b"\1") + message_field(2, b"\x08\1") + number_field(4, self.batch_bytes)
                return message_field(1, cache)
            case "FindMissingBlobs":
                asked = [each.as_digest() for each in message.inners(2)]
                return b"".join(message_field(2, encode_digest(each)) for each in asked if each.hash not in self.blobs)
            case "BatchUpdateBlobs":
                answers = b""
                for each in message.inners(2):
                    digest, data = each.needed_digest(1), each.raw(2)
                    is_right = Digest.of(data) == digest
                    if is_right:
                        self.blobs[digest.hash] = data
                    answers += message_field(1, message_field(1, encode_digest(digest)) + status(0 if is_right else 3))
                return answers
            case "BatchReadBlobs":
                answers = b""
                for each in message.inners(2):
                    digest = each.as_digest()
                    kept = self.blobs.get(digest.hash)
                    text = status(5) if kept is None else bytes_field(2, kept)
                    answers += message_field(1, message_field(1, encode_digest(digest)) + text)
                return answers
            case "GetActionResult":
                found = self.results.get(message.needed_digest(2).hash)
                return grpc.StatusCode.NOT_FOUND if found is None else found
            case "UpdateActionResult":
                self.results[message.needed_digest(2).hash] = message.raw(3)
                return message.raw(3)
            case "Read":
                data = self.blobs.get(message.text(1).split("/")[-2])
                if data is None:
                    return grpc.StatusCode.NOT_FOUND
                return read_parts(data[message.number(2) :])
            case "QueryWriteStatus":
                return number_field(1, len(self.partial.get(message.text(1), b"")))
            case _:
                return grpc.StatusCode.UNIMPLEMENTED

    def keep(self, data: bytes) -> Digest:
        digest = Digest.of(data)
        self.blobs[digest.hash] = data
        return digest


def status(code: int) -> bytes:
    return message_field(3, number_field(1, code)) if code == 5 else message_field(2, number_field(1, code))


def read_parts(data: bytes, size: int = 700_000) -> list[bytes]:
    return [bytes_field(10, data[start : start + size]) for start in range(0, len(data), size)]


class _Handlers(grpc.GenericRpcHandler):  # type: ignore[misc]
    def __init__(self, server: ReapiServer) -> None:
        self._server = server

    def service(self, details: Any) -> Any:
        name = details.method.rsplit("/", 1)[1]
        if name == "Write":
            return grpc.stream_unary_rpc_method_handler(self._write)
        if name == "Read":
            return grpc.unary_stream_rpc_method_handler(lambda request, context: self._many(name, request, context))
        return grpc.unary_unary_rpc_method_handler(lambda request, context: self._one(name, request, context))

    def _note(self, name: str, context: Any) -> None:
        self._server.calls.append(name)
        self._server.metadata.append(dict(context.invocation_metadata()))

    def _answer(self, name: str, request: bytes, context: Any) -> Any:
        self._note(name, context)
        wrong = None if self._server.wrong is None else self._server.wrong(self._server, name, request, context)
        answer = self._server.right(name, request) if wrong is None else wrong
        if isinstance(answer, grpc.StatusCode):
            context.abort(answer, "not here")
        return answer

    def _one(self, name: str, request: bytes, context: Any) -> Any:
        return self._answer(name, request, context)

    def _many(self, name: str, request: bytes, context: Any) -> Iterator[bytes]:
        yield from self._answer(name, request, context)

    def _write(self, requests: Iterator[bytes], context: Any) -> Any:
        self._note("Write", context)
        if self._server.wrong is not None:
            wrong = self._server.wrong(self._server, "Write", b"", context)
            if wrong is not None:
                return wrong
        name, data = "", b""
        for request in requests:
            message = Message(request)
            if not name:
                name = message.text(1)
                self._server.offsets.append(message.number(2))
                data = self._server.partial.get(name, b"")[: message.number(2)]
            data += message.raw(10)
            self._server.partial[name] = data
            if self._server.breaks_writes > 0:
                self._server.breaks_writes -= 1
                context.abort(grpc.StatusCode.UNAVAILABLE, "gone")
        digest = Digest.parse("/".join(name.split("/")[-2:]))
        if Digest.of(data) != digest:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "not its digest")
        self._server.blobs[digest.hash] = data
        return number_field(1, len(data))
