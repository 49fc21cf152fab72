"""Canonical bytes of terms in the Remote Execution API v2. The only room that knows the wire format.

Comes in: terms. Goes out: the bytes that digests are taken of, the same as any other REAPI client's; and back. Hostile
bytes give ValueError and nothing else. Never: input, output, a protobuf library.
"""

from mlbuild.reapi.action import action_bytes, action_key, command_bytes, messages
from mlbuild.reapi.directory import decode_directory, decode_tree, encode_directory, encode_tree
from mlbuild.reapi.result import (
    ActionResult,
    ExecutionMetadata,
    OutputDirectory,
    OutputFile,
    OutputSymlink,
    decode_action_result,
    decode_result,
    encode_action_result,
    encode_result,
)
from mlbuild.reapi.wire import decode_digest, encode_digest

__all__ = [
    "ActionResult", "ExecutionMetadata", "OutputDirectory", "OutputFile", "OutputSymlink", "action_bytes",
    "action_key", "command_bytes", "decode_action_result", "decode_digest", "decode_directory", "decode_result",
    "decode_tree", "encode_action_result", "encode_digest", "encode_directory", "encode_result", "encode_tree",
    "messages",
]  # fmt: skip
