"""Which format two files have, by their first bytes and their name, and who compares files of it."""

from __future__ import annotations

import gzip
import io
import lzma
import struct
import zlib
from collections.abc import Callable, Mapping
from typing import TypeVar

from mlbuild.differs.archives import GZIP, ZIP, is_tar, tar_members, zip_members
from mlbuild.differs.arrays import NPY, is_safetensors, npy_arrays, safetensors_arrays
from mlbuild.differs.numbers import how_arrays_differ
from mlbuild.differs.pickles import how_pickles_differ, is_pickle
from mlbuild.differs.text import how_bytes_differ
from mlbuild.journal.contents import told

MOST_MEMBERS = 5
"""Members or tensors told of one file."""
DEEPEST = 4
LARGEST = 1 << 30
"""Bytes that are unpacked of one archive."""

T = TypeVar("T")
_ODD = (
    ValueError, TypeError, AttributeError, LookupError, EOFError, OSError, ArithmeticError, MemoryError, RecursionError,
    struct.error, zlib.error, lzma.LZMAError,
)  # fmt: skip
"""What readers of the standard library raise for bytes that are not what they look like."""
Differ = Callable[[str, bytes, bytes, int], "tuple[str, ...]"]


def how_they_differ(path: str, one: bytes, other: bytes) -> tuple[str, ...]:
    """What a person wants to know first of two contents of the file at `path`, a line each. Whatever the bytes are."""
    return _differ(path, one, other, 0)


def _differ(path: str, one: bytes, other: bytes, depth: int) -> tuple[str, ...]:
    found = _format(path, one)
    if depth < DEEPEST and found is not None and found == _format(path, other):
        try:
            if words := found(path, one, other, depth):
                return words
        except _ODD:
            pass  # It only looks like that format.
    return how_bytes_differ(one, other)


def _format(path: str, data: bytes) -> Differ | None:
    if data.startswith(NPY) or is_safetensors(path, data):
        return _as_arrays
    if data.startswith(ZIP) or is_tar(data):
        return _as_members
    if data.startswith(GZIP):
        return _as_gzip
    if is_pickle(path, data):
        return _as_pickle
    if path.endswith((".csv", ".tsv", ".json", ".lock")):
        return _as_document
    return None


def _as_arrays(path: str, one: bytes, other: bytes, depth: int) -> tuple[str, ...]:
    read = npy_arrays if one.startswith(NPY) else safetensors_arrays
    return _by_name("tensor", read(one), read(other), lambda name, left, right: how_arrays_differ(left, right))


def _as_members(path: str, one: bytes, other: bytes, depth: int) -> tuple[str, ...]:
    read = zip_members if one.startswith(ZIP) else tar_members
    left, right = read(one, LARGEST), read(other, LARGEST)
    words = _by_name(
        "member",
        {name: data for name, (data, _) in left.items()},
        {name: data for name, (data, _) in right.items()},
        lambda name, before, after: _differ(name, before, after, depth + 1),
    )
    if words:
        return words
    told_of: list[str] = []
    for name in left:
        labels = [each for each in left[name][1] if left[name][1][each] != right[name][1].get(each)]
        told_of += [
            f"member `{name}`: {each} `{left[name][1][each]}` / `{right[name][1].get(each)}`" for each in labels
        ]
    if list(left) != list(right):
        told_of.append("the same members, in another order")
    more = len(told_of) - MOST_MEMBERS
    return (*told_of[:MOST_MEMBERS], f"… and {more} more") if more > 0 else tuple(told_of)


def _as_gzip(path: str, one: bytes, other: bytes, depth: int) -> tuple[str, ...]:
    before, after = _unzipped(one), _unzipped(other)
    if before != after:
        return ("unpacked:", *_differ(path.removesuffix(".gz"), before, after, depth + 1))
    times = [int.from_bytes(data[4:8], "little") for data in (one, other)]
    if times[0] != times[1]:
        return (f"the same content, packed at another time: {times[0]} / {times[1]} (seconds since 1970)",)
    return ("the same content, packed in another way",)


def _unzipped(data: bytes) -> bytes:
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ValueError("too big")
    return content


def _as_pickle(path: str, one: bytes, other: bytes, depth: int) -> tuple[str, ...]:
    return how_pickles_differ(one, other)


def _as_document(path: str, one: bytes, other: bytes, depth: int) -> tuple[str, ...]:
    """The journal tells how such files change between builds; here as first and second."""
    lines = [line.replace("` -> `", "` / `") for line in told(path, one.decode("utf-8"), other.decode("utf-8"))]
    more = len(lines) - MOST_MEMBERS
    return (*lines[:MOST_MEMBERS], f"… and {more} more") if more > 0 else tuple(lines)


def _by_name(
    what: str, left: Mapping[str, T], right: Mapping[str, T], how: Callable[[str, T, T], tuple[str, ...]]
) -> tuple[str, ...]:
    """The first parts that are not the same, and how many more; nothing if all are."""
    words: list[str] = []
    count = 0
    for name in (*left, *(name for name in right if name not in left)):
        if name in left and name in right:
            if left[name] == right[name]:
                continue
            found = how(name, left[name], right[name])
        else:
            found = (f"it is there in the {'first' if name in left else 'second'} only",)
        count += 1
        if count <= MOST_MEMBERS and found:
            words.append(f"{what} `{name}`: {found[0]}" if name else found[0])
            words += found[1:]
    total = len(left.keys() | right.keys())
    if count and total > 1:
        words.append(f"{count} of {total} {what}s {'differs' if count == 1 else 'differ'}")
    return tuple(words)
