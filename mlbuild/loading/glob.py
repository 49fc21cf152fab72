"""`glob()`: the files of a package that patterns match.

`*` is any stretch of one name, `**` any number of whole folders. A name that begins with a dot is matched only by a
pattern that says the dot. Folders that are packages of their own are never entered.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache

from mlbuild.seams import EntryKind

List = Callable[[str], tuple[tuple[str, EntryKind], ...]]
"""Names and kinds in a folder of the package (path below the package), sorted; no folder that is a package."""

Matcher = Callable[[str], object]


class BadPattern(ValueError):
    """The text is no pattern; the message says why, in words for a person."""


def matching(pattern: str, list_folder: List, with_directories: bool = False) -> tuple[str, ...]:
    """The paths below the package that one pattern matches, sorted. Raises BadPattern."""
    found: set[str] = set()
    _walk("", _segments(pattern), list_folder, with_directories, found)
    return tuple(sorted(found))


def excluder(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Whether a path is matched by one of the patterns. Raises BadPattern."""
    compiled = [_whole(pattern) for pattern in patterns]
    return lambda path: any(each.match(path) for each in compiled)


def _walk(folder: str, segments: tuple[str, ...], list_folder: List, with_directories: bool, found: set[str]) -> None:
    # A stack instead of recursion: folders may be deep. `**` stays in place while it descends.
    stack = [(folder, 0)]
    seen: set[tuple[str, int]] = set()
    while stack:
        state = stack.pop()
        if state in seen:
            continue
        seen.add(state)
        folder, index = state
        segment = segments[index]
        is_last = index == len(segments) - 1
        prefix = folder + "/" if folder else ""
        if segment == "**":
            if not is_last:
                stack.append((folder, index + 1))
            for name, kind in list_folder(folder):
                if name.startswith("."):
                    continue
                if kind == "directory":
                    stack.append((prefix + name, index))
                    if is_last and with_directories:
                        found.add(prefix + name)
                elif is_last:
                    found.add(prefix + name)
            continue
        matches = _segment(segment)
        for name, kind in list_folder(folder):
            if not matches(name):
                continue
            if is_last:
                if kind == "file" or with_directories:
                    found.add(prefix + name)
            elif kind == "directory":
                stack.append((prefix + name, index + 1))


@lru_cache(maxsize=4096)
def _segments(pattern: str) -> tuple[str, ...]:
    segments = tuple(pattern.split("/"))
    if not pattern:
        raise BadPattern("a glob pattern cannot be empty")
    if pattern.startswith("/"):
        raise BadPattern(f"the glob pattern `{pattern}` must be relative to the package")
    for segment in segments:
        if segment in ("", ".", ".."):
            raise BadPattern(f"the glob pattern `{pattern}` cannot have `{segment}` as a part")
        if "**" in segment and segment != "**":
            raise BadPattern(f"in the glob pattern `{pattern}`, `**` must stand alone between slashes")
    return segments


@lru_cache(maxsize=4096)
def _segment(segment: str) -> Matcher:
    if "*" not in segment:
        return segment.__eq__
    return re.compile(_segment_expression(segment)).fullmatch


def _segment_expression(segment: str) -> str:
    hidden = "" if segment.startswith(".") else r"(?!\.)"
    return hidden + "[^/]*".join(re.escape(part) for part in segment.split("*"))


@lru_cache(maxsize=1024)
def _whole(pattern: str) -> re.Pattern[str]:
    expression = ""
    segments = _segments(pattern)
    for index, segment in enumerate(segments):
        is_last = index == len(segments) - 1
        if segment == "**":
            expression += r"(?!\.)[^/]+(?:/(?!\.)[^/]+)*" if is_last else r"(?:(?!\.)[^/]+/)*"
        else:
            expression += _segment_expression(segment) + ("" if is_last else "/")
    return re.compile(expression + r"\Z", re.DOTALL)
