"""Spawns: a command with its whole input by digest, and what came of it."""

from __future__ import annotations

from mlbuild.records import record
from mlbuild.terms.action import Resources
from mlbuild.terms.digest import EMPTY, Digest, FileValue, TreeValue

WORKING_DIRECTORY = "work"
"""Where the exec root lies in an input root. Beside it lie the mounts: toolchains and environments."""


@record
class Spawn:
    """What runs and everything that decides its outputs, by digest: REAPI's `Command` and `Action`.

    `arguments[0]` is absolute or relative to the working folder. `output_paths` are relative to the working folder;
    `output_directories` are those of them that are folders. `environment` and `platform` are sorted by name.
    `input_root` is the digest of a `Directory` message that the store holds, with all that it names.
    What stands below `resources` is not part of the key.
    """

    arguments: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    input_root: Digest
    output_paths: tuple[str, ...]
    output_directories: tuple[str, ...] = ()
    platform: tuple[tuple[str, str], ...] = ()
    timeout_seconds: int = 3600
    salt: bytes = b""
    resources: Resources = Resources()
    description: str = ""


@record
class SpawnResult:
    """What a spawn left behind. A failure is a result, not an exception.

    `outputs` are sorted by path and hold only what was declared and is there with the declared type.
    `failure` says, in words for a person, why a spawn failed for another reason than its exit code (timed out,
    killed, an output missing, an odd output). `runner` names who ran it (`linux-sandbox`).
    """

    exit_code: int
    outputs: tuple[tuple[str, FileValue | TreeValue], ...] = ()
    stdout: Digest = EMPTY
    stderr: Digest = EMPTY
    failure: str | None = None
    runner: str = ""
    wall_seconds: float = 0.0
    is_from_cache: bool = False
    is_from_remote: bool = False
    """It came from a cache that others share, in this very build."""

    @property
    def is_success(self) -> bool:
        return self.exit_code == 0 and self.failure is None
