"""One file from an address: bounded in size, time and redirects, and hashed on the way."""

from __future__ import annotations

import hashlib
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, BinaryIO, Protocol

from mlbuild.diagnostics import UserError, fail
from mlbuild.fetch.settings import IndexSettings, without_credentials
from mlbuild.records import record

if TYPE_CHECKING:
    import urllib.request
    from http.client import HTTPMessage

_CHUNK = 1 << 20
_MAX_REDIRECTS = 8
_SCHEMES = ("https", "http", "file")


class Readable(Protocol):
    def read(self, size: int = ..., /) -> bytes: ...


@record
class Limits:
    """What a download may take. `pauses` are the seconds to wait before each further try."""

    bytes: int = 16 << 30
    seconds: float = 30.0
    pauses: tuple[float, ...] = (0.5, 2.0)


LIMITS = Limits()


class NotThere(Exception):
    """The server says that there is nothing at the address."""


def download(url: str, target: BinaryIO, settings: IndexSettings, limits: Limits = LIMITS) -> str:
    """Writes what `url` has into `target` and returns its SHA-256 in hex.

    Raises:
        NotThere: if the server says so.
        UserError: if it cannot be had, or is larger than the limit.
    """
    for pause in (*limits.pauses, None):
        target.seek(0)
        target.truncate()
        try:
            with opened(url, settings, limits) as source:
                return _copy(source, target, url, limits)
        except _Broken as error:
            if pause is None:
                raise _unreachable(url, str(error)) from None
            time.sleep(pause)
    raise AssertionError("the last try returns or raises")


def read(url: str, accept: str, settings: IndexSettings, limits: Limits) -> tuple[bytes, str, str]:
    """(content, media type, address after redirects) of a small document. Raises NotThere, UserError."""
    for pause in (*limits.pauses, None):
        try:
            with opened(url, settings, limits, accept) as source:
                content = source.read(limits.bytes + 1)
                if len(content) > limits.bytes:
                    raise _too_large(url, limits)
                return content, source.media_type, source.url
        except _Broken as error:
            if pause is None:
                raise _unreachable(url, str(error)) from None
            time.sleep(pause)
    raise AssertionError("the last try returns or raises")


@record
class Source:
    """What an address gave: a stream that turns every failure to read into `_Broken`."""

    stream: Readable
    media_type: str
    url: str
    length: int | None = None

    def read(self, size: int) -> bytes:
        import http.client

        try:
            return self.stream.read(size)
        except (OSError, http.client.HTTPException) as error:
            raise _Broken(str(error) or type(error).__name__) from None


class _Broken(Exception):
    """It failed in a way that may pass."""


@contextmanager
def opened(url: str, settings: IndexSettings, limits: Limits, accept: str = "*/*") -> Iterator[Source]:
    """The address opened for reading. Raises NotThere, UserError."""
    import http.client
    import urllib.error
    import urllib.request

    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in _SCHEMES:
        raise fail(
            "bad-address",
            f"`{without_credentials(url)}` is no address that can be downloaded",
            hint="it must begin with `https://` (or `http://`, `file://`)",
        )
    headers = {"Accept": accept, "Accept-Encoding": "identity", "User-Agent": "mlbuild"}
    if parts.username is not None:
        headers["Authorization"] = _basic(parts.username, parts.password or "")
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    request = urllib.request.Request(bare, headers=headers)
    try:
        response: IO[bytes] = _opener(settings, parts.scheme).open(request, timeout=limits.seconds)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code in (404, 410):
            raise NotThere(without_credentials(url)) from None
        if error.code in (408, 429) or error.code >= 500:
            raise _Broken(f"the server answered {error.code}") from None
        raise _unreachable(url, f"the server answered {error.code} {error.reason}") from None
    except urllib.error.URLError as error:
        if isinstance(error.reason, FileNotFoundError | IsADirectoryError | NotADirectoryError):
            raise NotThere(without_credentials(url)) from None
        raise _Broken(_reason(error.reason)) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _Broken(_reason(error)) from None
    with response:
        head: HTTPMessage | None = getattr(response, "headers", None)
        length = head.get("Content-Length", "") if head else ""
        yield Source(
            response,
            head.get_content_type() if head else "",
            response.geturl(),  # type: ignore[attr-defined]
            int(length) if length.isdecimal() else None,
        )


def _copy(source: Source, target: BinaryIO, url: str, limits: Limits) -> str:
    digest, size = hashlib.sha256(), 0
    while chunk := source.read(_CHUNK):
        size += len(chunk)
        if size > limits.bytes:
            raise _too_large(url, limits)
        digest.update(chunk)
        target.write(chunk)
    # A connection that is cut looks like an end to `http.client` when it reads in pieces.
    if source.length is not None and size != source.length:
        raise _Broken(f"it ended after {size} of {source.length} bytes")
    target.flush()
    return digest.hexdigest()


def _opener(settings: IndexSettings, scheme: str) -> urllib.request.OpenerDirector:
    import ssl
    import urllib.request

    class SameDoor(urllib.request.HTTPRedirectHandler):
        """Follows a redirect to the web only, never from https to http, and tells no other host who we are."""

        max_redirections = _MAX_REDIRECTS

        def redirect_request(
            self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
        ) -> urllib.request.Request | None:
            new, old = urllib.parse.urlsplit(newurl), urllib.parse.urlsplit(req.full_url)
            if new.scheme not in ("https", "http") or (old.scheme == "https" and new.scheme != "https"):
                raise _unreachable(req.full_url, f"it redirects to `{without_credentials(newurl)}`")
            request = super().redirect_request(req, fp, code, msg, headers, newurl)
            if request is not None and (new.scheme, new.hostname, new.port) != (old.scheme, old.hostname, old.port):
                request.remove_header("Authorization")
            return request

    handlers: list[urllib.request.BaseHandler] = [_proxies(settings), SameDoor()]
    if scheme == "https":
        try:
            context = ssl.create_default_context(cafile=settings.certificates)
        except (OSError, ssl.SSLError) as error:
            raise fail(
                "bad-certificates", f"`{settings.certificates}` cannot be used as certificates: {_reason(error)}"
            ) from None
        handlers.append(urllib.request.HTTPSHandler(context=context))
    return urllib.request.build_opener(*handlers)


def _proxies(settings: IndexSettings) -> urllib.request.ProxyHandler:
    """The settings' proxies and no others: urllib would look at the variables of this process."""
    import urllib.request

    proxies = dict(settings.proxies)
    without = proxies.pop("no", "")
    everything = proxies.pop("all", None)
    if everything:
        proxies = {"http": everything, "https": everything, **proxies}

    class Proxies(urllib.request.ProxyHandler):
        def proxy_open(self, req: urllib.request.Request, proxy: str, type: str) -> object:
            if req.host and _is_direct(req.host, without):
                return None
            return super().proxy_open(req, proxy, type)

    return Proxies(proxies)


def _is_direct(host: str, without: str) -> bool:
    name = (urllib.parse.urlsplit(f"//{host}").hostname or "").lower()
    for each in without.split(","):
        suffix = each.strip().lower().removeprefix("*").lstrip(".").partition(":")[0]
        if each.strip() == "*" or (suffix and (name == suffix or name.endswith("." + suffix))):
            return True
    return False


def _basic(user: str, password: str) -> str:
    import base64

    text = f"{urllib.parse.unquote(user)}:{urllib.parse.unquote(password)}"
    return "Basic " + base64.b64encode(text.encode()).decode()


def _reason(error: object) -> str:
    return str(getattr(error, "strerror", None) or getattr(error, "reason", None) or error)


def _unreachable(url: str, reason: str) -> UserError:
    return fail(
        "not-downloaded",
        f"`{without_credentials(url)}` cannot be downloaded: {reason}",
        hint="check the network, the proxy and the address",
    )


def _too_large(url: str, limits: Limits) -> UserError:
    return fail("too-large", f"`{without_credentials(url)}` is larger than {limits.bytes} bytes")
