"""The folder that the builds of a workspace are kept in: a file each, named so that they sort by time."""

from __future__ import annotations

import contextlib
import marshal
import os
import re
from typing import Any

from mlbuild.files.kept import keep, load_kept
from mlbuild.journal.entry import Build, Header, from_plain
from mlbuild.records import as_values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

MAGIC = b"mlbuild-journal-1\n"
MOST_BUILDS = 64
MOST_BYTES = 64 << 20
"""What is kept of a workspace's past: so many builds in so many bytes, the newest whatever its size."""

NAME = re.compile(r"[0-9]{20}\.[0-9a-f]{8}")
DAMAGED = "damaged"


Body = tuple[Any, ...]
"""What `written.plain_body` gives: nothing but what marshal takes."""


class Journal:
    """The builds of one workspace. Only one build at a time writes; anyone may read meanwhile."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def keep(self, header: Header, body: Body, began_ns: int) -> bool:
        """Keeps a build, and lets go of the oldest; says whether the disk took it."""
        path = f"{self._folder}/{began_ns:020d}.{header.id}"
        kept = keep(path, MAGIC, (as_values(header), marshal.dumps(body)))
        self._let_go()
        return kept

    def headers(self) -> Iterator[tuple[str, Header]]:
        """Every build's name and header, newest first."""
        for name in reversed(self._names()):
            found = self._read(name)
            if found is not None:
                yield name, found[0]

    def builds(self) -> Iterator[Build]:
        """Every build, newest first; each is read when it is asked for."""
        for name in reversed(self._names()):
            if (build := self.build(name)) is not None:
                yield build

    def build(self, name: str) -> Build | None:
        """One build. Nothing if it is damaged: then it is set aside."""
        found = self._read(name)
        if found is None:
            return None
        header, body = found
        try:
            return from_plain(header, marshal.loads(body))
        except (ValueError, TypeError, EOFError):
            self._set_aside(name)
            return None

    def _names(self) -> list[str]:
        try:
            return sorted(name for name in os.listdir(self._folder) if NAME.fullmatch(name))
        except OSError:
            return []

    def _read(self, name: str) -> tuple[Header, bytes] | None:
        match load_kept(f"{self._folder}/{name}", MAGIC):
            case (tuple(header), bytes(body)):
                with contextlib.suppress(TypeError):
                    return Header(*header), body
        self._set_aside(name)
        return None

    def _set_aside(self, name: str) -> None:
        """What is not as it was written is no witness; the last such file is kept for whoever looks for the cause."""
        with contextlib.suppress(OSError):
            os.replace(f"{self._folder}/{name}", f"{self._folder}/{DAMAGED}")

    def _let_go(self) -> None:
        total = 0
        for number, name in enumerate(reversed(self._names())):
            path = f"{self._folder}/{name}"
            with contextlib.suppress(OSError):
                total += os.stat(path).st_size
                if number and (number >= MOST_BUILDS or total > MOST_BYTES):
                    os.unlink(path)
        with contextlib.suppress(OSError):
            for name in os.listdir(self._folder):
                if name.endswith(".new"):  # of a build that was killed while it wrote: no other writes now
                    os.unlink(f"{self._folder}/{name}")
