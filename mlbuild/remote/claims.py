"""Results as they travel: sealed with the action that they answer, so that no mix-up or flipped bit passes for one.

The seal is no signature: who may write the cache may write what they like. It tells accidents, not forgers.
"""

from __future__ import annotations

import hashlib

from mlbuild.reapi import (
    ActionResult,
    ExecutionMetadata,
    OutputDirectory,
    OutputFile,
    decode_action_result,
    encode_action_result,
)
from mlbuild.records import record, replace
from mlbuild.terms import EMPTY, Digest, FileValue, SpawnResult

SEAL = "mlbuild/seal-1"
"""The name of the note: SHA-256 of the action's digest and of all that the result says about its outputs."""

_NS = 1_000_000_000
_LONGEST_NAME = 64


@record
class Claim:
    """What a remote cache says about an action: files by value, folders by the digests of their `Tree` messages."""

    files: tuple[tuple[str, FileValue], ...]
    trees: tuple[tuple[str, Digest], ...]
    stdout: Digest
    stderr: Digest
    runner: str
    wall_seconds: float


def sealed(key: Digest, result: SpawnResult, trees: dict[str, Digest]) -> bytes:
    """The result as an `ActionResult`. `trees` has, by output path, the digests of the folders' `Tree` messages."""
    if not result.is_success:
        raise ValueError("failures are never given away")
    message = ActionResult(
        tuple(
            OutputFile(path, value.digest, value.is_executable)
            for path, value in result.outputs
            if isinstance(value, FileValue)
        ),
        tuple(OutputDirectory(path, tree) for path, tree in sorted(trees.items())),
        stdout_digest=None if result.stdout == EMPTY else result.stdout,
        stderr_digest=None if result.stderr == EMPTY else result.stderr,
    )
    metadata = ExecutionMetadata(
        result.runner, 0, max(0, round(result.wall_seconds * _NS)), ((SEAL, _seal(key, message)),)
    )
    return encode_action_result(replace(message, metadata=metadata))


def opened(key: Digest, data: bytes) -> Claim:
    """What the bytes claim. Raises ValueError where they are damaged, answer another action or tell a failure."""
    message = decode_action_result(data)
    if message.exit_code != 0:
        raise ValueError("it tells a failure")
    metadata = message.metadata or ExecutionMetadata()
    seals = [value for name, value in metadata.notes if name == SEAL]
    if seals != [_seal(key, message)]:
        raise ValueError("its seal is not that of this action")
    trees: list[tuple[str, Digest]] = []
    for directory in message.output_directories:
        if directory.tree_digest is None:
            raise ValueError("a folder has no tree")
        trees.append((directory.path, directory.tree_digest))
    seconds = ((metadata.completed_ns or 0) - (metadata.started_ns or 0)) / _NS
    is_name = metadata.worker.isascii() and metadata.worker.isprintable() and len(metadata.worker) <= _LONGEST_NAME
    return Claim(
        tuple((file.path, FileValue(file.digest, file.is_executable)) for file in message.output_files),
        tuple(trees),
        message.stdout_digest or EMPTY,
        message.stderr_digest or EMPTY,
        metadata.worker if is_name else "",
        max(0.0, seconds),
    )


def _seal(key: Digest, message: ActionResult) -> bytes:
    """Servers add logs and times to results; what counts is what the outputs are."""
    about = encode_action_result(replace(message, metadata=None, stdout_raw=b"", stderr_raw=b""))
    return hashlib.sha256(str(key).encode() + b"\n" + about).digest()
