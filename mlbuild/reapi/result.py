"""`ActionResult`: what an action left behind."""

from __future__ import annotations

from mlbuild.reapi.wire import Message, bytes_field, encode_digest, message_field, number_field, text_field
from mlbuild.records import record
from mlbuild.terms import EMPTY, Digest, FileValue, SpawnResult, TreeValue

_NS = 1_000_000_000


@record
class OutputFile:
    path: str
    digest: Digest
    is_executable: bool = False


@record
class OutputDirectory:
    """A folder: by its `Tree` message, by its root `Directory` message, or by both."""

    path: str
    tree_digest: Digest | None = None
    root_directory_digest: Digest | None = None


@record
class OutputSymlink:
    path: str
    target: str


@record
class ExecutionMetadata:
    """Who ran it, and from when to when, in nanoseconds since 1970 (nothing: not said).

    `notes` are what clients add, by the name of its type.
    """

    worker: str = ""
    started_ns: int | None = None
    completed_ns: int | None = None
    notes: tuple[tuple[str, bytes], ...] = ()


@record
class ActionResult:
    """The message as it is, checked for form only: its paths and digests may be used, its claims may be lies."""

    output_files: tuple[OutputFile, ...] = ()
    output_directories: tuple[OutputDirectory, ...] = ()
    output_symlinks: tuple[OutputSymlink, ...] = ()
    exit_code: int = 0
    stdout_raw: bytes = b""
    stdout_digest: Digest | None = None
    stderr_raw: bytes = b""
    stderr_digest: Digest | None = None
    metadata: ExecutionMetadata | None = None


def encode_result(result: SpawnResult, trees: dict[str, Digest] | None = None) -> bytes:
    """The result as an `ActionResult`. `trees` gives, by output path, the digests of `Tree` messages that were stored.

    Raises ValueError for a result with a `failure`: the message has no place for it.
    """
    if result.failure is not None:
        raise ValueError("a failure cannot be encoded as an action result")
    files: list[OutputFile] = []
    directories: list[OutputDirectory] = []
    for path, value in sorted(result.outputs):
        if isinstance(value, FileValue):
            files.append(OutputFile(path, value.digest, value.is_executable))
        else:
            directories.append(OutputDirectory(path, (trees or {}).get(path), value.digest))
    return encode_action_result(
        ActionResult(
            tuple(files),
            tuple(directories),
            exit_code=result.exit_code,
            stdout_digest=None if result.stdout == EMPTY else result.stdout,
            stderr_digest=None if result.stderr == EMPTY else result.stderr,
            metadata=ExecutionMetadata(result.runner, 0, max(0, round(result.wall_seconds * _NS))),
        )
    )


def decode_result(data: bytes) -> SpawnResult:
    """The result of an `ActionResult`. Raises ValueError for what a `SpawnResult` cannot hold: links among the
    outputs, folders without a root digest, output given inline.
    """
    message = decode_action_result(data)
    if message.output_symlinks:
        raise ValueError(f"the output `{message.output_symlinks[0].path}` is a link")
    if (message.stdout_raw and message.stdout_digest is None) or (message.stderr_raw and message.stderr_digest is None):
        raise ValueError("output is given inline without its digest")
    outputs: list[tuple[str, FileValue | TreeValue]] = [
        (file.path, FileValue(file.digest, file.is_executable)) for file in message.output_files
    ]
    for directory in message.output_directories:
        if directory.root_directory_digest is None:
            raise ValueError(f"the output `{directory.path}` has no root digest")
        outputs.append((directory.path, TreeValue(directory.root_directory_digest)))
    metadata = message.metadata or ExecutionMetadata()
    seconds = max(0, (metadata.completed_ns or 0) - (metadata.started_ns or 0)) / _NS
    return SpawnResult(
        exit_code=message.exit_code,
        outputs=tuple(sorted(outputs, key=lambda output: output[0])),
        stdout=message.stdout_digest or EMPTY,
        stderr=message.stderr_digest or EMPTY,
        runner=metadata.worker,
        wall_seconds=seconds,
    )


def encode_action_result(result: ActionResult) -> bytes:
    """The canonical message: outputs sorted by path."""
    parts = [
        *[message_field(2, _file(each)) for each in sorted(result.output_files, key=lambda each: each.path)],
        *[message_field(3, _directory(each)) for each in sorted(result.output_directories, key=lambda each: each.path)],
        number_field(4, result.exit_code),
        bytes_field(5, result.stdout_raw),
        _digest(6, result.stdout_digest),
        bytes_field(7, result.stderr_raw),
        _digest(8, result.stderr_digest),
        b"" if result.metadata is None else message_field(9, _metadata(result.metadata)),
        *[
            message_field(12, text_field(1, each.path) + text_field(2, each.target))
            for each in sorted(result.output_symlinks, key=lambda each: each.path)
        ],
    ]
    return b"".join(parts)


def decode_action_result(data: bytes) -> ActionResult:
    """The message. Raises ValueError; also for paths that lead elsewhere, or that it has twice or within a file."""
    message = Message(data)
    metadata = message.inner(9)
    symlinks = (*message.inners(10), *message.inners(11), *message.inners(12))
    result = ActionResult(
        tuple(OutputFile(each.text(1), each.needed_digest(2), each.flag(4)) for each in message.inners(2)),
        tuple(OutputDirectory(each.text(1), each.digest(3), each.digest(5)) for each in message.inners(3)),
        # Servers may give a link in the old field and in the new one.
        tuple(dict.fromkeys(OutputSymlink(each.text(1), each.text(2)) for each in symlinks)),
        message.number_32(4),
        message.raw(5),
        message.digest(6),
        message.raw(7),
        message.digest(8),
        None
        if metadata is None
        else ExecutionMetadata(
            metadata.text(1),
            _nanoseconds(metadata.inner(7)),
            _nanoseconds(metadata.inner(8)),
            tuple((note.text(1), note.raw(2)) for note in metadata.inners(11)),
        ),
    )
    _check_paths(result)
    return result


def _check_paths(result: ActionResult) -> None:
    paths = [
        *(file.path for file in result.output_files),
        *(directory.path for directory in result.output_directories),
        *(link.path for link in result.output_symlinks),
    ]
    every = set(paths)
    if len(every) != len(paths):
        raise ValueError("two outputs have one path")
    for path in paths:
        parts = path.split("/")
        if "\0" in path or any(part in ("", ".", "..") for part in parts):
            raise ValueError(f"{path!r} is not the path of an output")
        if any("/".join(parts[:count]) in every for count in range(1, len(parts))):
            raise ValueError(f"the output `{path}` lies within another")


def _file(file: OutputFile) -> bytes:
    return text_field(1, file.path) + message_field(2, encode_digest(file.digest)) + number_field(4, file.is_executable)


def _directory(directory: OutputDirectory) -> bytes:
    return (
        text_field(1, directory.path) + _digest(3, directory.tree_digest) + _digest(5, directory.root_directory_digest)
    )


def _digest(number: int, digest: Digest | None) -> bytes:
    return b"" if digest is None else message_field(number, encode_digest(digest))


def _metadata(metadata: ExecutionMetadata) -> bytes:
    return b"".join(
        [
            text_field(1, metadata.worker),
            _timestamp(7, metadata.started_ns),
            _timestamp(8, metadata.completed_ns),
            *[message_field(11, text_field(1, name) + bytes_field(2, value)) for name, value in metadata.notes],
        ]
    )


def _timestamp(number: int, nanoseconds: int | None) -> bytes:
    if nanoseconds is None:
        return b""
    seconds, rest = divmod(nanoseconds, _NS)
    return message_field(number, number_field(1, seconds) + number_field(2, rest))


def _nanoseconds(timestamp: Message | None) -> int | None:
    if timestamp is None:
        return None
    rest = timestamp.number_32(2)
    if not 0 <= rest < _NS:
        raise ValueError("a time has more than a second of nanoseconds")
    return timestamp.number(1) * _NS + rest
