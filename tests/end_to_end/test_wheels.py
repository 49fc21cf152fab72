"""Environments of many wheels: what one changed version runs, and what two environments share."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Built, Workspace
from tests.fetch.conftest import wheel

COUNT = 30
TWO_ENVIRONMENTS = """
py_env(name = "train", lock = "train.txt")
py_env(name = "serve", lock = "serve.txt")
"""


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Lines of a lock by `NAME==VERSION`, for wheels that an index on this disk has."""
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    lines = {}
    for name, version in [*((f"part{number}", "1.0") for number in range(COUNT)), ("part7", "2.0")]:
        module = f"def version():\n    return '{version}'\n"
        _, sha256 = wheel(tmp_path / "index", name, version, {f"{name}.py": module})
        lines[f"{name}=={version}"] = f"{name}=={version} --hash=sha256:{sha256}\n"
    return lines


@pytest.fixture
def workspace(tmp_path: Path, cache: Path) -> Workspace:
    made = Workspace(tmp_path / "workspace", cache)
    made.write("WORKSPACE.ml", 'workspace(name = "wheels")\n')
    made.write("BUILD.ml", TWO_ENVIRONMENTS)
    return made


def mnemonics(done: Built) -> Counter[str]:
    assert done.code == 0, done.errors + done.failures
    return Counter(action.partition(" ")[0] for action in done.ran)


def lock(wheels: dict[str, str], *, leaving_out: str = "", **versions: str) -> str:
    names = [f"part{number}" for number in range(COUNT)]
    return "".join(wheels[f"{name}=={versions.get(name, '1.0')}"] for name in names if name != leaving_out)


def test_another_version_in_a_lock_of_thirty_wheels_builds_one_wheel(
    workspace: Workspace, wheels: dict[str, str]
) -> None:
    workspace.write("train.txt", lock(wheels))
    assert mnemonics(workspace.build("//:train")) == {"Fetch": 30, "PythonBytecode": 30, "PythonPackages": 1}
    workspace.write("train.txt", lock(wheels, part7="2.0"))
    assert mnemonics(workspace.build("//:train")) == {"Fetch": 1, "PythonBytecode": 1, "PythonPackages": 1}
    installed = workspace.output("train.packages.txt").read_text()
    assert ("part7 2.0" in installed, "part6 1.0" in installed) == (True, True)


def test_two_environments_build_the_wheels_that_they_share_once(workspace: Workspace, wheels: dict[str, str]) -> None:
    workspace.write("train.txt", lock(wheels))
    workspace.write("serve.txt", lock(wheels, leaving_out="part3", part7="2.0"))
    both = workspace.build("//:train", "//:serve")
    assert mnemonics(both) == {"Fetch": 31, "PythonBytecode": 31, "PythonPackages": 2}
    assert "part3" not in workspace.output("serve.packages.txt").read_text()


def test_an_environment_under_another_name_builds_nothing(workspace: Workspace, wheels: dict[str, str]) -> None:
    workspace.write("train.txt", lock(wheels))
    workspace.build("//:train")
    workspace.write("envs/BUILD.ml", 'py_env(name = "other", lock = "lock.txt")\n')
    workspace.write("envs/lock.txt", lock(wheels))
    assert mnemonics(workspace.build("//envs:other")) == {"PythonPackages": 1}
