"""Whether a store has everything that a result names: for trees, every message and every file below."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from mlbuild.reapi import decode_directory
from mlbuild.seams import BlobMissing
from mlbuild.terms import EMPTY, Digest, FileValue, SpawnResult, TreeValue


class Blobs(Protocol):
    """What has to be asked of a store."""

    def get(self, digest: Digest) -> bytes: ...

    def missing(self, digests: Iterable[Digest]) -> tuple[Digest, ...]: ...


class Completeness:
    """Of one store. What was seen whole in this process is not looked at again, however often it is asked for."""

    def __init__(self, store: Blobs) -> None:
        self._store = store
        self._whole: set[Digest] = set()
        """Folders whose every part was there."""

    def is_complete(self, result: SpawnResult) -> bool:
        files = [value.digest for _, value in result.outputs if isinstance(value, FileValue)]
        if self._store.missing((result.stdout, result.stderr, *files)):
            return False
        return all(self.is_whole(value.digest) for _, value in result.outputs if isinstance(value, TreeValue))

    def is_whole(self, tree: Digest) -> bool:
        """A message that is damaged is missing; one that is no folder at all makes the tree none."""
        seen: set[Digest] = set()
        files: dict[Digest, None] = {}
        waiting = [tree]
        try:
            while waiting:
                digest = waiting.pop()
                if digest == EMPTY or digest in seen or digest in self._whole:
                    continue
                seen.add(digest)
                directory = decode_directory(self._store.get(digest))
                files.update((file.digest, None) for file in directory.files)
                waiting += [child.digest for child in directory.directories]
        except (BlobMissing, ValueError):
            return False
        if self._store.missing(files):
            return False
        self._whole |= seen
        return True

    def forget(self) -> None:
        """Something that was there has gone."""
        self._whole.clear()
