"""Canonical REAPI v2 bytes of terms: the only room that knows the wire format.

Comes in: terms. Goes out: bytes, and terms again. Never: a disk, a network, a dependency on protobuf (the tests check
every byte against protobuf's own classes).
"""

from mlbuild.reapi.messages import (
    action_bytes,
    command_bytes,
    decode_digest,
    decode_directory,
    decode_result,
    encode_digest,
    encode_directory,
    encode_result,
    encode_tree,
)

__all__ = [
    "action_bytes", "command_bytes", "decode_digest", "decode_directory", "decode_result", "encode_digest",
    "encode_directory", "encode_result", "encode_tree",
]  # fmt: skip
