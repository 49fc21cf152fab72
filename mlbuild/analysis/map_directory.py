"""`ctx.actions.map_directory`: a function of the rule that is called when the members of directories are known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from mlbuild.analysis import checks
from mlbuild.analysis.args import Args
from mlbuild.analysis.spawning import Command, fetch_action, spawn_action
from mlbuild.diagnostics import Location, UserError, fail
from mlbuild.lang import Thread, call, freeze
from mlbuild.records import record, replace
from mlbuild.terms import Artifact, FetchAction, Label, SpawnAction, inputs_of, outputs_of

Members = Mapping[Artifact, tuple[Artifact, ...]]


@record
class MapDirectory:
    """What `map_directory` was called with."""

    owner: Label
    function: object
    input_directories: Mapping[str, Artifact]
    output_directories: Mapping[str, Artifact]
    additional_inputs: object
    additional_params: object
    tools: object
    env: tuple[tuple[str, str], ...]
    mnemonic: str
    progress_message: str
    location: Location

    def inputs(self) -> tuple[Artifact, ...]:
        """All that its actions may use, each once."""
        others = checks.artifacts_within([self.additional_inputs, self.tools, self.additional_params])
        return tuple(dict.fromkeys((*self.input_directories.values(), *others)))

    def expand(self, members: Members) -> tuple[SpawnAction | FetchAction, ...]:
        """Calls the function. Pure: same members, same actions. Raises UserError."""
        thread = Thread()
        template = TemplateContext(thread, self, members)
        keywords = {
            "input_directories": freeze(
                {name: ExpandedMembers(each, members.get(each, ())) for name, each in self.input_directories.items()}
            ),
            "output_directories": freeze(dict(self.output_directories)),
            "additional_inputs": self.additional_inputs,
            "additional_params": self.additional_params,
            "tools": self.tools,
        }
        try:
            call(thread, self.function, (template,), keywords)
        except UserError as error:
            raise _of_target(error, self) from None
        return template.finish()


class ExpandedMembers:
    """An input directory whose members are known."""

    starlark_type: ClassVar[str] = "ExpandedDirectory"

    def __init__(self, directory: Artifact, members: tuple[Artifact, ...]) -> None:
        self._directory = directory
        self._children = freeze(list(members))

    def starlark_dir(self) -> tuple[str, ...]:
        return ("children", "directory")

    def starlark_attr(self, name: str) -> object:
        if name == "children":
            return self._children
        if name == "directory":
            return self._directory
        raise KeyError(name)

    def starlark_repr(self) -> str:
        return f"<expanded {self._directory.short_path}>"


class TemplateContext:
    """What the function gets to declare actions with."""

    starlark_type: ClassVar[str] = "template_ctx"
    starlark_methods: ClassVar[tuple[str, ...]] = ("args", "declare_file", "declare_subdirectory", "fetch", "run")

    def __init__(self, thread: Thread, mapping: MapDirectory, members: Members) -> None:
        self._thread = thread
        self._mapping = mapping
        self._actions: list[SpawnAction | FetchAction] = []
        self._declared: dict[str, Artifact] = {}
        self._made: set[Artifact] = set()
        self._usable = set(mapping.inputs())
        for each in members.values():
            self._usable.update(each)

    def starlark_repr(self) -> str:
        return "<template_ctx>"

    def finish(self) -> tuple[SpawnAction | FetchAction, ...]:
        for artifact in self._declared.values():
            if artifact not in self._made:
                raise fail(
                    "undeclared-output",
                    f"`{artifact.path}` of `{self._mapping.owner.short}` is declared, but no action makes it",
                    location=self._mapping.location,
                )
        return tuple(self._actions)

    def args(self) -> Args:
        return Args(self._thread)

    def declare_file(self, filename: object, *, directory: object) -> Artifact:
        return self._declare(filename, directory, is_directory=False)

    def declare_subdirectory(self, filename: object, *, directory: object) -> Artifact:
        return self._declare(filename, directory, is_directory=True)

    def run(
        self,
        *,
        outputs: object,
        executable: object,
        inputs: object = (),
        arguments: object = (),
        env: object = None,
        mounts: object = None,
        platform: object = None,
        mnemonic: object = None,
        progress_message: object = None,
        timeout: object = 3600,
        cpus: object = 1,
        memory_mib: object = None,
        retries: object = 0,
        tools: object = (),
        execution_requirements: object = None,
    ) -> None:
        thread, mapping = self._thread, self._mapping
        command = Command(
            outputs,
            inputs,
            executable,
            arguments,
            {**dict(mapping.env), **dict(checks.pairs(thread, "env", env))},
            mounts,
            platform,
            mapping.mnemonic if mnemonic is None else mnemonic,
            mapping.progress_message if progress_message is None else progress_message,
            timeout,
            cpus,
            memory_mib,
            retries,
            tools,
            execution_requirements,
        )
        self._add(spawn_action(thread, mapping.owner, command))

    def fetch(
        self,
        *,
        output: object,
        kind: object,
        spec: object = None,
        inputs: object = (),
        progress_message: object = None,
    ) -> None:
        mapping = self._mapping
        message = mapping.progress_message if progress_message is None else progress_message
        self._add(fetch_action(self._thread, mapping.owner, output, kind, spec, inputs, message))

    def _add(self, action: SpawnAction | FetchAction) -> None:
        thread = self._thread
        for each in inputs_of(action):
            if each not in self._usable and each not in self._made:
                raise thread.error(
                    "undeclared-input",
                    f"`{each.path}` is no input of this `map_directory`",
                    "add it to `additional_inputs` or to `tools`",
                )
        for output in outputs_of(action):
            if output.path not in self._declared:
                raise thread.error(
                    "not-own-output", f"`{output.path}` was not declared here", "use `template_ctx.declare_file`"
                )
            if output in self._made:
                raise thread.error("two-owners", f"two actions make `{output.path}`")
            self._made.add(output)
        self._actions.append(action)

    def _declare(self, filename: object, directory: object, is_directory: bool) -> Artifact:
        thread = self._thread
        name = checks.text(thread, "filename", filename)
        parent = checks.file(thread, "directory", directory)
        if parent not in self._mapping.output_directories.values():
            raise thread.error("not-own-output", f"`{parent.path}` is no output directory of this `map_directory`")
        if not name or any(part in ("", ".", "..") for part in name.split("/")) or "\0" in name or "\n" in name:
            raise thread.error("bad-output", f"expected a path below the directory, got {name!r}")
        path = f"{parent.path}/{name}"
        if path in self._declared:
            raise thread.error("two-owners", f"`{path}` is declared twice")
        artifact = Artifact(path, self._mapping.owner, is_source=False, is_directory=is_directory, parent=parent)
        self._declared[path] = artifact
        return artifact


def _of_target(error: UserError, mapping: MapDirectory) -> UserError:
    note = f"while mapping directories for `{mapping.owner.short}` ({mapping.location})"
    return UserError(
        *(replace(each, notes=(*each.notes, note)) for each in error.diagnostics), exit_code=error.exit_code
    )
