"""The key of an action: the digest of its REAPI `Action`. Written here once for hashing and for showing."""

from __future__ import annotations

from mlbuild.reapi import action_bytes, command_bytes
from mlbuild.terms import Digest, Spawn


def action_key(spawn: Spawn) -> Digest:
    """The digest that the local cache, a remote cache and a remote executor all know the spawn by."""
    return Digest.of(action_bytes(spawn, Digest.of(command_bytes(spawn))))


def messages(spawn: Spawn) -> tuple[bytes, bytes]:
    """The `Command` and the `Action` that the key is made of."""
    command = command_bytes(spawn)
    return command, action_bytes(spawn, Digest.of(command))
