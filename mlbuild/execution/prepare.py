"""From an action whose inputs have values to a spawn: command line, input root, key."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mlbuild.execution.input_root import MerkleTree, members, merkle_tree
from mlbuild.execution.path_mapping import neutral_paths, renaming
from mlbuild.records import field, record
from mlbuild.terms import (
    OUTPUT_ROOT,
    WORKING_DIRECTORY,
    Artifact,
    Digest,
    ExpandedDirectory,
    FileValue,
    Spawn,
    SpawnAction,
    SymlinkValue,
    TreeValue,
    Value,
)

Values = Mapping[Artifact, FileValue | TreeValue]


@record
class Prepared:
    """A spawn that is ready to be looked up or run; its input root is not in the store yet."""

    spawn: Spawn
    root: MerkleTree
    paths: Mapping[str, str] = field(default_factory=dict)
    """What the spawn knows some of the action's paths as."""


def prepare(action: SpawnAction, values: Values, read: Callable[[Digest], bytes]) -> Prepared:
    """The spawn of an action. Raises BlobMissing when a message of an input tree is not in the store."""
    paths = neutral_paths(action)
    renamed = renaming(paths)
    root = merkle_tree(_contents(action, values, paths), read)
    outputs = sorted((paths.get(output.path, output.path), output.is_directory) for output in action.outputs)
    spawn = Spawn(
        arguments=tuple(map(renamed, arguments(action, values, read))),
        environment=tuple(sorted((name, renamed(value)) for name, value in action.environment)),
        input_root=root.digest,
        output_paths=tuple(path for path, _ in outputs),
        output_directories=tuple(path for path, is_directory in outputs if is_directory),
        platform=tuple(sorted(action.platform)),
        timeout_seconds=action.timeout_seconds,
        resources=action.resources,
        description=description(action),
    )
    return Prepared(spawn, root, paths)


def description(action: SpawnAction) -> str:
    return action.progress_message or f"{action.mnemonic} {action.owner.short}"


def arguments(action: SpawnAction, values: Values, read: Callable[[Digest], bytes]) -> tuple[str, ...]:
    """The command line with its directories expanded."""
    line: list[str] = []
    for argument in action.arguments:
        if isinstance(argument, str):
            line.append(argument)
        else:
            line += _expanded(argument, values, read)
    return tuple(line)


def _expanded(argument: ExpandedDirectory, values: Values, read: Callable[[Digest], bytes]) -> list[str]:
    tree = values[argument.directory]
    assert isinstance(tree, TreeValue), argument.directory
    paths = [
        argument.format_each.replace("%s", f"{argument.directory.path}/{path}", 1) for path, _ in members(tree, read)
    ]
    if argument.join_with is not None:
        if not paths and argument.omit_if_empty:
            return []
        joined = argument.join_with.join(paths)
        return [joined] if argument.before_each is None else [argument.before_each, joined]
    if argument.before_each is None:
        return paths
    return [part for path in paths for part in (argument.before_each, path)]


def _contents(action: SpawnAction, values: Values, paths: Mapping[str, str]) -> dict[str, Value]:
    contents: dict[str, Value] = {f"{WORKING_DIRECTORY}/{OUTPUT_ROOT}": EMPTY_TREE}
    for artifact in action.inputs:
        contents[f"{WORKING_DIRECTORY}/{paths.get(artifact.path, artifact.path)}"] = values[artifact]
    for argument in action.arguments:
        if isinstance(argument, ExpandedDirectory):
            path = argument.directory.path
            contents[f"{WORKING_DIRECTORY}/{paths.get(path, path)}"] = values[argument.directory]
    for mount in action.mounts:
        content = mount.content
        contents[mount.path] = SymlinkValue(content) if isinstance(content, str) else values[content]
    return contents


EMPTY_TREE = TreeValue(Digest.of(b""))
"""The tree of the empty `Directory` message: the exec root always has the folder of the outputs."""
