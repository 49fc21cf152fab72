"""Which remote cache, and how: read from flags once, checked before anything is sent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, NoReturn

from mlbuild.diagnostics import ExitCode, fail
from mlbuild.records import field, record

Download = Literal["all", "toplevel", "minimal"]

PLAIN, SECURE = ("grpc", "http"), ("grpcs", "https")
SCHEMES = (*PLAIN, *SECURE, "unix")
_PORTS = {"grpc": 80, "grpcs": 443, "http": 80, "https": 443}
_SECRET = re.compile(r"auth|token|key|secret|cookie|password|credential", re.IGNORECASE)
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "content-type", "te", "range"})


@record
class Endpoint:
    """Where a remote cache is. `path` is a prefix (`http`), or the socket's file (`unix`)."""

    scheme: str
    host: str
    port: int
    path: str = ""

    def __str__(self) -> str:
        if self.scheme == "unix":
            return f"unix:{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.path}"

    @property
    def is_secure(self) -> bool:
        return self.scheme in SECURE

    @property
    def is_on_this_machine(self) -> bool:
        return self.scheme == "unix" or self.host in ("localhost", "::1") or self.host.startswith("127.")


@record
class Settings:
    """What the flags say, checked. Secrets never show in its `repr`."""

    endpoint: Endpoint
    instance: str = ""
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """In lower case, in the order given."""
    certificate: str = ""
    client_certificate: str = ""
    client_key: str = ""
    credential_helper: str = ""
    timeout_seconds: float = 60.0
    retries: int = 5
    connections: int = 8
    accept_cached: bool = True
    upload_results: bool = True
    download: Download = "all"


def endpoint_of(text: str) -> Endpoint:
    """The endpoint that `--remote_cache` names. Raises UserError."""
    from urllib.parse import urlsplit

    if text.startswith("unix:"):
        path = "/" + text.removeprefix("unix:").lstrip("/")
        if path == "/":
            _refuse(f"`--remote_cache={text}` names no socket", "write `unix:/path/of/the/socket`")
        return Endpoint("unix", "", 0, path)
    scheme, separator, _ = text.partition("://")
    if not separator:
        text, scheme = f"grpcs://{text}", "grpcs"  # as Bazel reads it: never in the clear by accident
    if scheme not in SCHEMES or scheme == "unix":
        _refuse(
            f"`--remote_cache` does not know the scheme `{scheme}`",
            "it is one of `grpcs://`, `grpc://`, `https://`, `http://`, `unix:`",
        )
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        _refuse(f"`--remote_cache` is no address: {str(error).lower()}", "write SCHEME://HOST:PORT")
    if parts.username is not None or parts.password is not None:
        _refuse(
            "`--remote_cache` holds a user or a password, which logs and process lists would show",
            "take them out and give them by `--credential_helper`, or by `--remote_header` in a private rc file",
        )
    if not host:
        _refuse(f"`--remote_cache={text}` names no host", "write SCHEME://HOST:PORT")
    path = parts.path.rstrip("/")
    if parts.query or parts.fragment or (path and scheme.startswith("grpc")):
        _refuse(
            f"`--remote_cache={text}` has more than a host and a port",
            "name a part of the cache with `--remote_instance_name`",
        )
    return Endpoint(scheme, host, port or _PORTS[scheme], path)


def headers_of(written: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """The headers of `--remote_header=NAME=VALUE`. Raises UserError, which never tells a value."""
    found: list[tuple[str, str]] = []
    for each in written:
        name, separator, value = each.partition("=")
        if not separator or not _HEADER.fullmatch(name):
            _refuse(
                f"`--remote_header={name if separator else '…'}` is no header",
                "write NAME=VALUE, as in `--remote_header=x-team=ranking`",
            )
        if name.lower() in _OURS or not value.isprintable() or not value.isascii():
            _refuse(
                f"`--remote_header` cannot set `{name}` to this",
                "the value is printable ASCII, and what the protocol itself says is not set by hand",
            )
        found.append((name.lower(), value))
    return tuple(found)


def checked(settings: Settings) -> Settings:
    """The same settings. Raises UserError for what contradicts itself or would show a credential to listeners."""
    endpoint = settings.endpoint
    if settings.timeout_seconds <= 0:
        _refuse("`--remote_timeout` must be more than 0", "give seconds, as in `--remote_timeout=60`")
    if bool(settings.client_certificate) != bool(settings.client_key):
        _refuse(
            "a client certificate and its key go together",
            "give both `--tls_client_certificate` and `--tls_client_key`",
        )
    if settings.certificate and not endpoint.is_secure:
        _refuse(
            f"`--tls_certificate` is given, but `{endpoint}` is not encrypted",
            f"write `{'https' if endpoint.scheme == 'http' else 'grpcs'}://` for `--remote_cache`",
        )
    secret = next((name for name, _ in settings.headers if _SECRET.search(name)), None)
    if not endpoint.is_secure and not endpoint.is_on_this_machine and (secret or settings.credential_helper):
        what = f"the header `{secret}`" if secret else "what `--credential_helper` gives"
        _refuse(
            f"{what} would go to `{endpoint}` in the clear",
            f"use `{'https' if endpoint.scheme == 'http' else 'grpcs'}://`",
        )
    return settings


def settings_of(values: Mapping[str, str], headers: tuple[str, ...]) -> Settings | None:
    """Settings from the flags' values by name; nothing where no remote cache is asked for. Raises UserError."""
    if not values.get("remote_cache"):
        return None
    download: Download = "all"
    if values.get("remote_download_outputs") == "toplevel":
        download = "toplevel"
    elif values.get("remote_download_outputs") == "minimal":
        download = "minimal"
    return checked(
        Settings(
            endpoint_of(values["remote_cache"]),
            values.get("remote_instance_name", ""),
            headers_of(headers),
            values.get("tls_certificate", ""),
            values.get("tls_client_certificate", ""),
            values.get("tls_client_key", ""),
            values.get("credential_helper", ""),
            float(values.get("remote_timeout") or 60),
            int(values.get("remote_retries") or 5),
            int(values.get("remote_max_connections") or 8),
            values.get("remote_accept_cached", "yes") == "yes",
            values.get("remote_upload_local_results", "yes") == "yes",
            download,
        )
    )


def _refuse(message: str, hint: str) -> NoReturn:
    raise fail("remote-flag", message, hint=hint, exit_code=ExitCode.COMMAND_LINE)
