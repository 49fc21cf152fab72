"""Encryption: always verified, never older than TLS 1.2."""

from __future__ import annotations

import ssl
from pathlib import Path

from mlbuild.diagnostics import ExitCode, fail
from mlbuild.remote.settings import Settings


def context_of(settings: Settings) -> ssl.SSLContext:
    """For connections to the endpoint. Raises UserError for a certificate that cannot be used."""
    try:
        context = ssl.create_default_context(cafile=settings.certificate or None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
    except (OSError, ValueError) as error:
        raise unusable("tls_certificate", settings.certificate, error) from None
    if settings.client_certificate:
        try:
            context.load_cert_chain(settings.client_certificate, settings.client_key)
        except (OSError, ValueError) as error:
            raise unusable("tls_client_certificate", settings.client_certificate, error) from None
    return context


def bytes_of(path: str, flag: str) -> bytes:
    """A certificate's or a key's file. Raises UserError."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise unusable(flag, path, error) from None


def unusable(flag: str, path: str, error: Exception) -> Exception:
    """A file with a certificate or a key is not what its flag needs."""
    why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return fail(
        "tls-file",
        f"`--{flag}={path}` cannot be used: {why}",
        hint="it is a file in PEM; the certificate and the key belong together",
        exit_code=ExitCode.COMMAND_LINE,
    )
