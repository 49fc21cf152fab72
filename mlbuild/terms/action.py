"""Actions: what would be done to make artifacts. They never learn whether it was."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mlbuild.records import record
from mlbuild.terms.artifact import Artifact
from mlbuild.terms.label import Label


@record
class Resources:
    """What an action may use at once. Threads are what the target declares, never what the machine has.

    `memory_mib` is what it claims of the machine; `memory_limit_mib` is what it is ended at, when its rule says so.
    """

    cpus: int = 1
    memory_mib: int = 256
    memory_limit_mib: int | None = None


@record
class ExpandedDirectory:
    """A stretch of a command line: the files of a directory artifact, known when it has been built.

    Sorted by path. `format_each` has one `%s`; with `join_with` the whole is one argument.
    """

    directory: Artifact
    format_each: str = "%s"
    before_each: str | None = None
    join_with: str | None = None
    omit_if_empty: bool = True


Argument = str | ExpandedDirectory


@record
class Mount:
    """A tree at a path of the input root outside the exec root: a toolchain, an environment.

    `path` is relative to the input root (`python`, `python/lib/python3.11/site-packages`); the first part is
    never `work`, `proc`, `dev`, `tmp` or `inputs`. A nested path replaces what the outer tree has there. `content` is a
    directory artifact, or the target of a symlink relative to the link's folder (`lib64` -> `python/lib`).
    """

    path: str
    content: Artifact | str


@record
class SpawnAction:
    """A command in a sandbox. Its working folder is the exec root (`work` in the input root).

    With `path_mapping` it promises that what it makes does not depend on how its paths are called: it sees neutral ones.
    """

    owner: Label
    mnemonic: str
    arguments: tuple[Argument, ...]
    outputs: tuple[Artifact, ...]
    inputs: tuple[Artifact, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    mounts: tuple[Mount, ...] = ()
    platform: tuple[tuple[str, str], ...] = ()
    resources: Resources = Resources()
    timeout_seconds: int = 3600
    retries: int = 0
    progress_message: str = ""
    is_test: bool = False
    path_mapping: bool = False


@record
class WriteAction:
    """A file whose whole content is known at analysis."""

    owner: Label
    output: Artifact
    content: bytes
    is_executable: bool = False
    mnemonic: str = "FileWrite"


@record
class ExpandTemplateAction:
    """A file with each key of `substitutions` replaced, in the order given."""

    owner: Label
    template: Artifact
    output: Artifact
    substitutions: tuple[tuple[str, str], ...]
    is_executable: bool = False
    mnemonic: str = "TemplateExpand"


@record
class SymlinkAction:
    """Another name for an artifact: same content, nothing copied."""

    owner: Label
    target: Artifact
    output: Artifact
    mnemonic: str = "Symlink"


@record
class MergeAction:
    """The folders directly in a directory, laid over each other: what each has at a path, the output has there.

    Nothing is copied, and what only one of them has is not looked into. Two different things at one path are a failure.
    """

    owner: Label
    directory: Artifact
    output: Artifact
    mnemonic: str = "Merge"


@record
class FetchAction:
    """Something from outside the workspace, through the `Fetcher` door: the only actions with network.

    `kind` and `spec` are the fetcher's; what they name is pinned by digest, or collected from this host by
    digest (then it is collected anew whenever it may have changed).
    """

    owner: Label
    kind: str
    spec: tuple[tuple[str, str], ...]
    output: Artifact
    inputs: tuple[Artifact, ...] = ()
    mnemonic: str = "Fetch"
    progress_message: str = ""


@record
class MapAction:
    """Actions for the members of directories that are known only when they have been built.

    `expand` gets the members (files, sorted by path) of each of `directories`, which are among `inputs`, and returns the
    actions, whose outputs are members of `outputs`. It is a pure function: same members, same actions.
    Source: Bazel's `actions.map_directory`.
    """

    owner: Label
    mnemonic: str
    inputs: tuple[Artifact, ...]
    outputs: tuple[Artifact, ...]
    directories: tuple[Artifact, ...]
    expand: Callable[[Mapping[Artifact, tuple[Artifact, ...]]], tuple[SpawnAction | FetchAction, ...]]


Action = SpawnAction | WriteAction | ExpandTemplateAction | SymlinkAction | MergeAction | FetchAction | MapAction


def inputs_of(action: Action) -> tuple[Artifact, ...]:
    """All artifacts that must exist before the action can be prepared, each once, in the order written."""
    match action:
        case SpawnAction():
            mounted = (mount.content for mount in action.mounts if isinstance(mount.content, Artifact))
            expanded = (each.directory for each in action.arguments if isinstance(each, ExpandedDirectory))
            return tuple(dict.fromkeys((*action.inputs, *mounted, *expanded)))
        case ExpandTemplateAction():
            return (action.template,)
        case SymlinkAction():
            return (action.target,)
        case MergeAction():
            return (action.directory,)
        case WriteAction():
            return ()
        case FetchAction() | MapAction():
            return action.inputs


def outputs_of(action: Action) -> tuple[Artifact, ...]:
    match action:
        case SpawnAction() | MapAction():
            return action.outputs
        case _:
            return (action.output,)
