"""`Command` and `Action`: what a key is made of."""

from __future__ import annotations

from mlbuild.reapi.wire import bytes_field, encode_digest, message_field, number_field, text_field, texts_field
from mlbuild.terms import WORKING_DIRECTORY, Digest, Spawn


def command_bytes(spawn: Spawn) -> bytes:
    """The spawn's `Command`.

    `output_paths` is what servers since version 2.1 read. The older fields are there as well: they say which of the
    outputs are folders, which the key would lose otherwise, and serve those that know version 2.0 only.
    """
    directories = set(spawn.output_directories)
    return b"".join(
        [
            texts_field(1, spawn.arguments),
            *[message_field(2, _pair(name, value)) for name, value in sorted(spawn.environment)],
            texts_field(3, tuple(sorted(path for path in spawn.output_paths if path not in directories))),
            texts_field(4, tuple(sorted(spawn.output_directories))),
            _platform(5, spawn),
            text_field(6, WORKING_DIRECTORY),
            texts_field(7, tuple(sorted(spawn.output_paths))),
        ]
    )


def action_bytes(spawn: Spawn, command_digest: Digest) -> bytes:
    """The spawn's `Action`, whose digest is the key."""
    return b"".join(
        [
            message_field(1, encode_digest(command_digest)),
            message_field(2, encode_digest(spawn.input_root)),
            message_field(6, number_field(1, spawn.timeout_seconds)) if spawn.timeout_seconds else b"",
            bytes_field(9, spawn.salt),
            _platform(10, spawn),
        ]
    )


def messages(spawn: Spawn) -> tuple[bytes, bytes]:
    """The `Command` and the `Action`."""
    command = command_bytes(spawn)
    return command, action_bytes(spawn, Digest.of(command))


def action_key(spawn: Spawn) -> Digest:
    """The digest of the `Action`."""
    return Digest.of(messages(spawn)[1])


def _platform(number: int, spawn: Spawn) -> bytes:
    properties = [message_field(1, _pair(name, value)) for name, value in sorted(spawn.platform)]
    return message_field(number, b"".join(properties)) if properties else b""


def _pair(name: str, value: str) -> bytes:
    return text_field(1, name) + text_field(2, value)
