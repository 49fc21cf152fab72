"""REAPI v2 messages of terms, canonical bytes both ways.

Source: `build.bazel.remote.execution.v2` as published in bazelbuild/remote-apis. Decoders raise ValueError for
anything malformed and skip unknown fields.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from mlbuild.reapi.wire import as_bytes, as_number, as_text, data, fields, message, number, text
from mlbuild.terms import (
    EMPTY,
    WORKING_DIRECTORY,
    Digest,
    Directory,
    DirectoryNode,
    FileNode,
    FileValue,
    Spawn,
    SpawnResult,
    SymlinkNode,
    TreeValue,
)

HASH = re.compile(r"[0-9a-f]{64}\Z")
NANOSECONDS = 1_000_000_000


def encode_digest(digest: Digest) -> bytes:
    return text(1, digest.hash) + number(2, digest.size)


def decode_digest(encoded: bytes) -> Digest:
    name, size = "", 0
    for field, value in fields(encoded):
        if field == 1:
            name = as_text(value)
        elif field == 2:
            size = as_number(value)
    if not HASH.match(name) or size < 0:
        raise ValueError("not a digest")
    return Digest(name, size)


def encode_directory(directory: Directory) -> bytes:
    """The `Directory` message; its digest is the folder's."""
    parts = [
        message(1, text(1, file.name) + message(2, encode_digest(file.digest)) + number(4, int(file.is_executable)))
        for file in directory.files
    ]
    parts += [message(2, text(1, each.name) + message(2, encode_digest(each.digest))) for each in directory.directories]
    parts += [message(3, text(1, link.name) + text(2, link.target)) for link in directory.symlinks]
    return b"".join(parts)


def decode_directory(encoded: bytes) -> Directory:
    """Checks what staging relies on: safe names, each once, in order."""
    files: list[FileNode] = []
    directories: list[DirectoryNode] = []
    symlinks: list[SymlinkNode] = []
    for field, value in fields(encoded):
        if field == 1:
            files.append(_file_node(as_bytes(value)))
        elif field == 2:
            name, digest = _named_digest(as_bytes(value), 2)
            directories.append(DirectoryNode(name, digest))
        elif field == 3:
            symlinks.append(_symlink_node(as_bytes(value)))
    kinds: tuple[list[str], ...] = (
        [file.name for file in files],
        [each.name for each in directories],
        [link.name for link in symlinks],
    )
    seen: set[str] = set()
    for names in kinds:
        for name in names:
            if name in ("", ".", "..") or "/" in name or "\0" in name or name in seen:
                raise ValueError(f"a folder cannot hold {name!r}")
            seen.add(name)
        if names != sorted(names, key=str.encode):
            raise ValueError("a folder's entries are out of order")
    return Directory(tuple(files), tuple(directories), tuple(symlinks))


def encode_tree(root: Directory, children: Iterable[Directory]) -> bytes:
    """The `Tree` message of a folder and all folders below it."""
    return message(1, encode_directory(root)) + b"".join(message(2, encode_directory(child)) for child in children)


def command_bytes(spawn: Spawn) -> bytes:
    """The `Command` message."""
    parts = [message(1, argument.encode()) for argument in spawn.arguments]
    parts += [message(2, text(1, name) + text(2, value)) for name, value in sorted(spawn.environment)]
    if spawn.platform:
        parts.append(message(5, _platform(spawn)))
    parts.append(text(6, WORKING_DIRECTORY))
    parts += [message(7, path.encode()) for path in sorted(spawn.output_paths, key=str.encode)]
    return b"".join(parts)


def action_bytes(spawn: Spawn, command: Digest) -> bytes:
    """The `Action` message, whose digest is the key."""
    parts = [message(1, encode_digest(command)), message(2, encode_digest(spawn.input_root))]
    if spawn.timeout_seconds:
        parts.append(message(6, number(1, spawn.timeout_seconds)))
    parts.append(data(9, spawn.salt))
    if spawn.platform:
        parts.append(message(10, _platform(spawn)))
    return b"".join(parts)


def encode_result(result: SpawnResult) -> bytes:
    """The `ActionResult` message. Directories are given by their root's digest alone."""
    files = [(path, value) for path, value in sorted(result.outputs) if isinstance(value, FileValue)]
    trees = [(path, value) for path, value in sorted(result.outputs) if isinstance(value, TreeValue)]
    parts = [
        message(2, text(1, path) + message(2, encode_digest(file.digest)) + number(4, int(file.is_executable)))
        for path, file in files
    ]
    parts += [message(3, text(1, path) + message(5, encode_digest(tree.digest))) for path, tree in trees]
    parts.append(number(4, result.exit_code))
    if result.stdout.size:
        parts.append(message(6, encode_digest(result.stdout)))
    if result.stderr.size:
        parts.append(message(8, encode_digest(result.stderr)))
    metadata = text(1, result.runner)
    if result.wall_seconds > 0:
        seconds, nanos = divmod(round(result.wall_seconds * NANOSECONDS), NANOSECONDS)
        # Times since an epoch of its own: how long it took is kept, when it ran is not.
        metadata += message(7, b"") + message(8, number(1, seconds) + number(2, nanos))
    if metadata:
        parts.append(message(9, metadata))
    return b"".join(parts)


def decode_result(encoded: bytes) -> SpawnResult:
    outputs: list[tuple[str, FileValue | TreeValue]] = []
    exit_code, stdout, stderr, runner, wall = 0, EMPTY, EMPTY, "", 0.0
    for field, value in fields(encoded):
        if field == 2:
            node = _file_node(as_bytes(value))
            outputs.append((node.name, FileValue(node.digest, node.is_executable)))
        elif field == 3:
            path, digest = _named_digest(as_bytes(value), 5)
            outputs.append((path, TreeValue(digest)))
        elif field == 4:
            exit_code = as_number(value)
        elif field == 6:
            stdout = decode_digest(as_bytes(value))
        elif field == 8:
            stderr = decode_digest(as_bytes(value))
        elif field == 9:
            runner, wall = _metadata(as_bytes(value))
    return SpawnResult(exit_code, tuple(sorted(outputs)), stdout, stderr, None, runner, wall)


def _platform(spawn: Spawn) -> bytes:
    return b"".join(message(1, text(1, name) + text(2, value)) for name, value in sorted(spawn.platform))


def _file_node(encoded: bytes) -> FileNode:
    """A `FileNode` or an `OutputFile`: the fields that matter have the same numbers."""
    name, digest, is_executable = "", None, False
    for field, value in fields(encoded):
        if field == 1:
            name = as_text(value)
        elif field == 2:
            digest = decode_digest(as_bytes(value))
        elif field == 4:
            is_executable = bool(as_number(value))
    if digest is None:
        raise ValueError("a file without a digest")
    return FileNode(name, digest, is_executable)


def _named_digest(encoded: bytes, number_of_digest: int) -> tuple[str, Digest]:
    name, digest = "", None
    for field, value in fields(encoded):
        if field == 1:
            name = as_text(value)
        elif field == number_of_digest:
            digest = decode_digest(as_bytes(value))
    if digest is None:
        raise ValueError("a folder without a digest")
    return name, digest


def _symlink_node(encoded: bytes) -> SymlinkNode:
    name = target = ""
    for field, value in fields(encoded):
        if field == 1:
            name = as_text(value)
        elif field == 2:
            target = as_text(value)
    return SymlinkNode(name, target)


def _metadata(encoded: bytes) -> tuple[str, float]:
    worker, began, ended = "", 0.0, 0.0
    for field, value in fields(encoded):
        if field == 1:
            worker = as_text(value)
        elif field == 7:
            began = _timestamp(as_bytes(value))
        elif field == 8:
            ended = _timestamp(as_bytes(value))
    return worker, max(0.0, ended - began)


def _timestamp(encoded: bytes) -> float:
    seconds = nanos = 0
    for field, value in fields(encoded):
        if field == 1:
            seconds = as_number(value)
        elif field == 2:
            nanos = as_number(value)
    return seconds + nanos / NANOSECONDS
