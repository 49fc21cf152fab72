"""What a rule's implementation returned: checked, and made a `Node`."""

from __future__ import annotations

from collections.abc import Mapping

from mlbuild.analysis import checks
from mlbuild.analysis.node import Node
from mlbuild.diagnostics import Location, UserError, fail
from mlbuild.lang import freeze, type_name
from mlbuild.terms import (
    DEFAULT_INFO,
    OUTPUT_GROUP_INFO,
    PARTS_INFO,
    RUN_INFO,
    TEST_INFO,
    TOOLCHAIN_INFO,
    Artifact,
    Depset,
    Info,
    Label,
    Provider,
    Rule,
    RunCommand,
)


class Returned:
    """Where a return value came from: makes the errors."""

    def __init__(self, label: Label, rule: Rule, location: Location) -> None:
        self.label = label
        self.rule = rule
        self.location = location

    def error(self, code: str, message: str, hint: str | None = None) -> UserError:
        module = f" of `{self.rule.module}`" if self.rule.module else ""
        note = f"from rule `{self.rule.name}`{module}"
        return fail(code, f"`{self.label.short}`: {message}", location=self.location, notes=(note,), hint=hint)


def node_of(returned: Returned, value: object, predeclared: Mapping[Label, Artifact]) -> Node:
    """The node of a target whose implementation returned `value`. Raises UserError."""
    providers = _providers(returned, value)
    parts_info = providers.get(PARTS_INFO)
    parts: dict[str, Node] = {}
    if parts_info is not None:
        parts = _parts(returned, parts_info.fields.get("parts"))
    return _node(returned, returned.label, providers, tuple(predeclared.values()), predeclared, parts)


def _parts(returned: Returned, value: object) -> dict[str, Node]:
    if not isinstance(value, Mapping):
        raise returned.error("wrong-return", f"`PartsInfo(parts)`: expected dict, got {type_name(value)}")
    parts: dict[str, Node] = {}
    for name, infos in value.items():
        if not isinstance(name, str) or not name:
            raise returned.error("wrong-return", "`PartsInfo(parts)`: the name of a part is a string")
        label = returned.label.sibling(f"{returned.label.name}.{name}")
        parts[name] = _node(returned, label, _providers(returned, infos), (), {}, {})
    return parts


def _node(
    returned: Returned,
    label: Label,
    providers: dict[Provider, Info],
    predeclared: tuple[Artifact, ...],
    outputs: Mapping[Label, Artifact],
    parts: Mapping[str, Node],
) -> Node:
    default = providers.get(DEFAULT_INFO)
    executable = None if default is None else default.fields.get("executable")
    if executable is not None and not isinstance(executable, Artifact):
        raise returned.error("wrong-return", f"`DefaultInfo(executable)`: expected File, got {type_name(executable)}")
    given = None if default is None else default.fields.get("files")
    if given is None:
        files = Depset.of(dict.fromkeys((*predeclared, *(() if executable is None else (executable,)))))
    else:
        files = _depset(returned, "DefaultInfo(files)", given)
    providers[DEFAULT_INFO] = Info(DEFAULT_INFO, {"files": files, "executable": executable})
    toolchain = providers.get(TOOLCHAIN_INFO)
    if toolchain is not None:
        frozen = {name: freeze(each) for name, each in toolchain.fields.items()}
        providers[TOOLCHAIN_INFO] = Info(TOOLCHAIN_INFO, frozen)
    groups: dict[str, Depset] = {}
    group_info = providers.get(OUTPUT_GROUP_INFO)
    if group_info is not None:
        for name, value in group_info.fields.items():
            groups[name] = _depset(returned, f"OutputGroupInfo({name})", value)
        providers[OUTPUT_GROUP_INFO] = Info(OUTPUT_GROUP_INFO, groups)
    tests = providers.get(TEST_INFO)
    return Node(
        label=label,
        kind=returned.rule.name,
        location=returned.location,
        files=files,
        providers=providers,
        executable=executable,
        outputs=outputs,
        parts=parts,
        groups=groups,
        test_results=() if tests is None else _files(returned, "TestInfo(results)", tests.fields.get("results")),
        run=_run(returned, providers.get(RUN_INFO), executable, files),
    )


def _providers(returned: Returned, value: object) -> dict[Provider, Info]:
    if value is None:
        value = ()
    if isinstance(value, Info):
        value = (value,)
    if not isinstance(value, (list, tuple)):
        raise returned.error(
            "wrong-return", f"the implementation returned {type_name(value)}, not a list of providers",
            "return for example `[DefaultInfo(files = depset([...]))]`",
        )  # fmt: skip
    found: dict[Provider, Info] = {}
    for info in value:
        if not isinstance(info, Info):
            what = f"`{info.name}` itself" if isinstance(info, Provider) else type_name(info)
            raise returned.error("wrong-return", f"the implementation returned {what} among its providers")
        if info.provider in found:
            raise returned.error("wrong-return", f"the implementation returned two `{info.provider.name}`")
        found[info.provider] = info
    return found


def _run(returned: Returned, info: Info | None, executable: Artifact | None, files: Depset) -> RunCommand | None:
    if info is None:
        if executable is None:
            return None
        path = executable.path if "/" in executable.path else "./" + executable.path
        inputs = dict.fromkeys((executable, *(each for each in files.to_tuple() if isinstance(each, Artifact))))
        return RunCommand((path,), inputs=tuple(inputs))
    shell = info.fields.get("shell")
    return RunCommand(
        _line(returned, "RunInfo(arguments)", info.fields.get("arguments")),
        checks.pairs(returned, "RunInfo(env)", info.fields.get("env")),
        _files(returned, "RunInfo(inputs)", info.fields.get("inputs")),
        checks.mounts(returned, info.fields.get("mounts")),
        () if shell is None else _line(returned, "RunInfo(shell)", shell),
    )


def _line(returned: Returned, name: str, value: object) -> tuple[str, ...]:
    """A command line: a list of strings that has at least one."""
    if not isinstance(value, (list, tuple)) or not value:
        raise returned.error("wrong-return", f"`{name}`: expected list, got {type_name(value)}")
    line: list[str] = []
    for argument in value:
        if not isinstance(argument, str):
            raise returned.error("wrong-return", f"`{name}`: expected string, got {type_name(argument)}")
        line.append(argument)
    return tuple(line)


def _files(returned: Returned, name: str, value: object) -> tuple[Artifact, ...]:
    return () if value is None else tuple(dict.fromkeys(checks.files(returned, name, value)))


def _depset(returned: Returned, name: str, value: object) -> Depset:
    if isinstance(value, Depset):
        _check_elements(returned, name, value)
        return value
    return Depset.of(_files(returned, name, value))


def _check_elements(returned: Returned, name: str, depset: Depset) -> None:
    # Own elements only: those of its parts were checked where they were made, or are found when they are used.
    for each in depset.direct:
        if not isinstance(each, Artifact):
            raise returned.error("not-a-file", f"`{name}`: expected File, got {type_name(each)}")
