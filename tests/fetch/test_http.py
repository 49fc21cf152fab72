from __future__ import annotations

import hashlib
import tempfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from mlbuild.diagnostics import UserError
from mlbuild.fetch.download import Limits
from mlbuild.fetch.http import fetch_http
from mlbuild.fetch.settings import NO_SETTINGS, index_settings

BODY = b"hello"
SHA256 = hashlib.sha256(BODY).hexdigest()
QUICK = Limits(bytes=1000, seconds=5, pauses=(0.0, 0.0))


class Web(ThreadingHTTPServer):
    """A server on this machine that remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, str | None]] = []
        self.other = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Web

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers.get("Authorization")))
        times = sum(path == self.path for path, _ in self.server.asked)
        if self.path == "/flaky" and times < 3:
            return self._answer(503, b"")
        if self.path in ("/file", "/flaky"):
            return self._answer(200, BODY)
        if self.path == "/large":
            return self._answer(200, b"x" * 2000)
        if self.path == "/cut":
            self.send_response(200)
            self.send_header("Content-Length", "100")
            self.end_headers()
            self.wfile.write(b"x")
            return None
        for path, target in (
            ("/moved", "/file"),
            ("/loop", "/loop"),
            ("/out", "file:///etc/passwd"),
            ("/away", self.server.other),
        ):
            if self.path == path:
                return self._answer(302, b"", target)
        return self._answer(403 if self.path == "/secret" else 404, b"")

    def _answer(self, code: int, body: bytes, location: str = "") -> None:
        self.send_response(code)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


def fetched(url: str, store: Any, sha256: str = SHA256) -> bytes:
    value = fetch_http(url, sha256, NO_SETTINGS, store, tempfile.gettempdir(), QUICK)
    content: bytes = store.get(value.digest)
    return content


def code_of(url: str, store: Any, sha256: str = SHA256) -> str:
    with pytest.raises(UserError) as caught:
        fetched(url, store, sha256)
    return caught.value.diagnostics[0].code


def test_a_file_is_fetched_and_checked(web: Web, store: Any, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(BODY)
    assert fetched(f"{web.url}/file", store) == BODY
    assert fetched(f"file://{tmp_path}/f", store) == BODY
    assert fetched(f"{web.url}/file", store, f"sha256:{SHA256.upper()}") == BODY


def test_redirects_are_followed_but_not_forever_and_not_to_files(web: Web, store: Any) -> None:
    assert fetched(f"{web.url}/moved", store) == BODY
    assert code_of(f"{web.url}/loop", store) == "not-downloaded"
    assert len(web.asked) < 30
    assert code_of(f"{web.url}/out", store) == "not-downloaded"


def test_what_may_pass_is_tried_again(web: Web, store: Any) -> None:
    assert fetched(f"{web.url}/flaky", store) == BODY
    assert [path for path, _ in web.asked] == ["/flaky", "/flaky", "/flaky"]


def test_what_will_not_pass_is_not_tried_again(web: Web, store: Any) -> None:
    assert code_of(f"{web.url}/secret", store) == "not-downloaded"
    assert code_of(f"{web.url}/gone", store) == "not-there"
    assert len(web.asked) == 2


def test_other_bytes_are_refused_and_not_kept(web: Web, store: Any) -> None:
    assert code_of(f"{web.url}/file", store, "0" * 64) == "hash-mismatch"


def test_a_file_that_is_too_large_is_left(web: Web, store: Any) -> None:
    assert code_of(f"{web.url}/large", store) == "too-large"


def test_a_file_that_ends_early_is_no_file(web: Web, store: Any) -> None:
    assert code_of(f"{web.url}/cut", store) == "not-downloaded"


@pytest.mark.parametrize(
    ("url", "sha256", "code"),
    [("ftp://host/x", SHA256, "bad-address"), ("x", SHA256, "bad-address"), ("file:///x", "12", "bad-hash")],
)
def test_what_is_no_address_or_hash_is_said(url: str, sha256: str, code: str, store: Any) -> None:
    assert code_of(url, store, sha256) == code


def test_credentials_go_to_their_own_server_only(web: Web, store: Any) -> None:
    with Web() as other:
        threading.Thread(target=other.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        web.other = f"{other.url}/file"
        assert fetched(f"http://me:pw@127.0.0.1:{web.server_port}/away", store) == BODY
        other.shutdown()
    assert web.asked == [("/away", "Basic bWU6cHc=")]
    assert other.asked == [("/file", None)]


def test_errors_show_no_credentials(web: Web, store: Any) -> None:
    with pytest.raises(UserError) as caught:
        fetched(f"http://me:pw@127.0.0.1:{web.server_port}/secret", store)
    assert "pw" not in caught.value.diagnostics[0].message


def test_the_settings_proxy_is_used_and_those_of_the_process_are_not(
    web: Web, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert fetched(f"{web.url}/file", store) == BODY
    proxied = index_settings({"http_proxy": web.url})
    with pytest.raises(UserError):
        fetch_http("http://nobody.invalid/x", SHA256, proxied, store, tempfile.gettempdir(), QUICK)
    assert web.asked[-1][0] == "http://nobody.invalid/x"
    direct = index_settings({"http_proxy": "http://127.0.0.1:1", "no_proxy": "127.0.0.1"})
    assert store.get(fetch_http(f"{web.url}/file", SHA256, direct, store, tempfile.gettempdir(), QUICK).digest) == BODY
