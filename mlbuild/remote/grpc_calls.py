"""Calls over gRPC: bytes in, bytes out, each with a deadline, and what went wrong in our words. The only file that knows gRPC."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NoReturn, cast

# What goes wrong is told by us, once: gRPC's own lines would stand in the middle of the display. It reads this when it starts.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

import grpc

from mlbuild.reapi.services import retry_delay
from mlbuild.remote.credentials import Credentials
from mlbuild.remote.idle import IdleWatch, Watched
from mlbuild.remote.settings import Endpoint, Settings
from mlbuild.remote.tls import bytes_of, context_of
from mlbuild.remote.trouble import Kind, NotThere, RemoteError, Unknown

LARGEST_MESSAGE = 32 << 20
OPTIONS: tuple[tuple[str, int | str], ...] = (
    ("grpc.enable_retries", 0),  # we count them
    ("grpc.enable_http_proxy", 0),  # a proxy is an address that nobody has named
    ("grpc.max_receive_message_length", LARGEST_MESSAGE),
    ("grpc.max_send_message_length", -1),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.ping_timeout_ms", 10_000),  # without it a server that hangs goes unnoticed
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.use_local_subchannel_pool", 1),
)
_TRANSIENT = ("UNAVAILABLE", "RESOURCE_EXHAUSTED", "ABORTED", "INTERNAL", "UNKNOWN", "CANCELLED")
_CERTIFICATE = ("certificate", "handshake", "ssl", "tls", "peer name")
_LONGEST_REASON = 200


class Calls:
    """One channel to the endpoint. What fails raises RemoteError."""

    def __init__(self, settings: Settings, credentials: Credentials, metadata: Mapping[str, bytes]) -> None:
        """Raises UserError for a certificate that cannot be used."""
        self._settings = settings
        self._credentials = credentials
        self._metadata = tuple(metadata.items())
        self._idle = IdleWatch(settings.timeout_seconds)
        options = list(OPTIONS)
        endpoint = settings.endpoint
        if endpoint.is_secure:
            self._channel = grpc.secure_channel(_target(endpoint), _encryption(settings), options)
        else:
            self._channel = grpc.insecure_channel(_target(endpoint), options)

    def unary(self, method: str, request: bytes, seconds: float) -> bytes:
        headers = self._headers()
        try:
            return cast(bytes, self._channel.unary_unary(method)(request, timeout=seconds, metadata=headers))
        except grpc.RpcError as error:
            self._raise(error, headers)
        except ValueError:
            raise _closed() from None

    def stream_in(self, method: str, request: bytes, seconds: float) -> Iterator[bytes]:
        """The answers to one request. Ending early ends the call."""
        headers = self._headers()
        try:
            call = self._channel.unary_stream(method)(request, timeout=seconds, metadata=headers)
        except ValueError:
            raise _closed() from None
        watched = self._idle.watch(call)
        try:
            for data in cast(Iterable[bytes], call):
                watched.touch()
                yield data
                watched.touch()
        except grpc.RpcError as error:
            if watched.is_ended:
                raise self._slow() from None
            self._raise(error, headers)
        finally:
            self._idle.done(watched)
            call.cancel()

    def stream_out(self, method: str, requests: Callable[[], Iterator[bytes]], seconds: float) -> bytes:
        """The one answer to many requests. What goes wrong with making them comes through."""
        headers = self._headers()
        problems: list[Exception] = []
        watched: Watched | None = None

        def guarded() -> Iterator[bytes]:
            try:
                for request in requests():
                    if watched is not None:
                        watched.touch()
                    yield request
            except Exception as error:
                problems.append(error)
                raise

        try:
            call = self._channel.stream_unary(method).future(guarded(), timeout=seconds, metadata=headers)
        except ValueError:
            raise _closed() from None
        watched = self._idle.watch(call)
        try:
            return cast(bytes, call.result())
        except (grpc.RpcError, grpc.FutureCancelledError) as error:
            if problems:
                raise problems[0] from None
            if watched.is_ended or not isinstance(error, grpc.RpcError):
                raise self._slow() from None
            self._raise(error, headers)
        finally:
            self._idle.done(watched)
            call.cancel()

    def close(self) -> None:
        """Ends every call."""
        self._channel.close()

    def _headers(self) -> tuple[tuple[str, str | bytes], ...]:
        return (*self._credentials.headers().items(), *self._metadata)

    def _slow(self) -> RemoteError:
        return RemoteError("slow", f"it did not answer within {self._settings.timeout_seconds:g} s")

    def _raise(self, error: grpc.RpcError, headers: tuple[tuple[str, str | bytes], ...]) -> NoReturn:
        code: str = error.code().name
        if code == "NOT_FOUND":
            raise NotThere from None
        if code == "UNIMPLEMENTED":
            raise Unknown from None
        said = _clean(error.details() or "", headers)
        if code == "DEADLINE_EXCEEDED":
            raise self._slow() from None
        if code == "UNAUTHENTICATED" and self._credentials.renew():
            raise RemoteError("transient", said) from None
        raise RemoteError(_kind(code, said), _in_words(code, said), _pause(error)) from None


def _closed() -> RemoteError:
    """gRPC's ValueError: the channel has been closed, or a header is none."""
    return RemoteError("lasting", "it cannot be called")


def _kind(code: str, said: str) -> Kind:
    if code in ("UNAUTHENTICATED", "PERMISSION_DENIED"):
        return "refused"
    if code == "UNAVAILABLE" and any(word in said.lower() for word in _CERTIFICATE):
        return "lasting"
    return "transient" if code in _TRANSIENT else "lasting"


def _in_words(code: str, said: str) -> str:
    if "Connection refused" in said:
        return "nobody listens there"
    if "CERTIFICATE_VERIFY_FAILED" in said:
        return f"its certificate is not to be trusted: {said}"
    return f"it answered {code}" + (f": {said}" if said else "")


def _clean(text: str, headers: tuple[tuple[str, str | bytes], ...]) -> str:
    """A server may say anything, even the secret that it was shown."""
    for _, value in headers:
        if isinstance(value, str):
            for secret in (value, *value.split()):
                if len(secret) > 5:
                    text = text.replace(secret, "…")
    return "".join(character if character.isprintable() else " " for character in text)[:_LONGEST_REASON]


def _pause(error: grpc.RpcError) -> float:
    for name, value in error.trailing_metadata() or ():
        if name == "grpc-status-details-bin" and isinstance(value, bytes):
            try:
                return retry_delay(value)
            except ValueError:
                return 0.0
    return 0.0


def _target(endpoint: Endpoint) -> str:
    if endpoint.scheme == "unix":
        return f"unix:{endpoint.path}"
    return (
        f"dns:///[{endpoint.host}]:{endpoint.port}"
        if ":" in endpoint.host
        else f"dns:///{endpoint.host}:{endpoint.port}"
    )


def _encryption(settings: Settings) -> grpc.ChannelCredentials:
    context_of(settings)  # gRPC tells nothing of a file that it cannot use
    roots = settings.certificate or ssl.get_default_verify_paths().cafile
    return grpc.ssl_channel_credentials(
        bytes_of(roots, "tls_certificate") if roots and os.path.exists(roots) else None,
        bytes_of(settings.client_key, "tls_client_key") if settings.client_key else None,
        bytes_of(settings.client_certificate, "tls_client_certificate") if settings.client_certificate else None,
    )
