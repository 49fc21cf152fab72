"""An HTTP cache on a loopback port, in this process, that does wrong what a test wants: it writes raw bytes."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field


@dataclass
class Asked:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""

    @property
    def kind(self) -> str:
        """`ac` or `cas`."""
        return self.path.split("/")[-2]


Wrong = Callable[["RawHttpCache", Asked], Iterable[bytes] | None]
"""The raw bytes to answer with, after which the connection ends; nothing: answer as a cache should."""


@dataclass
class RawHttpCache:
    """Right, but for `wrong`."""

    wrong: Wrong | None = None
    kept: dict[str, bytes] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    port: int = 0

    def __enter__(self) -> RawHttpCache:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._open: set[socket.socket] = set()
        self.ended = threading.Event()
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self._listener.close()
        for each in tuple(self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stall(self, seconds: float = 30.0) -> Iterator[bytes]:
        """Nothing comes, until the test is over."""
        self.ended.wait(seconds)
        yield b""

    def drip(self, data: bytes) -> Iterator[bytes]:
        for byte in data:
            if self.ended.wait(0.05):
                return
            yield bytes([byte])

    def right(self, asked: Asked) -> bytes:
        """What a cache should answer, whole."""
        if asked.method == "PUT":
            self.kept[asked.path] = asked.body
            return answer(b"", "201 Created")
        data = self.kept.get(asked.path)
        if data is None:
            return answer(b"", "404 Not Found")
        begin = int(asked.headers.get("range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        head = answer(data)[: -len(data) or None] if data else answer(data)
        if begin:
            rest = data[begin:]
            return answer(rest, "206 Partial Content", f"Content-Range: bytes {begin}-{len(data) - 1}/{len(data)}\r\n")
        return head if asked.method == "HEAD" else answer(data)

    def _accept(self) -> None:
        while not self.ended.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), connection, connection.makefile("rb") as file:
            while (asked := _read(file)) is not None:
                self.asked.append(asked)
                wrong = None if self.wrong is None else self.wrong(self, asked)
                if wrong is None:
                    connection.sendall(self.right(asked))
                    continue
                for part in wrong:
                    connection.sendall(part)
                connection.shutdown(socket.SHUT_WR)
                # Unread bytes would turn the end into a reset, which is another fault.
                connection.settimeout(1)
                while connection.recv(1 << 16):
                    pass
                return
        self._open.discard(connection)


def answer(body: bytes, status: str = "200 OK", headers: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


def _read(file: object) -> Asked | None:
    line = file.readline().decode("latin-1").split()  # type: ignore[attr-defined]
    if len(line) != 3:
        return None
    headers: dict[str, str] = {}
    while text := file.readline().decode("latin-1").strip():  # type: ignore[attr-defined]
        name, _, value = text.partition(":")
        headers[name.lower()] = value.strip()
    body = file.read(int(headers.get("content-length", "0")))  # type: ignore[attr-defined]
    return Asked(line[0], line[1], headers, body)


def reset(connection: socket.socket) -> None:
    """Ends a connection as a crash does."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()
    time.sleep(0)
