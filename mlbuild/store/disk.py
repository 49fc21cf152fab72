"""Blobs on the local disk, by digest: `cas/ab/<hash>`, read-only files that staging may hard-link.

A published blob has mode 0444 and one fixed modification time. Any write to it moves that time, so a blob whose stamp is
not the published one is hashed again before it is used; bytes that are given to the tool itself are always hashed.
What turns out to be damaged goes to `quarantine/` and counts as missing.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import hashlib
import io
import os
import secrets
import stat
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from mlbuild.diagnostics import ExitCode, UserError, fail
from mlbuild.files.staging import FIXED_TIME
from mlbuild.seams import BlobMissing
from mlbuild.terms import EMPTY, Digest

PUBLISHED_NS = FIXED_TIME * 1_000_000_000
CHUNK = 1 << 20
FULL = {errno.ENOSPC, errno.EDQUOT}
REFUSED = {errno.EROFS, errno.EACCES, errno.EPERM}


class DiskStore:
    """A `ContentStore` for any number of threads and processes at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._blobs = folder / "cas"
        self._temporary = folder / "tmp"
        self._quarantine = folder / "quarantine"
        for each in (folder, self._blobs, self._temporary):
            with _in_words(folder):
                each.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Sandboxes that run as another user reach single files through links, never this folder.
        self._lock = threading.Lock()
        self._is_dirty = False

    def put(self, data: bytes) -> Digest:
        digest = Digest.of(data)
        if not self._has(digest):
            with _in_words(self._folder):
                self._publish(io.BytesIO(data))
        return digest

    def put_stream(self, source: BinaryIO) -> Digest:
        with _in_words(self._folder):
            return self._publish(source)

    def get(self, digest: Digest) -> bytes:
        if digest == EMPTY:
            return b""
        try:
            data = self._path(digest).read_bytes()
        except FileNotFoundError:
            raise BlobMissing(digest) from None
        if Digest.of(data) != digest:
            self._condemn(digest)
            raise BlobMissing(digest)
        return data

    def open(self, digest: Digest) -> BinaryIO:
        return self.path_of(digest).open("rb")

    def path_of(self, digest: Digest) -> Path:
        """The blob's file, checked: to be linked or copied, never to be written. Raises BlobMissing."""
        if not self._has(digest):
            if digest != EMPTY:
                raise BlobMissing(digest)
            self._publish(io.BytesIO(b""))
        return self._path(digest)

    def missing(self, digests: Iterable[Digest]) -> tuple[Digest, ...]:
        return tuple(digest for digest in dict.fromkeys(digests) if digest != EMPTY and not self._has(digest))

    def flush(self) -> None:
        """One `syncfs` for everything written since the last."""
        with self._lock:
            if not self._is_dirty:
                return
            self._is_dirty = False
        with _in_words(self._folder):
            sync_file_system(self._blobs)

    def _path(self, digest: Digest) -> Path:
        return self._blobs / digest.hash[:2] / digest.hash

    def _has(self, digest: Digest) -> bool:
        """Whether the blob is there with its right bytes: by its stamp, or, if that is not the published one, by hash."""
        try:
            found = os.lstat(self._path(digest))
        except FileNotFoundError:
            return False
        as_published = (
            stat.S_ISREG(found.st_mode)
            and stat.S_IMODE(found.st_mode) == 0o444
            and found.st_mtime_ns == PUBLISHED_NS
            and found.st_size == digest.size
        )
        if as_published:
            return True
        if not stat.S_ISREG(found.st_mode) or found.st_size != digest.size or not self._hashes_to(digest):
            self._condemn(digest)
            return False
        self._restamp(digest)
        return True

    def _hashes_to(self, digest: Digest) -> bool:
        with self._path(digest).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == digest.hash

    def _restamp(self, digest: Digest) -> None:
        """The bytes are right: give the blob its published stamp again, so that it need not be hashed each time."""
        with contextlib.suppress(OSError):
            path = self._path(digest)
            path.chmod(0o444)
            os.utime(path, ns=(PUBLISHED_NS, PUBLISHED_NS))

    def _publish(self, source: BinaryIO) -> Digest:
        """Copies into a temporary file while hashing, then renames: nothing half-done has a blob's name."""
        temporary = self._temporary / secrets.token_hex(16)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            hasher = hashlib.sha256()
            size = 0
            with os.fdopen(descriptor, "wb", buffering=0) as file:
                while chunk := source.read(CHUNK):
                    hasher.update(chunk)
                    size += len(chunk)
                    view = memoryview(chunk)
                    while view:
                        view = view[file.write(view) :]
                os.fchmod(file.fileno(), 0o444)
                os.utime(file.fileno(), ns=(PUBLISHED_NS, PUBLISHED_NS))
            digest = Digest(hasher.hexdigest(), size)
            if self._has(digest):
                temporary.unlink()
                return digest
            place = self._path(digest)
            place.parent.mkdir(mode=0o700, exist_ok=True)
            temporary.replace(place)
            with self._lock:
                self._is_dirty = True
            return digest
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def _condemn(self, digest: Digest) -> None:
        with contextlib.suppress(OSError):
            self._quarantine.mkdir(mode=0o700, exist_ok=True)
            self._path(digest).rename(self._quarantine / f"{digest.hash}-{secrets.token_hex(4)}")


def sync_file_system(folder: Path) -> None:
    """`syncfs(2)`: everything written to the folder's file system is durable when it returns."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(descriptor) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(folder))
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _in_words(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise cache_full(folder) from error
        if error.errno in REFUSED:
            raise fail(
                "cache-not-writable",
                f"the cache folder `{folder}` cannot be written: {os.strerror(error.errno or 0).lower()}",
                hint="make it writable for you, or name another with `--disk_cache`",
                exit_code=ExitCode.ENVIRONMENT,
            ) from error
        raise


def cache_full(folder: Path) -> UserError:
    return fail(
        "disk-full",
        f"the disk that holds the cache folder `{folder}` is full",
        hint="free some space and run the same command again, or name a folder on another disk with `--disk_cache`",
        exit_code=ExitCode.ENVIRONMENT,
    )
