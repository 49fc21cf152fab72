"""A folder of checksummed files that only its owner can write: what is read from it is believed."""

from __future__ import annotations

import os
import time

USED_AGAIN_AFTER = 86_400.0
"""Seconds until a use of a file is written down anew, as its modification time."""


class PrivateFolder:
    """Bytes by key. It must be the user's own, with mode 0700, or it is not used; made if need be.

    A file that was damaged is as if it were not there. Of two processes that write the same key at once, one does.
    """

    def __init__(self, folder: str | os.PathLike[str] | None, suffix: str) -> None:
        self.path = None if folder is None else os.fspath(folder)
        self._suffix = suffix
        self._usable: bool | None = None if folder is not None else False

    def file(self, key: str) -> str | None:
        """Where the key's bytes are, if the folder may be used."""
        if self._usable is None:
            self._usable = self.path is not None and _is_private(self.path)
        return f"{self.path}/{key}{self._suffix}" if self._usable else None

    def read(self, key: str) -> memoryview | None:
        """What was written for the key, if it is there and whole."""
        from xxhash import xxh3_128_digest

        file = self.file(key)
        if file is None:
            return None
        try:
            descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            return None
        try:
            found = os.fstat(descriptor)
            data = os.read(descriptor, found.st_size + 1)
            if abs(time.time() - found.st_mtime) > USED_AGAIN_AFTER:
                os.utime(descriptor)
        except OSError:
            return None
        finally:
            os.close(descriptor)
        body = memoryview(data)[16:]
        return body if len(data) >= 16 and xxh3_128_digest(body) == data[:16] else None

    def write(self, key: str, body: bytes) -> None:
        """Keeps the bytes, if that can be done."""
        from xxhash import xxh3_128_digest

        file = self.file(key)
        if file is None:
            return
        # One name for all: what a killed process leaves is used by the next to come, instead of being left for good.
        temporary = f"{self.path}/.{key}.new"
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "wb") as out:
                if not _is_ours(temporary, descriptor):
                    return
                try:
                    os.ftruncate(descriptor, 0)
                    out.write(xxh3_128_digest(body) + body)
                    out.flush()
                    os.replace(temporary, file)
                except OSError:
                    os.unlink(temporary)
        except OSError:  # a cache that cannot be written is a cache that is empty
            pass


def _is_ours(temporary: str, descriptor: int) -> bool:
    """Whether nobody else is writing the file, nor has just renamed it: the kernel's lock says so. Raises OSError."""
    import fcntl

    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return os.path.samestat(os.stat(temporary), os.fstat(descriptor))


def _is_private(folder: str) -> bool:
    """Makes the folder if need be. Whether only its owner, who we are, can write there."""
    import stat

    try:
        os.makedirs(os.path.dirname(folder) or ".", exist_ok=True)
        if not os.path.isdir(folder):
            os.mkdir(folder, 0o700)
        status = os.lstat(folder)
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o077
