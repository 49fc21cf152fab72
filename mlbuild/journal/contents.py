"""How two contents of one file differ, in words: the line, the cell, the key, the package. Reads no disk."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator

from mlbuild.journal.entry import Kept
from mlbuild.reapi import decode_directory
from mlbuild.terms import Digest, Directory

Read = Callable[[Digest], "bytes | None"]
"""A blob, if it is still kept."""

LARGEST = 64 << 20
"""Bigger files are not compared: their digests say that they differ."""
MOST = 5
"""Differences told of one file."""
LONGEST = 60

REQUIREMENT = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==([^\s;\\]+)")


def differences(path: str, old: Kept, new: Kept, read: Read) -> tuple[str, ...]:
    """How the file changed, a line each; nothing where that cannot be told."""
    if old[0] != new[0] and "tree" not in (old[0], new[0]) and old[1:] == new[1:]:
        return ("it can be executed now",) if new[0] == "executable" else ("it can no longer be executed",)
    if "tree" in (old[0], new[0]) or max(old[2], new[2]) > LARGEST:
        return ()
    before, after = read(Digest(*old[1:])), read(Digest(*new[1:]))
    if before is None:
        return ("what it was before is no longer kept",)
    if after is None:
        return ()
    try:
        texts = before.decode("utf-8"), after.decode("utf-8")
    except UnicodeDecodeError:
        return (f"{old[2]} bytes -> {new[2]} bytes",)
    found = list(told(path, *texts))
    more = len(found) - MOST
    return (*found[:MOST], f"… and {more} more") if more > 0 else tuple(found)


def told(path: str, old: str, new: str) -> Iterator[str]:
    """How two texts differ: by key, package, cell or line, as the name of the file says."""
    if path.endswith(".json"):
        try:
            yield from _of_json("", json.loads(old), json.loads(new))
            return
        except (ValueError, RecursionError):
            pass
    packages = [dict(REQUIREMENT.findall(_joined(text))) for text in (old, new)]
    if path.endswith((".lock", ".txt")) and all(packages) and packages[0] != packages[1]:
        for name in sorted(packages[0].keys() | packages[1].keys()):
            before, after = (each.get(name) for each in packages)
            if before != after:
                yield f"package `{name}`: {before or 'not there'} -> {after or 'gone'}"
        return
    yield from _of_lines(path, old.split("\n"), new.split("\n"))


def _joined(text: str) -> str:
    """Without the lines of hashes, which name no package."""
    return "\n".join(line for line in text.split("\n") if not line.lstrip().startswith(("#", "--hash")))


def _of_json(place: str, old: object, new: object) -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            if old.get(key) != new.get(key):
                yield from _of_json(f"{place}.{key}" if place else str(key), old.get(key), new.get(key))
    elif old != new:
        yield f"`{place or 'value'}`: {shown(old)} -> {shown(new)}"


def _of_lines(path: str, old: list[str], new: list[str]) -> Iterator[str]:
    """What lies between the first and the last line that differ."""
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    before, after = old[start : len(old) - end], new[start : len(new) - end]
    if len(before) != len(after):
        if not before:
            yield f"{_lines(len(after))} added after line {start}: {shown_line(after[0])}"
        elif not after:
            yield f"{_lines(len(before))} removed after line {start}: {shown_line(before[0])}"
        else:
            yield f"lines {start + 1} to {start + len(before)}: now {_lines(len(after))}"
        return
    header = _cells(old[0]) if path.endswith(".csv") and start and old[0] == new[0] else []
    for number, (one, other) in enumerate(zip(before, after, strict=True), start + 1):
        if one == other:
            continue
        cells, now = _cells(one), _cells(other)
        if header and len(header) == len(cells) == len(now):
            for column, cell, value in zip(header, cells, now, strict=True):
                if cell != value:
                    yield f"line {number}, column `{column}`: {shown_line(cell)} -> {shown_line(value)}"
        else:
            yield f"line {number}: {shown_line(one)} -> {shown_line(other)}"


def _cells(line: str) -> list[str]:
    try:
        return next(csv.reader([line]), [])
    except csv.Error:
        return []


def _lines(count: int) -> str:
    return "1 line" if count == 1 else f"{count} lines"


def shown(value: object) -> str:
    """A value of a BUILD file or of JSON, on one line and not too long."""
    if value is None:
        return "not set"
    return shown_line(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str))


def shown_line(text: str) -> str:
    text = text.replace("\r", "").replace("\n", "\\n")
    return f"`{text if len(text) <= LONGEST else text[: LONGEST - 1] + '…'}`"


def changed_members(old: Kept, new: Kept, read: Read, most: int = 1000) -> tuple[str, ...] | None:
    """The files below two directories that differ, by relative path; nothing if a level is no longer kept."""
    found: list[str] = []
    waiting = [("", Digest(*old[1:]), Digest(*new[1:]))]
    while waiting and len(found) < most:
        prefix, one, other = waiting.pop()
        before, after = _level(one, read), _level(other, read)
        if before is None or after is None:
            return None
        files = [{each.name: each for each in level.files} for level in (before, after)]
        links = [{each.name: each for each in level.symlinks} for level in (before, after)]
        for each in (files, links):
            found += [
                f"{prefix}{name}" for name in each[0].keys() | each[1].keys() if each[0].get(name) != each[1].get(name)
            ]
        folders = [{each.name: each.digest for each in level.directories} for level in (before, after)]
        empty = Digest.of(b"")
        waiting += [
            (f"{prefix}{name}/", folders[0].get(name, empty), folders[1].get(name, empty))
            for name in folders[0].keys() | folders[1].keys()
            if folders[0].get(name) != folders[1].get(name)
        ]
    return tuple(sorted(found)[:most])


def _level(digest: Digest, read: Read) -> Directory | None:
    if not digest.size:
        return Directory()
    message = read(digest)
    return None if message is None else decode_directory(message)
