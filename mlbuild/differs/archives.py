"""Members of archives, read in memory and never unpacked onto a disk, with what is written beside each of them."""

from __future__ import annotations

import io
import tarfile
import zipfile

ZIP, GZIP = b"PK\x03\x04", b"\x1f\x8b"

Members = dict[str, "tuple[bytes, dict[str, str]]"]


def is_tar(data: bytes) -> bool:
    return data[257:262] == b"ustar"


def zip_members(data: bytes, most: int) -> Members:
    """Every member by name. Raises ValueError for more than `most` bytes, and for what is no archive."""
    found: Members = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.infolist():
                most -= member.file_size
                if most < 0:
                    raise ValueError("too big")
                with archive.open(member) as file:
                    content = file.read(member.file_size + 1)
                year, month, day, hour, minute, second = member.date_time
                labels = {
                    "time": f"{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}",
                    "mode": f"{member.external_attr >> 16:o}",
                    "packed size": str(member.compress_size),
                }
                found[member.filename] = (content, labels)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise ValueError(str(error)) from None
    return found


def tar_members(data: bytes, most: int) -> Members:
    """As `zip_members`; folders and links have no content."""
    found: Members = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
            for member in archive:
                most -= member.size
                if most < 0:
                    raise ValueError("too big")
                file = archive.extractfile(member) if member.isreg() else None
                labels = {
                    "owner": f"{member.uid}:{member.gid}",
                    "owner's name": f"{member.uname}:{member.gname}",
                    "mode": f"{member.mode:o}",
                    "time": str(member.mtime),
                    "link": member.linkname,
                }
                found[member.name] = (file.read() if file else b"", labels)
    except tarfile.TarError as error:
        raise ValueError(str(error)) from None
    return found
