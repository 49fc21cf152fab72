"""The workspace on disk, and the other repositories: read, listed, and put into the store while they are hashed."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from collections.abc import Iterator, Mapping
from io import FileIO
from pathlib import Path

from mlbuild.diagnostics import Location, UserError, fail
from mlbuild.files.hashing import sha256_of
from mlbuild.files.paths import check_name, check_path
from mlbuild.files.states import FileStates, Stamp
from mlbuild.reapi import encode_directory
from mlbuild.seams import ContentStore, EntryKind
from mlbuild.terms import OUTPUT_ROOT, Digest, Directory, DirectoryNode, FileNode, FileValue, TreeValue

ATTEMPTS = 3
EXTERNAL = "external/"

_ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY


class DiskSourceTree:
    """A `SourceTree` over folders. Links are followed as long as they stay inside their repository.

    `mlbuild-out` at a root is hidden: it holds copies of outputs, which are never inputs.
    """

    def __init__(
        self, workspace: Path, repositories: Mapping[str, Path], store: ContentStore, states: FileStates
    ) -> None:
        self._workspace = os.path.realpath(workspace)
        self._repositories = {name: os.path.realpath(folder) for name, folder in repositories.items()}
        self._store = store
        self._states = states
        self._folders: dict[str, str] = {}
        """Folders already followed: the path as asked, from the root, and the real one."""
        self._read: dict[str, Digest] = {}
        self._values: dict[str, FileValue | TreeValue] = {}

    def read(self, path: str) -> bytes:
        place = self._follow(path)
        for _ in range(ATTEMPTS):
            taken = time.time_ns()
            with self._open(place) as file:
                before = Stamp.of(os.fstat(file.fileno()))
                data = file.read()
                if Stamp.of(os.fstat(file.fileno())) != before:
                    continue
            digest = Digest.of(data)
            self._check_unchanged(path, digest)
            if before == Stamp.of(place.found):
                self._states.learn(place.plain, before, taken, digest)
            return data
        raise _changed(path)

    def digest(self, path: str) -> Digest:
        place = self._follow(path)
        if not stat.S_ISREG(place.found.st_mode):
            return Digest.of(self.read(path))  # which says what it is
        digest = self._states.digest(place.plain, Stamp.of(place.found))
        if digest is None:
            return Digest.of(self.read(path))
        self._states.saw(place.plain, place.found, "file")
        self._check_unchanged(path, digest)
        return digest

    def list(self, path: str) -> tuple[tuple[str, EntryKind], ...]:
        place = self._follow(path)
        if not stat.S_ISDIR(place.found.st_mode):
            raise FileNotFoundError(path)
        self._states.saw(place.plain, place.found, "directory")
        listed: list[tuple[str, EntryKind]] = []
        with _in_words(path), os.scandir(place.real) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
        for entry in found:
            if entry.name == OUTPUT_ROOT and place.real == place.root:
                continue
            kind: EntryKind | None
            if entry.is_symlink():
                kind = self._kind_of_link(f"{path}/{entry.name}" if path else entry.name)
            else:
                kind = "directory" if entry.is_dir(follow_symlinks=False) else None
                kind = "file" if entry.is_file(follow_symlinks=False) else kind
            if kind is not None:
                check_name(entry.name, path)
                listed.append((entry.name, kind))
        return tuple(listed)

    def kind(self, path: str) -> EntryKind | None:
        """Raises UserError for a link that leads out of its repository."""
        try:
            place = self._follow(path)
        except FileNotFoundError:
            return None
        if stat.S_ISDIR(place.found.st_mode):
            self._states.saw(place.plain, place.found, "directory")
            return "directory"
        self._states.saw(place.plain, place.found, "file")
        return "file" if stat.S_ISREG(place.found.st_mode) else None

    def ingest(self, path: str) -> FileValue | TreeValue:
        """Once in a process: the same value is given again, whatever happened to the file meanwhile."""
        if (known := self._values.get(path)) is not None:
            return known
        place = self._follow(path)
        value = self._ingest_folder(path) if stat.S_ISDIR(place.found.st_mode) else self._ingest_file(path, place)
        self._values[path] = value
        return value

    def look_again(self) -> None:
        """The store has lost a blob: sources are put there anew when they are asked for, and have to be what they were."""
        self._values.clear()

    def _ingest_file(self, path: str, place: _Place) -> FileValue:
        self._states.saw(place.plain, place.found, "file")
        stamp = Stamp.of(place.found)
        digest = self._states.digest(place.plain, stamp)
        if digest is None or self._store.missing([digest]):
            try:
                stamp, digest = self._take(path, place)
            except PermissionError as error:
                raise _unreadable(path, error) from error
        self._check_unchanged(path, digest)
        return FileValue(digest, bool(stamp.mode & 0o111))

    def _take(self, path: str, place: _Place) -> tuple[Stamp, Digest]:
        for _ in range(ATTEMPTS):
            taken = time.time_ns()
            with self._open(place) as file:
                before = Stamp.of(os.fstat(file.fileno()))
                digest = self._as_before(file, place, before.size) or self._store.put_stream(file)
                after = Stamp.of(os.fstat(file.fileno()))
            try:
                # The path may name another file by now: its stamp has to be the one that was read.
                now = Stamp.of(os.stat(place.plain))
            except FileNotFoundError:
                continue
            if before == after == now and digest.size == now.size:
                self._states.learn(place.plain, now, taken, digest)
                return now, digest
        raise _changed(path)

    def _as_before(self, file: FileIO, place: _Place, size: int) -> Digest | None:
        """The digest that the file had before, if it still has: a file that was only touched is not copied again."""
        guess = self._states.last_digest(place.plain, size)
        if guess is None or self._store.missing([guess]):
            return None
        if sha256_of(file) == guess.hash:
            return guess
        file.seek(0)
        return None

    def _ingest_folder(self, path: str) -> TreeValue:
        """Depth first, without recursion: folders may be deep."""
        open_folders = [self._enter(path, path)]
        while True:
            folder = open_folders[-1]
            if folder.waiting:
                name, kind = folder.waiting.pop()
                inside = f"{folder.path}/{name}" if folder.path else name
                if kind == "directory":
                    entered = self._enter(inside, name)
                    if any(entered.identity == each.identity for each in open_folders):
                        raise fail(
                            "endless-folder",
                            f"`{inside}` is a link to a folder that it lies in",
                            location=Location(inside),
                            hint="remove the link, or name the folder's parts one by one",
                        )
                    open_folders.append(entered)
                else:
                    value = self._ingest_file(inside, self._follow(inside))
                    folder.files.append(FileNode(name, value.digest, value.is_executable))
                continue
            digest = self._store.put(encode_directory(Directory(tuple(folder.files), tuple(folder.directories))))
            open_folders.pop()
            if not open_folders:
                return TreeValue(digest)
            open_folders[-1].directories.append(DirectoryNode(folder.name, digest))

    def _enter(self, path: str, name: str) -> _Folder:
        found = self._follow(path).found
        return _Folder(path, name, (found.st_dev, found.st_ino), [*reversed(self.list(path))])

    def _kind_of_link(self, path: str) -> EntryKind | None:
        try:
            return self.kind(path)
        except UserError:
            return None

    def _check_unchanged(self, path: str, digest: Digest) -> None:
        if self._read.setdefault(path, digest) != digest:
            raise _changed(path)

    def _open(self, place: _Place) -> FileIO:
        with _in_words(place.path):
            try:
                # It has its descriptor from the first moment: an interrupt at any other leaves none, and closes none twice.
                file = FileIO(place.real, opener=lambda path, _: os.open(path, _READ))
            except IsADirectoryError:
                self._states.saw(place.plain, os.stat(place.real), "file")
                raise IsADirectoryError(place.path) from None
            except OSError as error:
                if error.errno == errno.ELOOP:
                    raise _changed(place.path) from None
                raise
        try:
            found = os.fstat(file.fileno())
            self._states.saw(place.plain, found, "file")
            if not stat.S_ISREG(found.st_mode):
                raise fail(
                    "odd-source", f"`{place.path}` is neither a file nor a folder", location=Location(place.path)
                )
        except BaseException:
            file.close()
            raise
        return file

    def _follow(self, path: str) -> _Place:
        """What is at the path, links followed. Raises FileNotFoundError, and UserError when they lead out."""
        check_path(path)
        root, inside = self._split(path)
        plain = f"{root}/{inside}" if inside else root
        if f"{inside}/".startswith(f"{OUTPUT_ROOT}/"):
            raise _is_output(path)
        try:
            real = root
            if inside:
                parent, _, name = inside.rpartition("/")
                real = f"{self._follow_folder(root, parent, path)}/{name}"
            if f"{real}/".startswith(f"{root}/{OUTPUT_ROOT}/"):
                raise _is_output(path)
            found = os.lstat(real)
            if stat.S_ISLNK(found.st_mode):
                real = _followed(real, root, path)
                found = os.stat(real)
        except OSError as error:
            if error.errno not in _ABSENT:
                raise _unreadable(path, error) from error
            self._states.saw_nothing(plain)
            raise FileNotFoundError(path) from None
        return _Place(path, root, plain, real, found)

    def _follow_folder(self, root: str, folder: str, asked: str) -> str:
        """The real path of a folder. Each is looked at once: builds ask for many files of few folders."""
        plain = f"{root}/{folder}" if folder else root
        parts: list[str] = []
        while plain != root and plain not in self._folders:
            plain, _, part = plain.rpartition("/")
            parts.append(part)
        real = self._folders.get(plain, root)
        for part in reversed(parts):
            plain = f"{plain}/{part}"
            real = f"{real}/{part}"
            if stat.S_ISLNK(os.lstat(real).st_mode):
                real = _followed(real, root, asked)
            self._folders[plain] = real
        return real

    def _split(self, path: str) -> tuple[str, str]:
        if path.startswith(EXTERNAL):
            name, _, inside = path.removeprefix(EXTERNAL).partition("/")
            if name in self._repositories:
                return self._repositories[name], inside
        return self._workspace, path


class _Place:
    """Where a path leads: as asked, absolute, and absolute with links followed."""

    __slots__ = ("found", "path", "plain", "real", "root")

    def __init__(self, path: str, root: str, plain: str, real: str, found: os.stat_result) -> None:
        self.path = path
        self.root = root
        self.plain = plain
        self.real = real
        self.found = found


class _Folder:
    """A folder on its way into the store: what is in it already, and what is still to be read, last first."""

    __slots__ = ("directories", "files", "identity", "name", "path", "waiting")

    def __init__(self, path: str, name: str, identity: tuple[int, int], waiting: list[tuple[str, EntryKind]]) -> None:
        self.path = path
        self.name = name
        self.identity = identity
        self.waiting = waiting
        self.files: list[FileNode] = []
        self.directories: list[DirectoryNode] = []


def _followed(link: str, root: str, asked: str) -> str:
    """Where a link leads, which has to be inside its root and not among the outputs. Raises UserError."""
    real = os.path.realpath(link)
    if real != root and not real.startswith(f"{root}/"):
        raise fail(
            "path-outside-workspace",
            f"`{asked}` is reached through a link to `{real}`, outside the workspace",
            location=Location(asked),
            hint="copy the file into the workspace, or fetch it with a pinned digest (`http_file`)",
        )
    if f"{real}/".startswith(f"{root}/{OUTPUT_ROOT}/"):
        raise _is_output(asked)
    return real


def _is_output(path: str) -> UserError:
    return fail(
        "output-as-input",
        f"`{path}` lies in `{OUTPUT_ROOT}/`, which holds copies of outputs and is never an input",
        location=Location(path),
        hint="name the target that makes the file instead",
    )


def _changed(path: str) -> UserError:
    return fail(
        "input-changed",
        f"`{path}` changed while the build was reading it",
        location=Location(path),
        hint="wait until whatever writes it has finished, then run the same command again",
    )


def _unreadable(path: str, error: OSError) -> UserError:
    return fail(
        "input-unreadable",
        f"`{path}` cannot be read: {os.strerror(error.errno or 0).lower()}",
        location=Location(path),
        hint="make it readable for you",
    )


@contextlib.contextmanager
def _in_words(path: str) -> Iterator[None]:
    """Turns errors of the disk into words; what the door promises to raise comes through."""
    try:
        yield
    except (FileNotFoundError, IsADirectoryError, PermissionError):
        raise
    except OSError as error:
        raise _unreadable(path, error) from error
