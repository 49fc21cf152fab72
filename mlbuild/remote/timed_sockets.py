"""Sockets that nobody can make us wait at: each wait is bounded, and so is all that belongs to one request."""

from __future__ import annotations

import socket
import ssl
import time
from typing import Any

PIECE = 64 << 10


class Clock:
    """How long one read or write may take, and until when the whole request must be done."""

    def __init__(self, patience: float) -> None:
        self.patience = patience
        self.deadline = time.monotonic() + patience

    def begin(self, seconds: float) -> None:
        """A request begins that may take so long."""
        self.deadline = time.monotonic() + seconds

    def left(self) -> float:
        """How long may be waited now. Raises TimeoutError."""
        left = min(self.deadline - time.monotonic(), self.patience)
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        return left


class TimedSocket(socket.socket):
    """A socket whose every wait asks the clock."""

    clock: Clock

    def recv_into(self, *args: Any, **named: Any) -> int:
        self.settimeout(self.clock.left())
        return super().recv_into(*args, **named)

    def sendall(self, data: Any, flags: int = 0) -> None:
        view = memoryview(data).cast("B")
        for start in range(0, len(view), PIECE):
            self.settimeout(self.clock.left())
            super().sendall(view[start : start + PIECE], flags)


class TimedTLSSocket(TimedSocket, ssl.SSLSocket):
    """The same, encrypted."""


def connect(host: str, port: int, clock: Clock, tls: ssl.SSLContext | None) -> TimedSocket:
    """A connection; an encrypted one is verified before it is returned, and nothing is sent before. Raises OSError."""
    raw = socket.create_connection((host, port), timeout=clock.left())
    try:
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is None:
            plain = TimedSocket(raw.family, raw.type, raw.proto, fileno=raw.detach())
            plain.clock = clock
            return plain
        tls.sslsocket_class = TimedTLSSocket
        raw.settimeout(clock.left())
        wrapped = tls.wrap_socket(raw, server_hostname=host)
        assert isinstance(wrapped, TimedTLSSocket)
        wrapped.clock = clock
        return wrapped
    except BaseException:
        raw.close()
        raise
