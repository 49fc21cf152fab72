"""What is wrong with the flags is said before anything is sent."""

from __future__ import annotations

import pytest

from mlbuild.diagnostics import ExitCode, UserError
from mlbuild.remote.settings import endpoint_of, headers_of, settings_of


def refusal(values: dict[str, str], *headers: str) -> str:
    with pytest.raises(UserError) as caught:
        settings_of(values, headers)
    assert caught.value.exit_code == ExitCode.COMMAND_LINE
    (diagnostic,) = caught.value.diagnostics
    return f"{diagnostic.message}\n{diagnostic.hint}"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("https://cache.example", "https://cache.example:443"),
        ("http://[::1]:80/team/", "http://[::1]:80/team"),
    ],
)
def test_an_address(written: str, meant: str) -> None:
    assert str(endpoint_of(written)) == meant


def test_no_cache_is_asked_for() -> None:
    assert settings_of({}, ()) is None
    assert settings_of({"remote_cache": ""}, ()) is None


def test_an_unknown_scheme() -> None:
    assert refusal({"remote_cache": "ftp://host"}).startswith("`--remote_cache` does not know the scheme `ftp`\n")


def test_a_password_in_the_address_is_refused_and_not_repeated() -> None:
    said = refusal({"remote_cache": "https://me:s3cr3t@host"})
    assert "s3cr3t" not in said
    assert "`--credential_helper`" in said


def test_a_port_that_is_none() -> None:
    assert refusal({"remote_cache": "http://host:99999"}).startswith(
        "`--remote_cache` is no address: port out of range"
    )


def test_no_host() -> None:
    assert refusal({"remote_cache": "http://"}).startswith("`--remote_cache=http://` names no host\n")


def test_a_secret_never_goes_in_the_clear() -> None:
    said = refusal({"remote_cache": "http://cache.example"}, "authorization=Bearer s3cr3t")
    assert said == "the header `authorization` would go to `http://cache.example:80` in the clear\nuse `https://`"
    helped = refusal({"remote_cache": "http://cache.example", "credential_helper": "/bin/helper"})
    assert helped.startswith("what `--credential_helper` gives would go")
    assert settings_of({"remote_cache": "http://127.0.0.1"}, ("authorization=x",)) is not None


def test_half_a_client_certificate() -> None:
    said = refusal({"remote_cache": "https://host", "tls_client_key": "/key"})
    assert said.startswith("a client certificate and its key go together\n")


def test_a_certificate_for_nothing() -> None:
    assert "is not encrypted\nwrite `https://`" in refusal({"remote_cache": "http://host", "tls_certificate": "/ca"})


@pytest.mark.parametrize("header", ["no-value", "host=x", "x=a\nb", "a b=c", "=x"])
def test_a_header_that_is_none(header: str) -> None:
    with pytest.raises(UserError):
        headers_of((header,))


def test_secrets_do_not_show() -> None:
    settings = settings_of({"remote_cache": "https://host"}, ("authorization=s3cr3t",))
    assert "s3cr3t" not in repr(settings)
