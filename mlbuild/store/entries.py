"""Results on the local disk, by key: `ac/ab/<hash>`, one small checksummed file each, complete or not there."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from mlbuild.diagnostics import Diagnostic
from mlbuild.files.sharing import file_mode, make_folder
from mlbuild.reapi import decode_result, encode_result
from mlbuild.seams import ContentStore
from mlbuild.store.completeness import Completeness
from mlbuild.store.temporary import TemporaryFiles
from mlbuild.store.words import REFUSED, cannot_write, reason
from mlbuild.terms import Digest, SpawnResult

MAGIC = b"mlbuild-result-1\n"
USED_AGAIN_AFTER = 60.0
"""Seconds until a use of an entry is written down anew, as its modification time."""

_LARGEST = 256 << 20


class DiskActionCache:
    """An `ActionCache` beside a store. `warn` is told, once, when results cannot be kept."""

    def __init__(self, folder: Path, store: ContentStore, warn: Callable[[Diagnostic], None] | None = None) -> None:
        self._root = folder
        self._folder = str(folder / "ac")
        self._store = store
        self._warn = warn
        self._has_warned = False
        self._lock = threading.Lock()
        self._temporary = TemporaryFiles(folder / "tmp")
        self._completeness = Completeness(store)
        self._mode = file_mode(folder)

    def close(self) -> None:
        self._temporary.close()

    def lookup(self, key: Digest) -> SpawnResult | None:
        """A hit only if the entry is unharmed, answers this very key, and every blob that it names is there."""
        path = self._path(key)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            # A disk that cannot read an entry has not shown that it is wrong: it stays, and the action runs.
            return None
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            found = os.fstat(descriptor)
            try:
                content = file.read(_LARGEST) or b""
            except OSError:
                return None
        try:
            answered, result = decoded(content)
            if answered != key:
                raise ValueError("the entry answers another key")
        except ValueError:
            self._condemn(path, found)
            return None
        if not self._completeness.is_complete(result):
            return None
        if abs(time.time() - found.st_mtime) > USED_AGAIN_AFTER:
            # A cache that may only be read does not learn who uses it.
            with contextlib.suppress(OSError):
                os.utime(path)
        return result

    def record(self, key: Digest, result: SpawnResult) -> None:
        """Blobs are flushed first, then the entry appears at once. A cache that may not be written is said once."""
        if not result.is_success:
            raise ValueError("failures are never remembered")
        body = str(key).encode() + b"\n" + encode_result(result)
        self._store.flush()
        try:
            self._write(self._path(key), MAGIC + hashlib.sha256(body).digest() + body)
        except OSError as error:
            if error.errno not in REFUSED:
                raise cannot_write(self._root, error) from error
            self._say(error)

    def forget_trees(self) -> None:
        """A blob that was there has gone: trees are looked at again."""
        self._completeness.forget()

    def _write(self, path: str, content: bytes) -> None:
        descriptor, temporary = self._temporary.make()
        try:
            view = memoryview(content)
            while view:
                view = view[os.write(descriptor, view) :]
            if self._mode != 0o600:
                os.fchmod(descriptor, self._mode)
            try:
                os.rename(temporary, path)
            except FileNotFoundError:
                make_folder(os.path.dirname(path))
                os.rename(temporary, path)
        finally:
            self._temporary.drop(descriptor, temporary)

    def _condemn(self, path: str, found: os.stat_result) -> None:
        """Moves a damaged entry away, unless somebody has replaced it meanwhile."""
        with contextlib.suppress(OSError):
            if os.path.samestat(os.lstat(path), found):
                quarantine = self._root / "quarantine"
                make_folder(quarantine)
                os.rename(path, quarantine / f"{os.path.basename(path)}-{os.urandom(4).hex()}")

    def _say(self, error: OSError) -> None:
        with self._lock:
            if self._has_warned or self._warn is None:
                return
            self._has_warned = True
        self._warn(
            Diagnostic(
                "results-not-kept",
                f"results are not kept: the cache folder `{self._root}` cannot be written: {reason(error)}",
                hint="make it writable for you, or name another with `--disk_cache`",
            )
        )

    def _path(self, key: Digest) -> str:
        return f"{self._folder}/{key.hash[:2]}/{key.hash}"


def decoded(content: bytes) -> tuple[Digest, SpawnResult]:
    """The key and the result in an entry's file. Raises ValueError for one that is damaged."""
    start = len(MAGIC) + 32
    if not content.startswith(MAGIC) or hashlib.sha256(content[start:]).digest() != content[len(MAGIC) : start]:
        raise ValueError("the entry is damaged")
    answered, _, encoded = content[start:].partition(b"\n")
    result = decode_result(encoded)
    if not result.is_success:
        raise ValueError("the entry remembers a failure")
    return Digest.parse(answered.decode("ascii")), result
