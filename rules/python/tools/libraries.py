"""Which shared libraries the packages of an environment want, and nobody brings. Reads files, and runs none of them."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator, Mapping
from typing import BinaryIO

_DYNAMIC, _LOAD = 2, 1
_NEEDED, _STRINGS = 1, 5
_MOST = 65_536


def missing(packages: str, libraries: Iterable[str]) -> Mapping[str, str]:
    """Each library that no package and none of the folders `libraries` has, with the first file of a package that wants it.

    A library is known by its name alone, wherever it lies: packages load those of others by paths of their own.
    """
    files = sorted(_shared_objects(packages))
    there = {os.path.basename(path) for path in files}
    for folder in libraries:
        there.update(os.listdir(folder) if os.path.isdir(folder) else ())
    wanted: dict[str, str] = {}
    for path in files:
        for name in needed(os.path.join(packages, path)):
            if os.path.basename(name) not in there:
                wanted.setdefault(name, path)
    return wanted


def needed(path: str) -> tuple[str, ...]:
    """The libraries that a 64-bit ELF file asks the loader for: none for any other file, or a broken one.

    Source: the ELF gABI, chapters 4 and 5.
    """
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            head = file.read(64)
            if head[:6] != b"\x7fELF\x02\x01":
                return ()
            (table,) = struct.unpack_from("<Q", head, 32)
            size, count = struct.unpack_from("<HH", head, 54)
            segments = [struct.unpack_from("<IIQQQQ", _at(file, table + size * each, 40)) for each in range(count)]
            dynamic = next(each for each in segments if each[0] == _DYNAMIC)
            entries = [*struct.iter_unpack("<QQ", _at(file, dynamic[2], min(dynamic[5], _MOST) & ~15))]
            address = next(value for tag, value in entries if tag == _STRINGS)
            load = next(each for each in segments if each[0] == _LOAD and each[3] <= address < each[3] + each[5])
            strings = address - load[3] + load[2]
            names = [_at(file, strings + value, 256, whole=False) for tag, value in entries if tag == _NEEDED]
            return tuple(name.partition(b"\0")[0].decode() for name in names)
    except (OSError, OverflowError, StopIteration, ValueError, struct.error):
        return ()


def _at(file: BinaryIO, offset: int, size: int, *, whole: bool = True) -> bytes:
    file.seek(offset)
    found = file.read(size)
    if whole and len(found) != size:
        raise ValueError("the file ends before")
    return found


def _shared_objects(packages: str) -> Iterator[str]:
    for folder, _, names in os.walk(packages):
        for name in names:
            if name.endswith(".so") or ".so." in name:
                yield os.path.relpath(os.path.join(folder, name), packages)
