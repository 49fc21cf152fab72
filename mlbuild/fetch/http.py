"""A file from an address, pinned by its SHA-256."""

from __future__ import annotations

import re
import tempfile

from mlbuild.diagnostics import UserError, fail
from mlbuild.fetch.download import LIMITS, Limits, NotThere, download
from mlbuild.fetch.settings import IndexSettings, without_credentials
from mlbuild.seams import ContentStore
from mlbuild.terms import FileValue


def checked_sha256(text: str) -> str:
    """The hash in lower case. Raises UserError."""
    name = text.strip().lower().removeprefix("sha256:")
    if not re.fullmatch(r"[0-9a-f]{64}", name):
        raise fail(
            "bad-hash",
            f"`{text}` is no SHA-256",
            hint="write its 64 hexadecimal digits, as `sha256sum FILE` prints them",
        )
    return name


def fetch_http(
    url: str, sha256: str, settings: IndexSettings, store: ContentStore, folder: str, limits: Limits = LIMITS
) -> FileValue:
    """The file's value, in the store; `folder` holds it on its way. Raises UserError."""
    expected = checked_sha256(sha256)
    with tempfile.TemporaryFile(dir=folder) as file:
        try:
            found = download(url, file, settings, limits)
        except NotThere:
            raise fail("not-there", f"there is nothing at `{without_credentials(url)}`") from None
        if found != expected:
            raise mismatch(without_credentials(url), expected, found)
        file.seek(0)
        digest = store.put_stream(file)
    if digest.hash != expected:
        raise mismatch(without_credentials(url), expected, digest.hash)
    return FileValue(digest)


def mismatch(what: str, expected: str, found: str) -> UserError:
    return fail(
        "hash-mismatch",
        f"`{what}` is not what is pinned: expected `sha256:{expected}`, got `sha256:{found}`",
        hint="if the new bytes are wanted, write their hash; if not, somebody changed the file at its source",
    )
