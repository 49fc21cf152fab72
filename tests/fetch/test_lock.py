from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mlbuild.diagnostics import UserError, render
from mlbuild.fetch.interpreter import find_interpreter
from mlbuild.fetch.lock import HEADER, Requirement, check_lock, lock
from mlbuild.fetch.settings import index_settings
from mlbuild.fetch.uv import find_uv

A = "a" * 64
THIS = find_interpreter("", "", {})


def test_requirements_are_read_with_their_hashes_and_lines() -> None:
    text = f"# made by hand\n\nNum_Py==1.0 ; python_version > '3' \\\n    --hash=sha256:{A} \\\n    --hash=sha256:{A[:-1]}b\nsix==1.17 --hash=sha256:{A}\n"
    first, second = check_lock(text)
    assert first == Requirement("Num_Py==1.0 ; python_version > '3'", (f"sha256:{A}", f"sha256:{A[:-1]}b"), 3)
    assert first.name == "num-py"
    assert second.line == 6


def test_a_requirement_without_hashes_is_named() -> None:
    with pytest.raises(UserError) as caught:
        check_lock(f"six==1.17 --hash=sha256:{A}\nnumpy==2.1.0\n", "envs/lock.txt")
    assert render(caught.value.diagnostics[0]) == (
        "envs/lock.txt:2: error[lock-without-hashes]: `numpy==2.1.0` has no hash\n"
        "  hint: make the lock with `mlbuild lock`: it writes the hash of every file that may be installed"
    )


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("six>=1\n", "lock-without-versions"),
        ("six==1.*\n", "lock-without-versions"),
        ("-r other.txt\n", "bad-lock"),
        ("-e .\n", "bad-lock"),
        ("--constraint c.txt\n", "bad-lock"),
    ],
)
def test_what_is_no_lock_is_refused(text: str, code: str) -> None:
    with pytest.raises(UserError) as caught:
        check_lock(text)
    assert [each.code for each in caught.value.diagnostics] == [code]


def test_every_fault_is_said_at_once() -> None:
    with pytest.raises(UserError) as caught:
        check_lock("a==1\nb==2\n")
    assert len(caught.value.diagnostics) == 2


def test_a_lock_has_every_package_with_hashes_and_no_paths(
    tmp_path: Path, make_wheel: Callable[..., tuple[Path, str]]
) -> None:
    _, sha256 = make_wheel(tmp_path / "wheels", "tiny", "1.0", {"tiny.py": "x = 1\n"})
    uv = find_uv(
        index_settings({"PIP_FIND_LINKS": str(tmp_path / "wheels"), "PIP_NO_INDEX": "1", "HOME": str(tmp_path)})
    )
    assert lock("tiny\n", THIS, uv) == f"{HEADER}tiny==1.0 \\\n    --hash=sha256:{sha256}\n"


def test_requirements_without_a_solution_are_said_in_uvs_words(tmp_path: Path) -> None:
    uv = find_uv(index_settings({"PIP_NO_INDEX": "1", "HOME": str(tmp_path)}))
    with pytest.raises(UserError) as caught:
        lock("tiny\n", THIS, uv)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "lock-failed"
    assert any("tiny" in note for note in diagnostic.notes)


def test_versions_of_the_previous_lock_are_kept(tmp_path: Path, make_wheel: Callable[..., tuple[Path, str]]) -> None:
    for version in ("1.0", "1.1"):
        make_wheel(tmp_path / "wheels", "tiny", version, {"tiny.py": f"x = '{version}'\n"})
    environ = {"PIP_FIND_LINKS": str(tmp_path / "wheels"), "PIP_NO_INDEX": "1", "HOME": str(tmp_path)}
    uv = find_uv(index_settings(environ))
    first = lock("tiny==1.0\n", THIS, uv)
    assert lock("tiny\n", THIS, uv, first) == first
    assert "tiny==1.1" in lock("tiny\n", THIS, uv)
