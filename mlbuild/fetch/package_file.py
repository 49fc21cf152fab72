"""A wheel or sdist itself, not installed: by package, version and SHA-256, from wherever the user's indexes have it."""

from __future__ import annotations

import tempfile

from mlbuild.diagnostics import UserError, fail
from mlbuild.fetch.download import LIMITS, Limits, NotThere, download
from mlbuild.fetch.http import checked_sha256, mismatch
from mlbuild.fetch.index import PackageFile, package_files, version_in
from mlbuild.fetch.uv import Uv
from mlbuild.seams import ContentStore
from mlbuild.terms import FileValue


def fetch_package_file(
    package: str,
    version: str,
    sha256: str,
    filename: str,
    uv: Uv,
    store: ContentStore,
    folder: str,
    limits: Limits = LIMITS,
) -> FileValue:
    """The file with this hash, in the store; `folder` holds it on its way.

    Raises:
        UserError: if no index offers it; the notes list what they do offer.
    """
    expected = checked_sha256(sha256)
    offered = package_files(package, uv, limits)
    chosen = candidates(offered, package, version, expected, filename)
    got: list[tuple[str, str]] = []
    for each in chosen:
        with tempfile.TemporaryFile(dir=folder) as file:
            try:
                found = download(each.url, file, uv.settings, limits)
            except NotThere:
                continue
            if found != expected:
                got.append((each.name, found))
                continue
            file.seek(0)
            return FileValue(store.put_stream(file))
    for name, found in got:
        # Where the file is named, or the index promised the hash, other bytes are no mere miss.
        if name == filename or any(each.name == name and each.sha256 == expected for each in chosen):
            raise mismatch(name, expected, found)
    raise _not_offered(package, version, expected, filename, offered, dict(got))


def candidates(
    offered: tuple[PackageFile, ...], package: str, version: str, sha256: str, filename: str
) -> tuple[PackageFile, ...]:
    """The files that can be the one, best first: those with its hash, then those of the version with no hash said."""
    of_version = [
        each for each in offered if (each.name == filename if filename else _is_version(each.name, package, version))
    ]
    exact = [each for each in of_version if each.sha256 == sha256]
    return tuple(exact) + tuple(each for each in of_version if each.sha256 is None)


def _is_version(filename: str, package: str, version: str) -> bool:
    found = version_in(filename, package)
    if found is None:
        return False
    if found == version:
        return True
    from packaging.version import InvalidVersion, Version

    try:
        return Version(found) == Version(version)
    except InvalidVersion:
        return False


def _version_order(text: str) -> tuple[bool, object]:
    from packaging.version import InvalidVersion, Version

    try:
        return True, Version(text)
    except InvalidVersion:
        return False, text


def _not_offered(
    package: str, version: str, sha256: str, filename: str, offered: tuple[PackageFile, ...], got: dict[str, str]
) -> UserError:
    what = f"`{package}` {version}" + (f" (`{filename}`)" if filename else "")
    known = [each for each in offered if _is_version(each.name, package, version)]
    if not offered:
        return fail("no-such-package", f"no package index has a package `{package}`")
    if not known:
        versions = sorted({found for each in offered if (found := version_in(each.name, package))}, key=_version_order)
        return fail(
            "no-such-package-file",
            f"no package index has version {version} of `{package}`",
            notes=(f"it has {', '.join(versions[-12:])}",) if versions else (),
        )
    return fail(
        "no-such-package-file",
        f"no package index has {what} with `sha256:{sha256}`",
        hint="copy the hash of the file that you mean",
        notes=tuple(
            dict.fromkeys(f"`{each.name}` has `sha256:{each.sha256 or got.get(each.name, '?')}`" for each in known)
        )[:20],
    )
