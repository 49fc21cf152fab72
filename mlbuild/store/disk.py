"""Blobs on the local disk, by digest: `cas/ab/<hash>`, read-only files that staging may hard-link.

A blob has mode 0444 and one fixed modification time, so that a write to it shows. Whatever its stamp, its bytes are
hashed before a process gives them out for the first time; what turns out to be wrong goes to `quarantine/` and counts
as missing. A blob that the disk cannot read is missing too, but stays where it is: that is not the blob's fault.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from mlbuild.diagnostics import Diagnostic
from mlbuild.files.hashing import sha256_of
from mlbuild.files.sharing import make_cache, make_folder
from mlbuild.files.staging import FIXED_TIME
from mlbuild.seams import BlobMissing
from mlbuild.store.durable import Durability
from mlbuild.store.flushed import Flushed
from mlbuild.store.leases import Lease
from mlbuild.store.retired import fetched_back
from mlbuild.store.temporary import TemporaryFiles
from mlbuild.store.words import REFUSED, cannot_read, in_words
from mlbuild.terms import EMPTY, Digest

PUBLISHED_NS = FIXED_TIME * 1_000_000_000
CHUNK = 1 << 20

UNREADABLE = frozenset({errno.EIO, errno.EBADMSG, errno.ESTALE, errno.EREMOTEIO, errno.EUCLEAN})
"""The disk or the server behind it fails: this says nothing about the blob."""

Stamp = tuple[int, int, int, int]
"""(size, mtime_ns, inode, ctime_ns); of our own files no ctime: hard links move it. Another's, he can change under us."""


class DiskStore:
    """A `ContentStore` for any number of threads and processes at once. `warn` is told of damage, in words."""

    unreadable = UNREADABLE
    """Errors that make a blob missing; others end the build."""

    def __init__(self, folder: Path, warn: Callable[[Diagnostic], None] | None = None) -> None:
        self._folder = folder
        self._blobs = str(folder / "cas")
        self._warn = warn
        with in_words(folder):
            make_cache(folder)
            make_folder(folder / "cas")
            # From here on nothing that we see goes before we close.
            self._lease = Lease(folder)
        self._temporary = TemporaryFiles(folder / "tmp")
        with contextlib.suppress(OSError):
            # A cache that may only be read is useful too.
            self._temporary.clear_away()
        self._durability = Durability(folder)
        with in_words(folder):
            self._flushed = Flushed(folder)
        self._sound: dict[Digest, Stamp] = {}
        self._useless: dict[Digest, Stamp] = {}
        """Blobs that were found wrong or unreadable, and are still there: as good as missing."""

    def close(self) -> None:
        """Gives the folder for temporary files and the lease back: nothing may be put or asked for any more."""
        self._temporary.close()
        self._lease.close()

    @property
    def has_grown(self) -> bool:
        """Whether a blob was put that was not there."""
        return self._durability.has_written

    def put(self, data: bytes) -> Digest:
        digest = Digest.of(data)
        if not self._is_sound(digest):
            with in_words(self._folder):
                descriptor, temporary = self._temporary.make()
                try:
                    _write(descriptor, data)
                    self._publish(descriptor, temporary, digest)
                finally:
                    self._temporary.drop(descriptor, temporary)
        return digest

    def put_stream(self, source: BinaryIO) -> Digest:
        """Hashed while it is copied. What `source` raises when it is read comes through as it is."""
        chunk = _read(source, CHUNK)
        if len(chunk) < CHUNK:
            return self.put(chunk)
        hasher = hashlib.sha256()
        size = 0
        with in_words(self._folder):
            descriptor, temporary = self._temporary.make()
        try:
            while chunk:
                hasher.update(chunk)
                size += len(chunk)
                with in_words(self._folder):
                    _write(descriptor, chunk)
                chunk = source.read(CHUNK)
            digest = Digest(hasher.hexdigest(), size)
            if not self._is_sound(digest):
                with in_words(self._folder):
                    self._publish(descriptor, temporary, digest)
            return digest
        finally:
            self._temporary.drop(descriptor, temporary)

    def get(self, digest: Digest) -> bytes:
        """The blob; hashed every time, since what is asked for like this is small."""
        if digest == EMPTY:
            return b""
        descriptor = self._open(digest)
        try:
            found = os.fstat(descriptor)
            data = self._read_all(digest, descriptor) if found.st_size == digest.size else b""
            if hashlib.sha256(data).hexdigest() != digest.hash:
                self._condemn(digest, found)
                raise BlobMissing(digest)
            self._sound[digest] = _stamp(found)
            return data
        finally:
            os.close(descriptor)

    def open(self, digest: Digest) -> BinaryIO:
        if digest == EMPTY:
            self._keep_empty()
        descriptor = self._open(digest)
        try:
            self._check(digest, descriptor)
            return os.fdopen(descriptor, "rb")
        except BaseException:
            os.close(descriptor)
            raise

    def path_of(self, digest: Digest) -> Path:
        """The blob's file, checked: to be linked or copied, never to be written. Raises BlobMissing."""
        if digest == EMPTY:
            self._keep_empty()
        path = self._path(digest)
        known = self._sound.get(digest)
        if known is not None:
            with contextlib.suppress(OSError):
                if _stamp(os.lstat(path)) == known:
                    return Path(path)
        descriptor = self._open(digest)
        try:
            self._check(digest, descriptor)
        finally:
            os.close(descriptor)
        return Path(path)

    def missing(self, digests: Iterable[Digest]) -> tuple[Digest, ...]:
        """By stamps alone where they are as published: a flaw behind such a stamp shows when the blob is read.

        What was put before a loss of power, and not flushed, is read.
        """
        return tuple(digest for digest in dict.fromkeys(digests) if digest != EMPTY and not self._is_there(digest))

    def flush(self) -> None:
        """One `syncfs` for everything that was put since the last."""
        began_ns = time.time_ns()
        with in_words(self._folder):
            if self._durability.flush():
                self._flushed.note(began_ns)

    def _path(self, digest: Digest) -> str:
        return f"{self._blobs}/{digest.hash[:2]}/{digest.hash}"

    def _is_there(self, digest: Digest) -> bool:
        try:
            found = self._found(digest)
        except FileNotFoundError:
            return False
        except OSError as error:
            if error.errno in self.unreadable:
                return False
            raise cannot_read(self._folder, error) from error
        if self._useless.get(digest) == _stamp(found):
            return False
        looks_right = (found.st_size, found.st_mtime_ns) == (digest.size, PUBLISHED_NS) and stat.S_ISREG(found.st_mode)
        if looks_right and not self._flushed.is_doubtful(found.st_ctime_ns):
            return True
        return self._is_sound(digest)

    def _is_sound(self, digest: Digest) -> bool:
        """Whether the blob is there with its right bytes: hashed, unless this process has and its stamp is the same."""
        try:
            if digest in self._sound and _stamp(self._found(digest)) == self._sound[digest]:
                return True
            descriptor = self._open(digest)
        except (BlobMissing, FileNotFoundError):
            return False
        try:
            self._check(digest, descriptor)
        except BlobMissing:
            return False
        finally:
            os.close(descriptor)
        return True

    def _found(self, digest: Digest) -> os.stat_result:
        """How the blob looks; it is fetched back if it was retired. Raises OSError."""
        path = self._path(digest)
        try:
            return os.lstat(path)
        except FileNotFoundError:
            with fetched_back(self._folder, digest.hash, path):
                return os.lstat(path)

    def _open(self, digest: Digest) -> int:
        path = self._path(digest)
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        try:
            try:
                return os.open(path, flags)
            except FileNotFoundError:
                with fetched_back(self._folder, digest.hash, path):
                    return os.open(path, flags)
        except OSError as error:
            if error.errno in {errno.ENOENT, errno.ELOOP, *self.unreadable}:
                raise BlobMissing(digest) from None
            raise cannot_read(self._folder, error) from error

    def _check(self, digest: Digest, descriptor: int) -> None:
        """Hashes an open blob unless that was done and its stamp is the same. Raises BlobMissing."""
        found = os.fstat(descriptor)
        if self._sound.get(digest) == _stamp(found):
            return
        is_right = stat.S_ISREG(found.st_mode) and found.st_size == digest.size
        if is_right:
            with self._readable(digest), os.fdopen(descriptor, "rb", buffering=0, closefd=False) as file:
                is_right = sha256_of(file) == digest.hash
            os.lseek(descriptor, 0, os.SEEK_SET)
        if not is_right:
            self._condemn(digest, found)
            raise BlobMissing(digest)
        is_as_published = found.st_mtime_ns == PUBLISHED_NS and stat.S_IMODE(found.st_mode) == 0o444
        if not is_as_published or self._flushed.is_doubtful(found.st_ctime_ns):
            # Which also moves its ctime to now: there is no doubt about it any more.
            with contextlib.suppress(OSError):
                os.fchmod(descriptor, 0o444)
                os.utime(descriptor, ns=(PUBLISHED_NS, PUBLISHED_NS))
                found = os.fstat(descriptor)
        self._useless.pop(digest, None)
        self._sound[digest] = _stamp(found)

    def _read_all(self, digest: Digest, descriptor: int) -> bytes:
        """The file's bytes, unless it has become shorter."""
        with self._readable(digest):
            data = os.read(descriptor, digest.size)
            while len(data) < digest.size and (more := os.read(descriptor, digest.size - len(data))):
                data += more
            return data

    @contextlib.contextmanager
    def _readable(self, digest: Digest) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in self.unreadable:
                with contextlib.suppress(OSError):
                    self._useless[digest] = _stamp(os.lstat(self._path(digest)))
                raise BlobMissing(digest) from error
            raise cannot_read(self._folder, error) from error

    def _publish(self, descriptor: int, temporary: str, digest: Digest) -> None:
        """Renames: nothing half-done ever has a blob's name, and what was there wrong or unreadable is replaced."""
        os.fchmod(descriptor, 0o444)
        os.utime(descriptor, ns=(PUBLISHED_NS, PUBLISHED_NS))
        path = self._path(digest)
        try:
            os.rename(temporary, path)
        except FileNotFoundError:
            make_folder(os.path.dirname(path))
            os.rename(temporary, path)
        self._durability.wrote()
        self._useless.pop(digest, None)
        self._sound[digest] = _stamp(os.fstat(descriptor))

    def _keep_empty(self) -> None:
        """The empty blob is always there for those who ask; a file of it is made for those who need one."""
        if not self._is_sound(EMPTY):
            self.put(b"")

    def _condemn(self, digest: Digest, found: os.stat_result) -> None:
        """Moves a wrong blob away, unless somebody has put the right one there meanwhile."""
        path = self._path(digest)
        self._sound.pop(digest, None)
        self._useless[digest] = _stamp(found)
        with contextlib.suppress(OSError):
            if not os.path.samestat(os.lstat(path), found):
                return
            quarantine = self._folder / "quarantine"
            make_folder(quarantine)
            os.rename(path, quarantine / f"{digest.hash}-{os.urandom(4).hex()}")
        if self._warn is not None:
            self._warn(
                Diagnostic(
                    "damaged-blob",
                    f"a stored file was damaged and is set aside: `{digest.hash[:12]}` in `{self._folder}`",
                    hint="it is made again when it is needed; if this comes again, check the disk",
                )
            )


class ReadOnlyStore(DiskStore):
    """The blobs of a cache that may only be read: nothing may be put, and what may not be read is missing."""

    unreadable = UNREADABLE | REFUSED


def _stamp(found: os.stat_result) -> Stamp:
    ctime_ns = 0 if found.st_uid == os.geteuid() else found.st_ctime_ns
    return (found.st_size, found.st_mtime_ns, found.st_ino, ctime_ns)


def _read(source: BinaryIO, size: int) -> bytes:
    """Up to `size` bytes, fewer only at the end: unbuffered files may give less than was asked."""
    data = source.read(size)
    if len(data) == size or not data:
        return data
    parts = [data]
    left = size - len(data)
    while left and (data := source.read(left)):
        parts.append(data)
        left -= len(data)
    return b"".join(parts)


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
