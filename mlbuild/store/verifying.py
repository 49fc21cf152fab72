"""Verifying: whether everything in a cache is what its name says. Repairing: what is not, goes; builds make it again."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from mlbuild.files.sharing import make_folder, private_part
from mlbuild.files.staged import differs, staged
from mlbuild.files.staging import TreeStore, is_sound
from mlbuild.records import record
from mlbuild.seams import BlobMissing
from mlbuild.store.collecting import remove_retired
from mlbuild.store.completeness import Completeness
from mlbuild.store.disk import DiskStore
from mlbuild.store.entries import decoded
from mlbuild.store.leases import Lease
from mlbuild.store.retired import generations
from mlbuild.store.words import in_words, reason
from mlbuild.terms import EMPTY, Digest

HASH = re.compile("[0-9a-f]{64}")
UNREADABLE = "cannot be read"


@record
class Finding:
    """What is not right: `blob`, `entry`, `tree`, `program` or `file` (what does not belong there), and where it lies."""

    what: str
    path: str
    why: str


@record
class Verified:
    """How much was looked at, and what was found, sorted by what and where."""

    blobs: int
    entries: int
    trees: int
    findings: tuple[Finding, ...]


@record
class Repaired:
    """What was found, and what of it is left as it was, with the reason."""

    verified: Verified
    left: tuple[tuple[Finding, str], ...]


def verify(folder: Path) -> Verified:
    """Reads every blob and entry and looks over every staged tree; changes nothing. Raises OSError, UserError.

    Of a shared cache, the trees of who asks.
    """
    with _leased(folder):
        return _verified(folder)


def repair(folder: Path) -> Repaired:
    """Sets aside or removes what `verify` finds, and what dead processes have left. Raises OSError, UserError.

    Builds may run beside it. What the disk cannot read is left: that does not say that it is wrong.
    """
    with _opened(folder) as trees:
        found = _verified(folder)
        left: list[tuple[Finding, str]] = []
        with trees.alone() as is_alone:
            for finding in found.findings:
                if UNREADABLE in finding.why:
                    left.append((finding, "what the disk cannot read may yet be right"))
                elif finding.what in ("tree", "program") and not is_alone:
                    left.append((finding, "another command is using it"))
                elif finding.what == "tree":
                    trees.remove(os.path.basename(finding.path))
                elif finding.what == "program":
                    trees.remove_program(os.path.basename(finding.path))
                else:
                    _set_aside(folder, finding.path)
    remove_retired(folder)
    return Repaired(found, tuple(left))


@contextlib.contextmanager
def _leased(folder: Path) -> Iterator[None]:
    """So that nothing goes while it is looked at. In a cache that may only be read, others may have things go."""
    with contextlib.ExitStack() as held:
        held.callback(Lease(folder).close)
        with contextlib.suppress(FileNotFoundError, PermissionError):
            in_use = os.open(private_part(folder) / "staged" / "in-use", os.O_RDONLY | os.O_CLOEXEC)
            held.callback(os.close, in_use)
            fcntl.flock(in_use, fcntl.LOCK_SH)
        yield


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[TreeStore]:
    """Leased, to be changed. Leftovers of the dead go when a store is opened."""
    store = DiskStore(folder)
    try:
        with in_words(folder):
            trees = TreeStore(private_part(folder) / "staged", store)
        try:
            yield trees
        finally:
            trees.close()
    finally:
        store.close()


def _verified(folder: Path) -> Verified:
    findings: list[Finding] = []
    sound = _Sound(folder)
    blobs = 0
    for path in _files(folder / "cas", findings):
        blobs += 1
        if (why := sound.look_at(path)) is not None:
            findings.append(Finding("blob", str(path.relative_to(folder)), why))
    entries = 0
    completeness = Completeness(sound)
    for path in _files(folder / "ac", findings):
        entries += 1
        if (why := _fault_of_entry(path, completeness)) is not None:
            findings.append(Finding("entry", str(path.relative_to(folder)), why))
    count = 0
    known = dict(sound.inodes)
    staging = private_part(folder) / "staged"
    for each in sorted(staged(staging), key=lambda each: not each.is_program):
        kind = "program" if each.is_program else "tree"
        place = staging / f"{kind}s" / each.name
        count += not each.is_program
        why = _fault_of_program(place, known) if each.is_program else _fault_of_tree(place, sound, known)
        if why is not None:
            findings.append(Finding(kind, str(place.relative_to(folder)), why))
    return Verified(blobs, entries, count, tuple(sorted(findings, key=lambda each: (each.what, each.path))))


class _Sound:
    """The blobs that were read and found right: what completeness is judged by, without changing the store."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.inodes: dict[int, str] = {}
        self._wrong: set[str] = set()
        self._sizes: dict[str, int] = {}

    def look_at(self, path: Path) -> str | None:
        """What is wrong with the blob, if anything."""
        why = _fault_of_bytes(path, self.inodes)
        if why is not None:
            self._wrong.add(path.name)
        return why

    def get(self, digest: Digest) -> bytes:
        if digest == EMPTY:
            return b""
        for path in self._places(digest):
            with contextlib.suppress(OSError):
                data = path.read_bytes()
                if Digest.of(data) == digest:
                    return data
        raise BlobMissing(digest)

    def get_root(self, name: str) -> Digest | None:
        """The digest of a tree by its hash, if its message is there."""
        with contextlib.suppress(OSError):
            return Digest(name, (self._folder / "cas" / name[:2] / name).lstat().st_size)
        return None

    def missing(self, digests: Iterable[Digest]) -> tuple[Digest, ...]:
        return tuple(each for each in dict.fromkeys(digests) if each != EMPTY and not self._has(each))

    def _has(self, digest: Digest) -> bool:
        if digest.hash in self._wrong:
            return False
        if digest.hash not in self._sizes:
            for path in self._places(digest):
                with contextlib.suppress(OSError):
                    self._sizes[digest.hash] = path.lstat().st_size
        return self._sizes.get(digest.hash) == digest.size

    def _places(self, digest: Digest) -> Iterator[Path]:
        yield self._folder / "cas" / digest.hash[:2] / digest.hash
        for generation in generations(self._folder):
            yield self._folder / "retired" / str(generation) / digest.hash


def _fault_of_bytes(path: Path, known: dict[int, str]) -> str | None:
    """Why a file's bytes are not what its name says; files that are right become known by inode."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        return "is a link" if path.is_symlink() else f"{UNREADABLE}: {reason(error)}"
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            return "is no file"
        try:
            right = hashlib.file_digest(file, "sha256").hexdigest() == path.name
        except OSError as error:
            return f"{UNREADABLE}: {reason(error)}"
    if not right:
        return "its bytes are not those of its name"
    known[found.st_ino] = path.name
    return None


def _fault_of_entry(path: Path, completeness: Completeness) -> str | None:
    try:
        if path.is_symlink() or not path.is_file():
            return "is no file" if os.path.lexists(path) else None
        key, result = decoded(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"{UNREADABLE}: {reason(error)}"
    except ValueError:
        return "it is damaged"
    if key.hash != path.name:
        return "it answers another key"
    if not completeness.is_complete(result) and path.exists():
        return "something that it names is missing or damaged"
    return None


def _fault_of_program(place: Path, known: dict[int, str]) -> str | None:
    if (why := _fault_of_bytes(place, known)) is not None:
        return why
    return None if stat.S_IMODE(place.lstat().st_mode) == 0o555 else "its mode is not that of a program"


def _fault_of_tree(place: Path, sound: _Sound, known: dict[int, str]) -> str | None:
    if not HASH.fullmatch(place.name):
        return "it has no name of a tree"
    root = sound.get_root(place.name)
    # Where its messages have been collected, what it should hold is not known beyond its listing.
    with contextlib.suppress(BlobMissing, ValueError):
        try:
            if root is not None and (where := differs(place, root, sound.get, known)) is not None:
                return f"`{where}` is not what was staged"
        except OSError as error:
            return f"{UNREADABLE}: {reason(error)}"
    return None if is_sound(place) else "it is not as it was staged"


def _files(folder: Path, findings: list[Finding]) -> Iterator[Path]:
    """What lies at `ab/<hash>`, sorted; the rest does not belong there."""
    for pair in _listed(folder):
        if len(pair.name) != 2 or not pair.is_dir() or pair.is_symlink():
            findings.append(Finding("file", f"{folder.name}/{pair.name}", "it does not belong there"))
            continue
        for path in _listed(pair):
            if HASH.fullmatch(path.name) and path.name.startswith(pair.name):
                yield path
            else:
                findings.append(Finding("file", str(path.relative_to(folder.parent)), "it does not belong there"))


def _listed(folder: Path) -> list[Path]:
    try:
        # What begins like that is on its way: the next moment it has its name.
        return [folder / name for name in sorted(os.listdir(folder)) if not name.startswith(".new-")]
    except FileNotFoundError:
        return []


def _set_aside(folder: Path, path: str) -> None:
    quarantine = folder / "quarantine"
    make_folder(quarantine)
    with contextlib.suppress(FileNotFoundError):
        os.rename(folder / path, quarantine / f"{os.path.basename(path)}-{os.urandom(4).hex()}")
