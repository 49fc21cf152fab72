"""`ctx.actions`: the outputs and actions that one rule implementation declares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from mlbuild.analysis import checks
from mlbuild.analysis.args import Args
from mlbuild.analysis.claims import Owner
from mlbuild.analysis.map_directory import MapDirectory
from mlbuild.analysis.spawning import Command, fetch_action, spawn_action
from mlbuild.diagnostics import Location, UserError, fail
from mlbuild.lang import Thread, freeze, type_name
from mlbuild.terms import (
    OUTPUT_ROOT,
    Action,
    Artifact,
    ExpandTemplateAction,
    Info,
    Label,
    MapAction,
    MergeAction,
    SymlinkAction,
    WriteAction,
    outputs_of,
)

SHELL = Label("mlbuild", "rules/shell", "toolchain_type")


class Actions:
    """Mutable while the implementation runs; `finish` gives what was declared."""

    starlark_type: ClassVar[str] = "actions"
    starlark_methods: ClassVar[tuple[str, ...]] = (
        "args", "declare_directory", "declare_file", "expand_template", "fetch", "map_directory", "merge_subdirectories",
        "run", "run_shell", "symlink", "write",
    )  # fmt: skip

    def __init__(
        self, thread: Thread, owner: Owner, predeclared: Iterable[Artifact], toolchains: Mapping[Label, Info]
    ) -> None:
        self._thread = thread
        self._owner = owner
        self._label = owner.label
        self._toolchains = toolchains
        self._declared: dict[str, tuple[Artifact, Location | None]] = {each.path: (each, None) for each in predeclared}
        self._made: set[Artifact] = set()
        self._actions: list[Action] = []

    def starlark_repr(self) -> str:
        return f"<actions of {self._label.short}>"

    def finish(self) -> tuple[Action, ...]:
        """The actions, in the order declared. Raises UserError for outputs that none of them makes."""
        for artifact, location in self._declared.values():
            if artifact not in self._made:
                raise _unmade(artifact, self._owner, location)
        return tuple(self._actions)

    def owns(self, artifact: Artifact) -> bool:
        return artifact.path in self._declared

    def declare_file(self, filename: object, *, sibling: object = None) -> Artifact:
        return self._declare("declare_file", filename, sibling, is_directory=False)

    def declare_directory(self, filename: object, *, sibling: object = None, levels: object = ()) -> Artifact:
        names = checks.strings(self._thread, "levels", levels)
        return self._declare("declare_directory", filename, sibling, is_directory=True, levels=names)

    def args(self) -> Args:
        return Args(self._thread)

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
        mnemonic: object = "Action",
        progress_message: object = "",
        timeout: object = 3600,
        cpus: object = 1,
        memory_mib: object = None,
        retries: object = 0,
        tools: object = (),
        execution_requirements: object = None,
    ) -> None:
        command = Command(
            outputs, inputs, executable, arguments, env, mounts, platform, mnemonic, progress_message, timeout, cpus,
            memory_mib, retries, tools, execution_requirements,
        )  # fmt: skip
        self._add(spawn_action(self._thread, self._label, command))

    def run_shell(
        self,
        *,
        outputs: object,
        command: object,
        inputs: object = (),
        arguments: object = (),
        env: object = None,
        mounts: object = None,
        platform: object = None,
        mnemonic: object = "Action",
        progress_message: object = "",
        timeout: object = 3600,
        cpus: object = 1,
        memory_mib: object = None,
        retries: object = 0,
        tools: object = (),
    ) -> None:
        thread = self._thread
        shell = self._toolchains.get(SHELL)
        if shell is None:
            raise thread.error(
                "no-shell",
                "`run_shell` needs the shell toolchain",
                f'add `toolchains = ["{SHELL}"]` to the rule',
            )
        argv = shell.fields.get("argv")
        if not isinstance(argv, (list, tuple)) or not all(isinstance(each, str) for each in argv):
            raise thread.error("bad-toolchain", "the shell toolchain has no list of strings `argv`")
        environment = {**dict(_mapping(shell.fields.get("env"))), **_checked_mapping(thread, "env", env)}
        mounted = {**dict(_mapping(shell.fields.get("mounts"))), **_checked_mapping(thread, "mounts", mounts)}
        whole = Command(
            outputs, inputs, "", arguments, environment, mounted, platform, mnemonic, progress_message, timeout, cpus,
            memory_mib, retries, tools,
        )  # fmt: skip
        prefix = [*argv, "-c", checks.text(thread, "command", command), ""]
        self._add(spawn_action(thread, self._label, whole, prefix))

    def write(self, output: object, content: object, is_executable: bool = False) -> None:
        thread = self._thread
        artifact = checks.file(thread, "output", output)
        if isinstance(content, Args):
            line = content.flatten()
            texts = [each for each in line if isinstance(each, str)]
            if len(texts) != len(line):
                raise thread.error(
                    "bad-argument",
                    "`write` needs its content now, but the files of a directory are known when it has been built",
                    "add `expand_directories = False`",
                )
            text = "".join(each + "\n" for each in texts)
        else:
            text = checks.text(thread, "content", content)
        self._add(WriteAction(self._label, artifact, text.encode("utf-8", "surrogateescape"), bool(is_executable)))

    def expand_template(
        self, *, template: object, output: object, substitutions: object = None, is_executable: bool = False
    ) -> None:
        thread = self._thread
        if substitutions is not None and not isinstance(substitutions, Mapping):
            raise thread.error("bad-argument", f"`substitutions`: expected dict, got {type_name(substitutions)}")
        # In the order written: one substitution may make the text that a later one looks for.
        replacements = tuple(
            (checks.text(thread, "substitutions", key), checks.text(thread, "substitutions", value))
            for key, value in (substitutions or {}).items()
        )
        self._add(
            ExpandTemplateAction(
                self._label,
                checks.file(thread, "template", template),
                checks.file(thread, "output", output),
                replacements,
                bool(is_executable),
            )
        )

    def symlink(self, *, output: object, target_file: object, progress_message: object = "") -> None:
        target = checks.file(self._thread, "target_file", target_file)
        artifact = checks.file(self._thread, "output", output)
        if target.is_directory != artifact.is_directory:
            kinds = ["file", "directory"]
            raise self._thread.error(
                "bad-argument",
                f"`symlink`: the target is a {kinds[target.is_directory]}, the output a {kinds[artifact.is_directory]}",
                f"use `declare_{kinds[target.is_directory]}`",
            )
        self._add(SymlinkAction(self._label, target, artifact))

    def fetch(
        self,
        *,
        output: object,
        kind: object,
        spec: object = None,
        inputs: object = (),
        progress_message: object = "",
    ) -> None:
        self._add(fetch_action(self._thread, self._label, output, kind, spec, inputs, progress_message))

    def merge_subdirectories(self, *, output: object, directory: object) -> None:
        source = checks.file(self._thread, "directory", directory)
        merged = checks.file(self._thread, "output", output)
        for each in (source, merged):
            if not each.is_directory:
                raise self._thread.error(
                    "bad-argument", f"`merge_subdirectories`: `{each.path}` is no directory", "use `declare_directory`"
                )
        self._add(MergeAction(self._label, source, merged))

    def map_directory(
        self,
        *,
        input_directories: object,
        output_directories: object,
        implementation: object,
        additional_inputs: object = None,
        additional_params: object = None,
        tools: object = None,
        env: object = None,
        mnemonic: object = "Action",
        progress_message: object = "",
    ) -> None:
        thread = self._thread
        mapping = MapDirectory(
            owner=self._label,
            function=implementation,
            input_directories=_directories(thread, "input_directories", input_directories),
            output_directories=_directories(thread, "output_directories", output_directories),
            additional_inputs=freeze(_checked_mapping(thread, "additional_inputs", additional_inputs)),
            additional_params=freeze(_checked_mapping(thread, "additional_params", additional_params)),
            tools=freeze(_checked_mapping(thread, "tools", tools)),
            env=checks.pairs(thread, "env", env),
            mnemonic=checks.text(thread, "mnemonic", mnemonic),
            progress_message=checks.text(thread, "progress_message", progress_message),
            location=self._owner.location,
        )
        if type_name(implementation) != "function":
            raise thread.error("bad-argument", f"`implementation`: expected function, got {type_name(implementation)}")
        self._add(
            MapAction(
                self._label,
                mapping.mnemonic,
                mapping.inputs(),
                tuple(mapping.output_directories.values()),
                tuple(mapping.input_directories.values()),
                mapping.expand,
            )
        )

    def _declare(
        self, what: str, filename: object, sibling: object, is_directory: bool, levels: tuple[str, ...] = ()
    ) -> Artifact:
        thread = self._thread
        name = checks.text(thread, "filename", filename)
        folder = f"{OUTPUT_ROOT}/{self._label.package_path}".rstrip("/")
        if sibling is not None:
            folder = checks.file(thread, "sibling", sibling).path.rpartition("/")[0]
        if not name or any(part in ("", ".", "..") for part in name.split("/")) or "\0" in name or "\n" in name:
            raise thread.error(
                "bad-output",
                f"`{what}` takes a path below the package, got {name!r}",
                'write for example `ctx.label.name + ".txt"`',
            )
        path = f"{folder}/{name}"
        known = self._declared.get(path)
        if known is not None:
            if known[0].is_directory != is_directory:
                raise thread.error("two-owners", f"`{path}` is declared as a file and as a directory")
            return known[0]
        artifact = Artifact(path, self._label, is_source=False, is_directory=is_directory, levels=levels)
        self._declared[path] = (artifact, thread.location())
        return artifact

    def _add(self, action: Action) -> None:
        outputs = outputs_of(action)
        for output in outputs:
            if output.path not in self._declared:
                hint = (
                    "declare it with `ctx.actions.declare_file`"
                    if not output.is_source
                    else "a source file is only read"
                )
                raise self._thread.error(
                    "not-own-output", f"`{output.path}` is no output of `{self._label.short}`", hint
                )
            if output in self._made:
                raise self._thread.error("two-owners", f"two actions of `{self._label.short}` make `{output.path}`")
            self._made.add(output)
        self._actions.append(action)


def _unmade(artifact: Artifact, owner: Owner, location: Location | None) -> UserError:
    return fail(
        "undeclared-output",
        f"output `{artifact.path}` of `{owner.label.short}` is declared, but no action makes it",
        location=location or owner.location,
        hint="name it in the `outputs` of an action, or do not declare it",
    )


def _mapping(value: object) -> Mapping[object, object]:
    return value if isinstance(value, Mapping) else {}


def _checked_mapping(thread: Thread, name: str, value: object) -> dict[object, object]:
    if value is None:
        return {}
    if isinstance(value, Mapping):
        return dict(value)
    raise thread.error("bad-argument", f"`{name}`: expected dict, got {type_name(value)}")


def _directories(thread: Thread, name: str, value: object) -> dict[str, Artifact]:
    found: dict[str, Artifact] = {}
    for key, each in _checked_mapping(thread, name, value).items():
        if not isinstance(key, str) or not isinstance(each, Artifact) or not each.is_directory:
            raise thread.error("bad-argument", f"`{name}`: expected names with directories, got {type_name(each)}")
        found[key] = each
    if not found:
        raise thread.error("bad-argument", f"`{name}` cannot be empty")
    return found
