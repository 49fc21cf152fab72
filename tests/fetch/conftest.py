"""What the tests of fetching share: a store in memory, ELF files and wheels made by hand."""

from __future__ import annotations

import base64
import hashlib
import os
import struct
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest

from mlbuild.reapi import decode_directory
from mlbuild.store import MemoryStore
from mlbuild.terms import TreeValue


class Store(MemoryStore):
    """A store in memory that shows the trees in it."""

    def listing(self, tree: TreeValue) -> dict[str, bytes | str]:
        """Every file's bytes and every link's target (after `-> `) by path; programs' paths end with `*`."""
        found: dict[str, bytes | str] = {}
        waiting = [("", tree.digest)]
        while waiting:
            prefix, digest = waiting.pop()
            directory = decode_directory(self.get(digest))
            for file in directory.files:
                found[prefix + file.name + ("*" if file.is_executable else "")] = self.get(file.digest)
            for link in directory.symlinks:
                found[prefix + link.name] = f"-> {link.target}"
            waiting += [(f"{prefix}{child.name}/", child.digest) for child in directory.directories]
        return found

    def materialise(self, tree: TreeValue, folder: Path) -> None:
        for path, content in self.listing(tree).items():
            target = folder / path.removesuffix("*")
            target.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, str):
                target.symlink_to(content.removeprefix("-> "))
            else:
                target.write_bytes(content)
                target.chmod(0o755 if path.endswith("*") else 0o644)


def elf_bytes(
    needed: Iterable[str] = (),
    *,
    loader: str | None = None,
    soname: str | None = None,
    rpath: str | None = None,
    runpath: str | None = None,
    machine: int = 62,
) -> bytes:
    """A 64-bit little-endian ELF file with just these headers."""
    strings = b"\0"

    def name(text: str) -> int:
        nonlocal strings
        at = len(strings)
        strings += text.encode() + b"\0"
        return at

    entries = [(1, name(each)) for each in needed]
    entries += [(tag, name(text)) for tag, text in ((14, soname), (15, rpath), (29, runpath)) if text is not None]
    segments = 3 if loader else 2
    dynamic_at = 64 + 56 * segments
    strings_at = dynamic_at + 16 * (len(entries) + 3)
    entries += [(5, 0x1000 + strings_at), (10, len(strings)), (0, 0)]
    dynamic = b"".join(struct.pack("<qQ", *entry) for entry in entries)
    loader_at = strings_at + len(strings)
    tail = (loader or "").encode() + b"\0"
    size = loader_at + len(tail)

    def segment(kind: int, offset: int, length: int) -> bytes:
        return struct.pack("<IIQQQQQQ", kind, 4, offset, 0x1000 + offset, 0, length, length, 8)

    headers = segment(1, 0, size) + segment(2, dynamic_at, len(dynamic))
    if loader:
        headers += segment(3, loader_at, len(tail))
    head = b"\x7fELF\x02\x01\x01" + b"\0" * 9
    head += struct.pack("<HHIQQQIHHHHHH", 3, machine, 1, 0, 64, 0, 0, 64, 56, segments, 0, 0, 0)
    return head + headers + dynamic + strings + tail


def wheel(folder: Path, name: str, version: str, files: Mapping[str, str], scripts: str = "") -> tuple[Path, str]:
    """Writes a pure wheel; gives its path and SHA-256."""
    info = f"{name}-{version}.dist-info"
    contents = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: by hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    if scripts:
        contents[f"{info}/entry_points.txt"] = f"[console_scripts]\n{scripts}\n"
    rows = []
    for path, text in contents.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        rows.append(f"{path},sha256={digest},{len(text.encode())}")
    contents[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,"]) + "\n"
    path = folder / f"{name}-{version}-py3-none-any.whl"
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in contents.items():
            archive.writestr(zipfile.ZipInfo(member, (1980, 1, 2, 0, 0, 0)), text)
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def make_elf() -> Callable[..., bytes]:
    return elf_bytes


@pytest.fixture
def make_wheel() -> Callable[..., tuple[Path, str]]:
    return wheel


@pytest.fixture
def old() -> Callable[[Path], None]:
    """Makes everything below a folder look as if it had been there for a while."""

    def age(folder: Path) -> None:
        for path in [*folder.rglob("*"), folder]:
            os.utime(path, (1_600_000_000, 1_600_000_000), follow_symlinks=False)

    return age
