"""What is locked is what was asked for: versions, platforms, extras."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mlbuild.diagnostics import UserError
from mlbuild.fetch.interpreter import find_interpreter
from mlbuild.fetch.locking import HEADER, LockRequest, Text, lock
from mlbuild.fetch.settings import index_settings
from mlbuild.fetch.uv import Uv, find_uv
from mlbuild.records import replace

THIS = find_interpreter("", "", {})
LINUX = "platform_machine == 'x86_64' and sys_platform == 'linux'"


def asked(requirements: str, path: str = "envs/requirements.in", **more: object) -> LockRequest:
    return LockRequest(Text(path, requirements), **more)  # type: ignore[arg-type]


def test_a_lock_has_every_package_with_hashes_and_no_paths(
    tmp_path: Path, make_wheel: Callable[..., tuple[Path, str]]
) -> None:
    _, sha256 = make_wheel(tmp_path / "wheels", "tiny", "1.0", {"tiny.py": "x = 1\n"})
    uv = find_uv(
        index_settings({"PIP_FIND_LINKS": str(tmp_path / "wheels"), "PIP_NO_INDEX": "1", "HOME": str(tmp_path)})
    )
    assert lock(asked("tiny\n"), THIS, uv) == f"{HEADER}tiny==1.0 \\\n    --hash=sha256:{sha256}\n"


def test_requirements_without_a_solution_are_said_in_uvs_words(tmp_path: Path) -> None:
    uv = find_uv(index_settings({"PIP_NO_INDEX": "1", "HOME": str(tmp_path)}))
    with pytest.raises(UserError) as caught:
        lock(asked("tiny\n"), THIS, uv)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "lock-failed"
    assert any("tiny" in note for note in diagnostic.notes)


def test_versions_of_the_previous_lock_are_kept(tmp_path: Path, make_wheel: Callable[..., tuple[Path, str]]) -> None:
    for version in ("1.0", "1.1"):
        make_wheel(tmp_path / "wheels", "tiny", version, {"tiny.py": f"x = '{version}'\n"})
    environ = {"PIP_FIND_LINKS": str(tmp_path / "wheels"), "PIP_NO_INDEX": "1", "HOME": str(tmp_path)}
    uv = find_uv(index_settings(environ))
    first = lock(asked("tiny==1.0\n"), THIS, uv)
    assert lock(asked("tiny\n"), THIS, uv, first) == first
    assert "tiny==1.1" in lock(asked("tiny\n"), THIS, uv)


@pytest.fixture
def index(tmp_path: Path, make_wheel: Callable[..., tuple[Path, str]]) -> Uv:
    """uv with an index of `tiny` in two versions, `other`, and `kernel`, which is for Linux on x86-64 alone."""
    wheels = tmp_path / "wheels"
    for version in ("1.0", "1.1"):
        make_wheel(wheels, "tiny", version, {"tiny.py": f"x = {version}\n"})
    make_wheel(wheels, "other", "2.0", {"other.py": ""})
    wheel, _ = make_wheel(wheels, "kernel", "1.0", {"kernel.py": ""})
    wheel.rename(wheels / "kernel-1.0-py3-none-manylinux_2_17_x86_64.whl")
    return find_uv(index_settings({"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels), "PATH": "/usr/bin:/bin"}))


def pins(text: str) -> list[str]:
    return [line.removesuffix(" \\") for line in text.splitlines() if "==" in line and "--hash" not in line]


def test_constraints_bound_versions_and_bring_nothing(index: Uv) -> None:
    constraints = Text("c.txt", "tiny<1.1\nother==2.0\n")
    assert pins(lock(asked("tiny\n", constraints=constraints), THIS, index)) == ["tiny==1.0"]


def test_overrides_win_over_requirements(index: Uv) -> None:
    overrides = Text("o.txt", "tiny==1.0\n")
    assert pins(lock(asked("tiny>=1.1\n", overrides=overrides), THIS, index)) == ["tiny==1.0"]


def test_constraints_that_cannot_be_met_are_told(index: Uv) -> None:
    with pytest.raises(UserError) as caught:
        lock(asked("tiny>=1.1\n", constraints=Text("c.txt", "tiny<1.1\n")), THIS, index)
    (told,) = caught.value.diagnostics
    assert (told.code, told.message) == ("lock-failed", "`envs/requirements.in` cannot be locked")
    assert "you require tiny" in " ".join(told.notes)


def test_a_file_that_is_none_is_named_as_the_person_knows_it(index: Uv) -> None:
    with pytest.raises(UserError) as caught:
        lock(asked("tiny\n", overrides=Text("envs/overrides.txt", "no requirement!\n")), THIS, index)
    (told,) = caught.value.diagnostics
    assert "`envs/overrides.txt`" in " ".join(told.notes)
    assert "mlbuild-lock-" not in " ".join(told.notes)


def test_a_lock_for_platforms_is_for_these_alone(index: Uv) -> None:
    requirements = "tiny\nother; sys_platform == 'win32'\n"
    assert pins(lock(asked(requirements), THIS, index)) == ["other==2.0 ; sys_platform == 'win32'", "tiny==1.1"]
    text = lock(asked(requirements, platforms=("linux-x86_64",)), THIS, index)
    assert pins(text) == [f"tiny==1.1 ; {LINUX}"]


def test_a_platform_that_a_package_has_no_wheels_for_is_told_when_it_is_locked(index: Uv) -> None:
    assert pins(lock(asked("kernel\n", platforms=("linux-x86_64",)), THIS, index)) == [f"kernel==1.0 ; {LINUX}"]
    with pytest.raises(UserError) as caught:
        lock(asked("kernel\n", platforms=("linux-x86_64", "macos-arm64")), THIS, index)
    (told,) = caught.value.diagnostics
    assert told.hint == "leave the platform out of `platforms`, or ask for a version that has wheels for it"


@pytest.mark.parametrize("variable", ["UV_NO_CONFIG", "UV_CONFIG_FILE"])
def test_platforms_hold_whatever_configuration_uv_was_given(variable: str, index: Uv, tmp_path: Path) -> None:
    (tmp_path / "uv.toml").touch()
    value = {"UV_NO_CONFIG": "1", "UV_CONFIG_FILE": str(tmp_path / "uv.toml")}[variable]
    kept = tuple(sorted({**dict(index.settings.environment), variable: value}.items()))
    configured = replace(index, settings=replace(index.settings, environment=kept))
    assert pins(lock(asked("tiny\n", platforms=("linux-x86_64",)), THIS, configured)) == [f"tiny==1.1 ; {LINUX}"]


def test_an_unknown_platform_is_told_with_what_may_be_meant(index: Uv) -> None:
    with pytest.raises(UserError) as caught:
        lock(asked("tiny\n", platforms=("linux-x86-64",)), THIS, index)
    (told,) = caught.value.diagnostics
    assert (told.code, told.hint) == ("no-such-platform", "did you mean `linux-x86_64`?")


PROJECT = """\
[project]
name = "mine"
version = "1"
dependencies = ["tiny"]
[project.optional-dependencies]
more = ["other"]
[dependency-groups]
dev = ["kernel"]
"""


def test_a_project_is_locked_with_the_extras_and_groups_that_are_named(index: Uv) -> None:
    def locked(**more: object) -> list[str]:
        return pins(lock(asked(PROJECT, "app/pyproject.toml", **more), THIS, index))

    assert locked() == ["tiny==1.1"]
    assert locked(extras=("more",)) == ["other==2.0", "tiny==1.1"]
    assert locked(groups=("dev",)) == ["kernel==1.0", "tiny==1.1"]


def test_an_extra_that_the_project_lacks_is_told(index: Uv) -> None:
    with pytest.raises(UserError) as caught:
        lock(asked(PROJECT, "app/pyproject.toml", extras=("mroe",)), THIS, index)
    assert "mroe" in " ".join(caught.value.diagnostics[0].notes)


def test_a_project_says_its_platforms_itself(index: Uv) -> None:
    with pytest.raises(UserError) as caught:
        lock(asked(PROJECT, "app/pyproject.toml", platforms=("linux-x86_64",)), THIS, index)
    assert caught.value.diagnostics[0].code == "platforms-of-project"
