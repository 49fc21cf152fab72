"""A remote cache that speaks Bazel's HTTP protocol: GET, HEAD and PUT of `ac/HASH` and `cas/HASH`. No redirects:
a credential is for the place that was named.
"""

from __future__ import annotations

import contextlib
import http.client
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO

from mlbuild.remote.backend import LEAST_RATE, ROOM_FOR_RESULT
from mlbuild.remote.credentials import Credentials
from mlbuild.remote.settings import Settings
from mlbuild.remote.timed_sockets import Clock, connect
from mlbuild.remote.tls import context_of
from mlbuild.remote.trouble import RemoteError
from mlbuild.terms import Digest

PART = 1 << 20
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_BROKEN = (OSError, http.client.HTTPException, ValueError)
"""What a broken or a malicious answer raises; OSError has TLS and time-outs too."""


class HttpBackend:
    """A `Backend` over connections that are kept open, as many as the settings allow."""

    def __init__(self, settings: Settings, credentials: Credentials) -> None:
        self._settings = settings
        self._credentials = credentials
        self._tls = context_of(settings) if settings.endpoint.is_secure else None
        instance = f"/{settings.instance.strip('/')}" if settings.instance else ""
        self._prefix = settings.endpoint.path + instance
        self._lock = threading.Lock()
        self._idle: list[_Connection] = []
        self._all: set[_Connection] = set()
        self._is_closed = False
        self._room = threading.BoundedSemaphore(settings.connections)
        self._pool = ThreadPoolExecutor(settings.connections, "remote")

    def open(self) -> None:
        """There is nothing to agree about."""

    def open_to_give(self) -> None:
        """Whether it takes anything shows when it is given something."""

    def largest_blob(self) -> int:
        return 1 << 62

    def batch_bytes(self) -> int:
        return 4 << 20

    def result(self, key: Digest) -> bytes | None:
        with self._asked("GET", f"ac/{key.hash}") as answer:
            if answer.status == 404:
                return None
            self._expect(answer, 200)
            parts: list[bytes] = []
            room = ROOM_FOR_RESULT
            while part := answer.read1(PART):
                parts.append(part)
                room -= len(part)
                if room < 0:
                    raise RemoteError("wrong", "a result that is too big to be one")
            return b"".join(parts)

    def keep_result(self, key: Digest, data: bytes) -> None:
        self._put(f"ac/{key.hash}", len(data), [data])

    def missing(self, digests: Sequence[Digest]) -> tuple[Digest, ...]:
        there = self._pool.map(self._has, digests)
        return tuple(digest for digest, is_there in zip(digests, there, strict=True) if not is_there)

    def read_many(self, digests: Sequence[Digest]) -> Iterable[tuple[Digest, bytes]]:
        for digest, data in zip(digests, self._pool.map(self._small, digests), strict=True):
            if data is not None:
                yield digest, data

    def read(self, digest: Digest, offset: int) -> Iterator[bytes]:
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        with self._asked("GET", f"cas/{digest.hash}", headers, digest.size) as answer:
            if answer.status == 404:
                raise KeyError(digest)
            begin = 0
            if answer.status == 206 and (answer.getheader("Content-Range") or "").startswith(f"bytes {offset}-"):
                begin = offset
            else:
                self._expect(answer, 200)
            if answer.length is not None and answer.length != digest.size - begin:
                raise RemoteError(
                    "wrong", f"a blob of {answer.length + begin} bytes where {digest.size} were asked for"
                )
            skip = offset - begin
            while part := answer.read1(PART):
                yield part[skip:]
                skip = max(0, skip - len(part))
            if answer.length:
                raise RemoteError("transient", "the connection ended within a blob")

    def write_many(self, blobs: Sequence[tuple[Digest, bytes]]) -> None:
        for _ in self._pool.map(lambda blob: self._put(f"cas/{blob[0].hash}", blob[0].size, [blob[1]]), blobs):
            pass

    def write(self, digest: Digest, source: Callable[[], BinaryIO]) -> None:
        with source() as file:
            self._put(f"cas/{digest.hash}", digest.size, iter(lambda: file.read(PART), b""))

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            every = tuple(self._all)
        for connection in every:
            connection.cut()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _has(self, digest: Digest) -> bool:
        with self._asked("HEAD", f"cas/{digest.hash}") as answer:
            if answer.status == 404:
                return False
            self._expect(answer, 200, 204)
            return True

    def _small(self, digest: Digest) -> bytes | None:
        try:
            parts: list[bytes] = []
            size = 0
            for part in self.read(digest, 0):
                parts.append(part)
                size += len(part)
                if size > digest.size:
                    break
            return b"".join(parts)
        except KeyError:
            return None

    def _put(self, path: str, size: int, parts: Iterable[bytes]) -> None:
        headers = {"Content-Length": str(size), "Content-Type": "application/octet-stream"}
        with self._asked("PUT", path, headers, size, parts) as answer:
            self._expect(answer, 200, 201, 202, 204)

    @contextlib.contextmanager
    def _asked(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        size: int = 0,
        body: Iterable[bytes] = (),
    ) -> Iterator[http.client.HTTPResponse]:
        """The answer to a request; its connection is used again if the answer was read to its end."""
        credentials = self._credentials.headers()
        with self._room:
            connection = self._connection()
            is_whole = False
            try:
                connection.clock.begin(self._settings.timeout_seconds + size / LEAST_RATE)
                connection.send_request(method, f"{self._prefix}/{path}", {**credentials, **(headers or {})}, body)
                with connection.getresponse() as answer:
                    yield answer
                    # What an error says is no use, and may have no end.
                    is_whole = answer.isclosed() or (method == "HEAD") or answer.length == 0
                    is_whole = is_whole and not answer.will_close
            except ssl.SSLCertVerificationError as error:
                raise RemoteError("lasting", f"its certificate is not to be trusted: {error.verify_message}") from None
            except ssl.SSLError as error:
                raise RemoteError("lasting", f"no encrypted connection: {error.reason or error}".lower()) from None
            except TimeoutError:
                raise RemoteError("slow", f"it did not answer within {self._settings.timeout_seconds:g} s") from None
            except _BROKEN as error:
                raise RemoteError("transient", _in_words(error)) from None
            finally:
                self._give_back(connection, is_whole)

    def _expect(self, answer: http.client.HTTPResponse, *statuses: int) -> None:
        status = answer.status
        if status in statuses:
            return
        reason = f"it answered {status} {http.client.responses.get(status, '')}".rstrip()
        if status in (401, 403, 405, 407):
            is_worth_trying = status == 401 and self._credentials.renew()
            raise RemoteError("transient" if is_worth_trying else "refused", reason)
        if status in _AGAIN:
            raise RemoteError("transient", reason, _pause(answer.getheader("Retry-After")))
        if 300 <= status < 400:
            reason += ", a redirect, which is not followed: credentials are for the address that was named"
        raise RemoteError("lasting", reason)

    def _connection(self) -> _Connection:
        with self._lock:
            if self._is_closed:
                raise RemoteError("lasting", "it has been closed")
            if self._idle:
                return self._idle.pop()
            made = _Connection(self._settings, self._tls)
            self._all.add(made)
            return made

    def _give_back(self, connection: _Connection, is_whole: bool) -> None:
        if not is_whole:
            connection.close()
        with self._lock:
            if is_whole and not self._is_closed:
                self._idle.append(connection)
            else:
                self._all.discard(connection)


class _Connection(http.client.HTTPConnection):
    """One connection, whose every wait asks its clock."""

    def __init__(self, settings: Settings, tls: ssl.SSLContext | None) -> None:
        super().__init__(settings.endpoint.host, settings.endpoint.port)
        self.clock = Clock(settings.timeout_seconds)
        self._tls = tls

    def connect(self) -> None:
        self.sock = connect(self.host, self.port, self.clock, self._tls)

    def send_request(self, method: str, path: str, headers: Mapping[str, str], body: Iterable[bytes]) -> None:
        """A kept connection may have ended meanwhile: then the answer fails, and the whole is tried again."""
        self.putrequest(method, path, skip_accept_encoding=True)
        for name, value in headers.items():
            self.putheader(name, value)
        self.endheaders()
        # Who refuses a body may answer and hang up before it is sent.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for part in body:
                self.send(part)

    def cut(self) -> None:
        """Ends it from another thread."""
        import socket

        sock = self.sock
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


def _pause(header: str | None) -> float:
    return float(header) if header is not None and header.isdecimal() and len(header) < 6 else 0.0


def _in_words(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "nobody listens there"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return f"its answer cannot be understood ({type(error).__name__})"
