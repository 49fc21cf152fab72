"""Builds that had nothing to do: a line each. Imports nothing, because such a build must cost next to nothing."""

from __future__ import annotations

import os

MOST_BYTES = 64 << 10
"""Then the file begins anew: that nothing was done long ago is worth little."""

NAME = "again"


def note(folder: str, began: float, seconds: float, command: str, patterns: tuple[str, ...]) -> None:
    """Adds a line; what the disk refuses is not noted."""
    words = " ".join((command, *patterns)).encode("utf-8", "backslashreplace").replace(b"\n", b" ")[:2000]
    try:
        descriptor = os.open(f"{folder}/{NAME}", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            if os.fstat(descriptor).st_size > MOST_BYTES:
                os.ftruncate(descriptor, 0)
            os.write(descriptor, b"%.3f %.3f %s\n" % (began, seconds, words))
        finally:
            os.close(descriptor)
    except OSError:
        return


def noted(folder: str) -> list[tuple[float, float, str]]:
    """When each began, the seconds that it took, and its words; oldest first. What is no such line is passed over."""
    try:
        with open(f"{folder}/{NAME}", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            lines = file.read().splitlines()
    except OSError:
        return []
    found: list[tuple[float, float, str]] = []
    for line in lines:
        began, _, rest = line.partition(" ")
        seconds, _, words = rest.partition(" ")
        try:
            found.append((float(began), float(seconds), words))
        except ValueError:
            continue
    return found
