from __future__ import annotations

import pytest

from mlbuild.diagnostics import UserError, render
from mlbuild.fetch.interpreter import find_interpreter
from mlbuild.fetch.lock import Requirement, check_lock

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
