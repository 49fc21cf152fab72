"""Results on the local disk, by key: one small checksummed file each, complete or not there."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import threading
from collections.abc import Callable
from pathlib import Path

from mlbuild.diagnostics import Diagnostic
from mlbuild.reapi import decode_directory, decode_result, encode_result
from mlbuild.seams import BlobMissing, ContentStore
from mlbuild.store.disk import FULL, cache_full
from mlbuild.terms import EMPTY, Digest, FileValue, SpawnResult

MAGIC = b"mlbuild-result-1\n"


class DiskActionCache:
    """An `ActionCache` beside a store. `warn` is told once when results cannot be kept."""

    def __init__(self, folder: Path, store: ContentStore, warn: Callable[[Diagnostic], None] | None = None) -> None:
        self._folder = folder / "ac"
        self._quarantine = folder / "quarantine"
        self._store = store
        self._warn = warn
        self._has_warned = False
        self._lock = threading.Lock()
        self._whole_trees: set[Digest] = set()
        with contextlib.suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def lookup(self, key: Digest) -> SpawnResult | None:
        """A hit only if the entry is unharmed, answers this very key, and every blob that it names is there."""
        path = self._path(key)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
        body = _body_of(content)
        if body is None or not body.startswith(str(key).encode() + b"\n"):
            self._condemn(path)
            return None
        try:
            result = decode_result(body.partition(b"\n")[2])
            return result if result.is_success and self._is_complete(result) else None
        except ValueError:
            self._condemn(path)
            return None

    def record(self, key: Digest, result: SpawnResult) -> None:
        """Blobs are flushed first, then the entry appears at once. A cache that cannot be written is said once."""
        if not result.is_success:
            raise ValueError("failures are never remembered")
        body = str(key).encode() + b"\n" + encode_result(result)
        path = self._path(key)
        temporary = path.with_name(f".{secrets.token_hex(16)}")
        try:
            self._store.flush()
            path.parent.mkdir(mode=0o700, exist_ok=True)
            try:
                temporary.write_bytes(MAGIC + hashlib.sha256(body).digest() + body)
                temporary.replace(path)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
        except OSError as error:
            if error.errno in FULL:
                raise cache_full(self._folder.parent) from error
            if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
                self._say(error)
                return
            raise

    def _is_complete(self, result: SpawnResult) -> bool:
        blobs = [digest for digest in (result.stdout, result.stderr) if digest != EMPTY]
        blobs += [value.digest for _, value in result.outputs if isinstance(value, FileValue)]
        if self._store.missing(blobs):
            return False
        return all(self._is_whole(value.digest) for _, value in result.outputs if not isinstance(value, FileValue))

    def _is_whole(self, tree: Digest) -> bool:
        """Whether the store has every message and file of a tree; looked at once in a process."""
        if tree in self._whole_trees:
            return True
        seen: set[Digest] = set()
        files: dict[Digest, None] = {}
        waiting = [tree]
        try:
            while waiting:
                digest = waiting.pop()
                if digest in seen or digest in self._whole_trees or digest == EMPTY:
                    continue
                seen.add(digest)
                directory = decode_directory(self._store.get(digest))
                files.update((file.digest, None) for file in directory.files)
                waiting += [child.digest for child in directory.directories]
        except BlobMissing:
            return False
        if self._store.missing(files):
            return False
        with self._lock:
            self._whole_trees.add(tree)
        return True

    def forget_trees(self) -> None:
        """A blob that was there has gone: trees are looked at again."""
        with self._lock:
            self._whole_trees.clear()

    def _say(self, error: OSError) -> None:
        with self._lock:
            if self._has_warned or self._warn is None:
                return
            self._has_warned = True
        self._warn(
            Diagnostic(
                "cache-not-writable",
                f"results are not kept: `{self._folder}` cannot be written ({os.strerror(error.errno or 0).lower()})",
                hint="make it writable for you, or name another folder with `--disk_cache`",
            )
        )

    def _condemn(self, path: Path) -> None:
        with contextlib.suppress(OSError):
            self._quarantine.mkdir(mode=0o700, exist_ok=True)
            path.rename(self._quarantine / f"{path.name}-{secrets.token_hex(4)}")

    def _path(self, key: Digest) -> Path:
        return self._folder / key.hash[:2] / key.hash


def _body_of(content: bytes) -> bytes | None:
    """What an entry's file holds, if its checksum agrees."""
    if not content.startswith(MAGIC):
        return None
    checksum, body = content[len(MAGIC) : len(MAGIC) + 32], content[len(MAGIC) + 32 :]
    return body if hashlib.sha256(body).digest() == checksum else None
