"""The rules for files and commands, with mlbuild's own rules as they are."""

from pathlib import Path

import mlbuild
from mlbuild.terms import SpawnAction, WriteAction
from mlbuild.testing.workspace import MemoryWorkspace, action_making, files_of

RULES = Path(mlbuild.__file__).parent.parent / "rules"


def workspace(build: str, defines: dict[str, str] | None = None, **files: str) -> MemoryWorkspace:
    return MemoryWorkspace({"p/BUILD.ml": build, **files}, rules=RULES, defines=defines)


def command(build: str, output: str, defines: dict[str, str] | None = None, **files: str) -> str:
    action = action_making(workspace(build, defines, **files).analyse("//p:x"), f"mlbuild-out/p/{output}")
    assert isinstance(action, SpawnAction)
    shell, text, nothing = action.arguments[-3:]
    assert (shell, nothing) == ("-c", "")
    assert isinstance(text, str)
    return text


def test_a_genrule_runs_the_shell_with_its_files() -> None:
    graph = workspace('genrule(name = "x", srcs = ["f"], outs = ["o"], cmd = "cat $< > $@")', **{"p/f": ""}).analyse(
        "//p:x"
    )
    action = action_making(graph, "mlbuild-out/p/o")
    assert isinstance(action, SpawnAction)
    assert action.arguments[-2] == "set -e; cat p/f > mlbuild-out/p/o"
    assert [file.path for file in action.inputs] == ["p/f"]
    assert [mount.path for mount in action.mounts] == ["shell", "lib", "lib64"]
    assert ("PATH", "/shell/bin") in action.environment
    assert files_of(graph) == ("mlbuild-out/p/o",)


def test_variables_of_a_genrule() -> None:
    build = 'genrule(name = "x", srcs = ["f", "g"], outs = ["o", "d/q"], cmd = "$(SRCS) | $(OUTS) | $(@D) | $(RULEDIR) | $$HOME")'
    assert command(build, "o", **{"p/f": "", "p/g": ""}) == (
        "set -e; p/f p/g | mlbuild-out/p/o mlbuild-out/p/d/q | mlbuild-out/p | mlbuild-out/p | $HOME"
    )


def test_locations_in_a_genrule() -> None:
    build = """
filegroup(name = "both", srcs = ["f", "g"])
genrule(name = "x", srcs = [":both"], tools = ["t.sh"], outs = ["o"], cmd = "$(location t.sh) $(locations :both) $(location :o)")
"""
    files = {"p/f": "", "p/g": "", "p/t.sh": ""}
    assert command(build, "o", **files) == "set -e; p/t.sh p/f p/g mlbuild-out/p/o"


def test_defines_in_a_genrule() -> None:
    assert (
        command('genrule(name = "x", outs = ["o"], cmd = "echo $(MODE)")', "o", {"MODE": "fast"}) == "set -e; echo fast"
    )


def test_a_variable_that_is_not_defined() -> None:
    message = workspace('genrule(name = "x", outs = ["o"], cmd = "echo $(MODE)")').error("//p:x")
    assert (
        "error[bad-variable]: attribute `cmd`: `$(MODE)` is not defined: write `$$(MODE)` for the shell's own, "
        "or give `--define MODE=...`"
    ) in message
    assert message.startswith("p/BUILD.ml:1:1: ")
    assert "found by @mlbuild//rules/core/genrule.bzl:" in message


def test_a_location_that_is_no_dependency() -> None:
    message = workspace('genrule(name = "x", outs = ["o"], cmd = "$(location f)")').error("//p:x")
    assert "error[bad-location]: `$(location f)` names no dependency of this target" in message


def test_a_filegroup_is_its_files() -> None:
    build = 'filegroup(name = "x", srcs = ["f", ":y"])\nfilegroup(name = "y", srcs = glob(["*.txt"]))'
    graph = workspace(build, **{"p/f": "", "p/b.txt": "", "p/a.txt": ""}).analyse("//p:x")
    assert files_of(graph) == ("p/f", "p/a.txt", "p/b.txt")
    assert graph.actions == ()


def test_a_file_with_lines_of_the_build_file() -> None:
    build = 'load("@mlbuild//rules/core:write_file.bzl", "write_file")\nwrite_file(name = "x", out = "o", content = ["a", "b"])'
    (action,) = workspace(build).analyse("//p:x").actions
    assert isinstance(action, WriteAction) and action.content == b"a\nb\n"


def test_the_rules_can_be_called_in_macros_as_native() -> None:
    module = 'def group(name):\n    native.filegroup(name = name, srcs = native.glob(["*.txt"]))'
    graph = workspace('load(":m.bzl", "group")\ngroup(name = "x")', **{"p/m.bzl": module, "p/a.txt": ""}).analyse(
        "//p:x"
    )
    assert files_of(graph) == ("p/a.txt",)
