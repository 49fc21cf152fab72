"""Where a data set's bytes come from: a file, or a member of a wheel, an sdist or another archive, decompressed."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from pathlib import Path
from typing import BinaryIO

from rules.ml.tools.failure import ToolError, did_you_mean

DECOMPRESS = {".gz": gzip.decompress, ".bz2": bz2.decompress, ".xz": lzma.decompress}


def read_source(path: str, member: str) -> bytes:
    """The bytes of `path`, or of `member` of the archive at `path`; `.gz`, `.bz2`, `.xz` and one-file `.zip` opened."""
    name = member or Path(path).name
    data = _member(path, member) if member else Path(path).read_bytes()
    suffix = Path(name).suffix
    if suffix in DECOMPRESS:
        return DECOMPRESS[suffix](data)
    if suffix == ".zip":
        return _only_file(data, name)
    return data


def _member(path: str, member: str) -> bytes:
    # Nothing is unpacked: a member is read from the archive by its name.
    with Path(path).open("rb") as file:
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as archive:
                return _read(member, path, [each.filename for each in archive.infolist()], archive.read)
        file.seek(0)
        return _tar_member(file, path, member)


def _tar_member(file: BinaryIO, path: str, member: str) -> bytes:
    try:
        archive = tarfile.open(fileobj=file, mode="r:*")  # noqa: SIM115
    except tarfile.TarError:
        raise ToolError(
            "no-archive", f"`{path}` is no archive, so it has no member `{member}`", hint="leave `member` out"
        ) from None
    with archive:
        files = {each.name: each for each in archive.getmembers() if each.isreg()}

        def read(name: str) -> bytes:
            stream = archive.extractfile(files[name])
            assert stream is not None, "a regular file has a stream"
            return stream.read()

        return _read(member, path, list(files), read)


def _read(member: str, path: str, names: list[str], read: object) -> bytes:
    assert callable(read)
    if member not in names:
        meant = did_you_mean(member, names)
        raise ToolError(
            "no-such-member",
            f"`{path}` has no member `{member}`",
            hint=f"did you mean `{meant}`?" if meant else f"it has {', '.join(sorted(names)[:20])}",
        )
    data = read(member)
    assert isinstance(data, bytes)
    return data


def _only_file(data: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = [each for each in archive.infolist() if not each.is_dir() and not each.filename.startswith("__MACOSX/")]
        if len(files) != 1:
            raise ToolError("many-members", f"`{name}` holds {len(files)} files; one was expected")
        return archive.read(files[0])
