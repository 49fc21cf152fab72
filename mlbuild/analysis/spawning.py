"""`run(...)` and `fetch(...)`: from Starlark's arguments to an action. The same for rules and for map functions."""

from __future__ import annotations

from collections.abc import Sequence

from mlbuild.analysis import checks
from mlbuild.analysis.args import Args
from mlbuild.lang import Thread, type_name
from mlbuild.records import record
from mlbuild.terms import Argument, Artifact, ExpandedDirectory, FetchAction, Label, Resources, SpawnAction

PATH_MAPPING = "supports-path-mapping"


@record
class Command:
    """What `run` was called with, unchecked."""

    outputs: object
    inputs: object = ()
    executable: object = ""
    arguments: object = ()
    env: object = None
    mounts: object = None
    platform: object = None
    mnemonic: object = "Action"
    progress_message: object = ""
    timeout: object = 3600
    cpus: object = 1
    memory_mib: object = None
    retries: object = 0
    tools: object = ()
    execution_requirements: object = None


def spawn_action(thread: Thread, owner: Label, command: Command, prefix: Sequence[str] = ()) -> SpawnAction:
    """The action, or the error at the call that runs now. `prefix` stands for the executable, if given."""
    outputs = checks.files(thread, "outputs", command.outputs)
    if not outputs:
        raise thread.error("no-outputs", "an action needs an output", "name at least one file in `outputs`")
    inputs = dict.fromkeys(checks.files(thread, "inputs", command.inputs))
    inputs.update(dict.fromkeys(checks.files(thread, "tools", command.tools)))
    line: list[Argument] = list(prefix)
    if not prefix:
        executable = command.executable
        if isinstance(executable, Artifact):
            inputs[executable] = None
            line.append(executable.path if "/" in executable.path else "./" + executable.path)
        elif isinstance(executable, str) and executable:
            line.append(executable)
        else:
            raise thread.error("bad-argument", f"`executable`: expected string or File, got {type_name(executable)}")
    for argument in arguments(thread, command.arguments):
        line.append(argument)
        if isinstance(argument, ExpandedDirectory):
            inputs[argument.directory] = None
    for output in outputs:
        if output in inputs:
            raise thread.error("output-is-input", f"`{output.path}` is an output and an input of one action")
    mnemonic = checks.text(thread, "mnemonic", command.mnemonic)
    if not mnemonic.isalnum():
        raise thread.error("bad-argument", f"`mnemonic`: expected letters and digits, got `{mnemonic}`")
    message = checks.text(thread, "progress_message", command.progress_message)
    if "%{" in message:
        message = message.replace("%{label}", owner.short).replace("%{output}", outputs[0].path)
        message = message.replace("%{input}", next(iter(inputs)).path if inputs else "")
    return SpawnAction(
        owner=owner,
        mnemonic=mnemonic,
        arguments=tuple(line),
        outputs=outputs,
        inputs=tuple(inputs),
        environment=checks.pairs(thread, "env", command.env),
        mounts=checks.mounts(thread, command.mounts),
        platform=checks.pairs(thread, "platform", command.platform),
        resources=_resources(thread, command),
        timeout_seconds=checks.number(thread, "timeout", command.timeout, 1),
        retries=checks.number(thread, "retries", command.retries, 0),
        progress_message=message,
        path_mapping=_path_mapping(thread, command.execution_requirements),
    )


def fetch_action(
    thread: Thread, owner: Label, output: object, kind: object, spec: object, inputs: object, progress_message: object
) -> FetchAction:
    """The action, or the error at the call that runs now."""
    return FetchAction(
        owner,
        checks.text(thread, "kind", kind),
        checks.pairs(thread, "spec", spec),
        checks.file(thread, "output", output),
        checks.files(thread, "inputs", inputs),
        progress_message=checks.text(thread, "progress_message", progress_message),
    )


def _path_mapping(thread: Thread, requirements: object) -> bool:
    """Of Bazel's execution requirements only one means something here; the others would be promises that nobody keeps."""
    found = dict(checks.pairs(thread, "execution_requirements", requirements))
    if unknown := sorted(found.keys() - {PATH_MAPPING}):
        raise thread.error(
            "bad-argument", f"`execution_requirements`: there is no `{unknown[0]}`", f"there is `{PATH_MAPPING}`"
        )
    return PATH_MAPPING in found


def _resources(thread: Thread, command: Command) -> Resources:
    """Memory that is claimed is a limit too; an action that claims none has the machine's."""
    cpus = checks.number(thread, "cpus", command.cpus, 1)
    if command.memory_mib is None:
        return Resources(cpus)
    memory = checks.number(thread, "memory_mib", command.memory_mib, 1)
    return Resources(cpus, memory, memory)


def arguments(thread: Thread, value: object) -> list[Argument]:
    """A list of strings and Args as one line."""
    if not isinstance(value, (list, tuple)):
        raise thread.error("bad-argument", f"`arguments`: expected list, got {type_name(value)}")
    line: list[Argument] = []
    for index, each in enumerate(value):
        if isinstance(each, str):
            line.append(each)
        elif isinstance(each, Args):
            line.extend(each.flatten())
        else:
            hint = "write `file.path`, or use `ctx.actions.args()`" if isinstance(each, Artifact) else None
            raise thread.error(
                "bad-argument", f"`arguments`: expected string or Args for element {index}, got {type_name(each)}", hint
            )
    return line
