"""Encryption: verified before anything is shown, and never left out."""

from __future__ import annotations

from pathlib import Path

import pytest

grpc = pytest.importorskip("grpc")

from mlbuild.diagnostics import UserError  # noqa: E402
from tests.remote.certificates import certificates  # noqa: E402
from tests.remote.raw_http_cache import RawHttpCache  # noqa: E402
from tests.remote.reapi_server import ReapiServer  # noqa: E402
from tests.remote.small_build import EXPECTED, build  # noqa: E402

SECRET = (("authorization", "Bearer s3cr3t"),)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificates(tmp_path_factory.mktemp("pki") / "right")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of another authority, for another host, run out."""
    return certificates(tmp_path_factory.mktemp("pki") / "other", "DNS:elsewhere.example", -1)


def encrypted(pki: Path, needs_client: bool = False) -> ReapiServer:
    pair = ((pki / "server.key").read_bytes(), (pki / "server.pem").read_bytes())
    return ReapiServer(
        credentials=grpc.ssl_server_credentials(
            [pair], (pki / "ca.pem").read_bytes() if needs_client else None, needs_client
        )
    )


def secure(server: ReapiServer) -> str:
    return f"grpcs://127.0.0.1:{server.port}"


def test_a_cache_of_an_authority_that_is_named(pki: Path) -> None:
    with encrypted(pki) as server:
        build(secure(server), certificate=str(pki / "ca.pem"), headers=SECRET, timeout_seconds=5.0)
        second = build(secure(server), certificate=str(pki / "ca.pem"), headers=SECRET, timeout_seconds=5.0)
    assert (second.ran, second.warnings, second.outputs) == ([], [], EXPECTED)


@pytest.mark.parametrize("shown", ["unknown authority", "another host and run out", "no encryption"])
def test_nothing_is_shown_to_who_is_not_verified(pki: Path, other: Path, shown: str) -> None:
    with (
        encrypted(pki if shown == "unknown authority" else other)
        if shown != "no encryption"
        else ReapiServer() as server
    ):
        trusted = other if shown == "unknown authority" else pki
        if shown == "another host and run out":
            trusted = other
        built = build(secure(server), certificate=str(trusted / "ca.pem"), headers=SECRET, timeout_seconds=5.0)
        assert server.calls == []
    assert built.outputs == EXPECTED
    assert [each.code for each in built.warnings] == ["remote-left-aside"]


def test_a_cache_that_wants_to_know_who_we_are(pki: Path) -> None:
    ours = {"client_certificate": str(pki / "client.pem"), "client_key": str(pki / "client.key")}
    with encrypted(pki, needs_client=True) as server:
        stranger = build(secure(server), certificate=str(pki / "ca.pem"), timeout_seconds=5.0)
        assert server.calls == []
        known = build(secure(server), certificate=str(pki / "ca.pem"), timeout_seconds=5.0, **ours)
    assert [each.code for each in stranger.warnings] == ["remote-left-aside"]
    assert known.warnings == []


def test_an_https_cache_that_does_not_encrypt_sees_nothing(pki: Path) -> None:
    with RawHttpCache() as server:
        built = build(f"https://127.0.0.1:{server.port}", certificate=str(pki / "ca.pem"), headers=SECRET)
        assert [asked for asked in server.asked if "s3cr3t" in str(asked)] == []
    assert built.outputs == EXPECTED
    assert [each.code for each in built.warnings] == ["remote-left-aside"]


@pytest.mark.parametrize("scheme", ["grpcs", "https"])
def test_a_file_that_is_no_certificate(tmp_path: Path, scheme: str) -> None:
    (tmp_path / "ca.pem").write_text("no certificate", encoding="ascii")
    for path, why in ((tmp_path / "ca.pem", ""), (tmp_path / "none.pem", "No such file or directory")):
        with pytest.raises(UserError, match=f"`--tls_certificate={path}` cannot be used: {why}"):
            build(f"{scheme}://127.0.0.1:9", certificate=str(path))
