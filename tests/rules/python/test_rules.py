"""What the Python rules declare, analysed without a disk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from mlbuild.terms import ActionGraph, Artifact, FetchAction, MapAction, MergeAction, Mount, SpawnAction
from mlbuild.testing.workspace import MemoryWorkspace, action_making

RULES = Path(__file__).parents[3] / "rules"
OUT = "mlbuild-out/envs"


def workspace(files: Mapping[str, str]) -> MemoryWorkspace:
    given = {"WORKSPACE.ml": 'workspace(name = "w")\nregister_toolchains("//envs:python")\n', "envs/lock.txt": ""}
    env = """
py_env(name = "train", lock = "lock.txt")
toolchain(name = "python", toolchain_type = "@mlbuild//rules/python:toolchain_type", toolchain = ":train")
"""
    return MemoryWorkspace({**given, "envs/BUILD.ml": env, **files}, rules=RULES)


def spawn(graph: ActionGraph, path: str) -> SpawnAction:
    action = action_making(graph, path)
    assert isinstance(action, SpawnAction)
    return action


def mounted(action: SpawnAction) -> dict[str, str]:
    return {
        mount.path: mount.content.path if isinstance(mount.content, Artifact) else f"-> {mount.content}"
        for mount in action.mounts
    }


def test_an_environment_is_the_compiled_interpreter_and_the_compiled_wheels() -> None:
    graph = workspace({}).analyse("//envs:train")
    listing = spawn(graph, f"{OUT}/train.packages.txt")
    assert mounted(listing) == {
        "lib": "-> python/lib",
        "lib64": "-> python/lib",
        "python": "mlbuild-out/external/mlbuild/rules/python/interpreter.python",
        "python-packages": f"{OUT}/train.python_packages",
    }
    assert listing.arguments[:6] == (
        "../python/lib/ld.so", "--library-path", "../python/lib", "../python/bin/python3", "-s", "-B",
    )  # fmt: skip


def test_each_wheel_is_fetched_and_compiled_for_its_mount_by_itself() -> None:
    graph = workspace({}).analyse("//envs:train")
    merge = action_making(graph, f"{OUT}/train.python_packages")
    assert isinstance(merge, MergeAction)
    assert merge.directory.path == f"{OUT}/train.compiled_wheels"
    mapping = action_making(graph, merge.directory.path)
    assert isinstance(mapping, MapAction)
    pins, *_ = mapping.inputs
    split = action_making(graph, pins.path)
    assert isinstance(split, FetchAction)
    assert (split.kind, [each.path for each in split.inputs]) == ("pins", ["envs/lock.txt"])
    assert split.spec == (("extras", ""), ("groups", ""), ("python", ""))
    pin = Artifact(f"{pins.path}/six-1.17.0.txt", pins.owner, is_source=False, parent=pins)
    fetch, compiling = mapping.expand({pins: (pin,)})
    assert isinstance(fetch, FetchAction)
    assert isinstance(compiling, SpawnAction)
    assert (fetch.kind, fetch.spec) == ("wheels", (("lock", "envs/lock.txt"), ("python", "")))
    assert (fetch.inputs, fetch.output.path) == ((pin,), f"{OUT}/train.wheels/six-1.17.0")
    assert compiling.arguments[6:] == (
        "external/mlbuild/rules/python/tools/bytecode.py", f"{OUT}/train.wheels/six-1.17.0",
        f"{OUT}/train.compiled_wheels/six-1.17.0", "/python-packages", "2",
    )  # fmt: skip
    assert compiling.resources.cpus == 2


def test_the_numerics_class_and_the_threads_are_in_the_variables_and_the_platform() -> None:
    build = {"envs/BUILD.ml": 'py_env(name = "train", threads = 3)', "WORKSPACE.ml": ""}
    action = spawn(workspace(build).analyse("//envs:train"), f"{OUT}/train.packages.txt")
    variables = dict(action.environment)
    assert action.platform == (("numerics", "avx2"), ("threads", "3"))
    assert variables["OPENBLAS_CORETYPE"] == "Haswell"
    assert variables["GLIBC_TUNABLES"] == "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW,-AVX512DQ,-AVX512CD"
    assert variables["NPY_DISABLE_CPU_FEATURES"].startswith("X86_V4,AVX512F,")
    assert variables["PYTHONHASHSEED"] == "0"
    assert [variables[name] for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")] == ["3"] * 3
    assert action.resources.cpus == 3


def test_the_native_class_pins_no_instructions() -> None:
    build = {"envs/BUILD.ml": 'py_env(name = "train", numerics = "native")', "WORKSPACE.ml": ""}
    action = spawn(workspace(build).analyse("//envs:train"), f"{OUT}/train.packages.txt")
    assert "OPENBLAS_CORETYPE" not in dict(action.environment)
    assert action.platform == (("numerics", "native"), ("threads", "1"))


def test_an_unknown_class_is_refused() -> None:
    build = {"envs/BUILD.ml": 'py_env(name = "train", numerics = "avx3")', "WORKSPACE.ml": ""}
    assert '"avx3" is not allowed: use one of "avx2", "native"' in workspace(build).error("//envs:train")


def test_another_interpreter_is_collected_for_its_environment() -> None:
    build = {"envs/BUILD.ml": 'py_env(name = "old", python = "3.12")', "WORKSPACE.ml": ""}
    graph = workspace(build).analyse("//envs:old")
    host = action_making(graph, f"{OUT}/old.host_python")
    assert isinstance(host, FetchAction)
    assert host.spec == (("python", "3.12"),)
    assert mounted(spawn(graph, f"{OUT}/old.packages.txt"))["python"] == f"{OUT}/old.python"


TESTED = """
py_library(name = "lib", srcs = ["lib.py"], data = ["table.csv"], imports = ["src"])
py_test(name = "check", srcs = ["check.py"], deps = [":lib"], args = ["-x"])
"""


def analysed_test() -> ActionGraph:
    files = {"pkg/BUILD.ml": TESTED, "pkg/lib.py": "", "pkg/check.py": "", "pkg/table.csv": ""}
    return workspace(files).analyse("//pkg:check")


def test_a_test_gets_its_files_and_leaves_a_log_and_a_report() -> None:
    action = spawn(analysed_test(), "mlbuild-out/pkg/check.log")
    assert action.is_test
    assert [each.path for each in action.outputs] == ["mlbuild-out/pkg/check.log", "mlbuild-out/pkg/check.xml"]
    assert sorted(each.path for each in action.inputs) == [
        "external/mlbuild/rules/python/tools/test_main.py", "pkg/check.py", "pkg/lib.py", "pkg/table.csv",
    ]  # fmt: skip
    assert action.arguments[7:] == (
        "mlbuild-out/pkg/check.log", "mlbuild-out/pkg/check.xml", "pkg/check.py", "--", "-x",
    )  # fmt: skip
    assert dict(action.environment)["PYTHONPATH"] == ".:pkg/src"
    assert action.mnemonic == "PyTest"


def test_a_program_is_run_in_its_environment() -> None:
    files = {
        "pkg/BUILD.ml": 'py_binary(name = "tool", srcs = ["other.py", "tool.py"], args = ["-v"])',
        "pkg/tool.py": "",
        "pkg/other.py": "",
    }
    (target,) = workspace(files).analyse("//pkg:tool").targets
    assert target.run is not None
    assert target.run.arguments[3:] == ("../python/bin/python3", "-s", "-B", "pkg/tool.py", "-v")
    assert {mount.path for mount in target.run.mounts} == {"lib", "lib64", "python", "python-packages"}
    launcher = "external/mlbuild/rules/python/tools/launch.py"
    assert sorted(each.path for each in target.run.inputs) == [launcher, "pkg/other.py", "pkg/tool.py"]
    assert target.run.shell[3:] == ("../python/bin/python3", "-s", "-B", launcher, "--imports=pkg", "python")


def test_a_program_of_many_files_says_which_it_runs() -> None:
    files = {"pkg/BUILD.ml": 'py_binary(name = "tool", srcs = ["a.py", "b.py"])', "pkg/a.py": "", "pkg/b.py": ""}
    assert "which of its 2 files does `//pkg:tool` run? say it with `main`" in workspace(files).error("//pkg:tool")


def test_a_file_of_a_wheel_is_fetched_and_read_without_the_users_packages() -> None:
    build = f'wheel_file(name = "f", package = "p", version = "1", sha256 = "{"a" * 64}", path = "p/data/f.csv")'
    graph = workspace({"d/BUILD.ml": build}).analyse("//d:f")
    fetch = action_making(graph, "mlbuild-out/d/f.archive")
    assert isinstance(fetch, FetchAction)
    assert dict(fetch.spec) == {"package": "p", "version": "1", "sha256": "a" * 64, "filename": ""}
    read = spawn(graph, "mlbuild-out/d/f/f.csv")
    assert "python-packages" not in mounted(read)
    assert Mount("lib", "python/lib") in read.mounts
    assert [each.path for each in graph.targets[0].files] == ["mlbuild-out/d/f/f.csv"]


@pytest.mark.parametrize(
    ("url", "path"),
    [("https://h.example/a/b.csv?x=1#y", "b.csv"), ("https://h.example/dir/", "dir")],
)
def test_a_file_from_the_web_is_called_as_in_its_address(url: str, path: str) -> None:
    build = f'http_file(name = "f", url = "{url}", sha256 = "{"a" * 64}")'
    graph = workspace({"d/BUILD.ml": build}).analyse("//d:f")
    assert [each.path for each in graph.targets[0].files] == [f"mlbuild-out/d/f/{path}"]


def test_tools_are_python_that_says_what_it_is() -> None:
    for tool in sorted((RULES / "python/tools").glob("*.py")):
        assert tool.read_text().startswith('"""'), tool
