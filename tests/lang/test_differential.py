"""The same programs, by other implementations: the same result, or a failure of both. Each peer has an environment of its own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mlbuild.lang import MODULE, Limits, StarlarkError, Thread, compile_program, execute
from tests.lang.programs import Program

PEER = Path(__file__).with_name("peer.py")
PACKAGES = {"go": "starlark-go==1.0.1", "rust": "starlark-pyo3==2026.1.3"}

EXPLAINED = {
    "go": r"unhashable type: .* \| value$",
    "rust": r"unhashable type: .* \| value$|value \| .*Not enough memory",
}
"""`ours | theirs`: `[] in {}` fails here and in Bazel, since `[]` can never be a key; the others answer `False`."""

BUDGETS = r"excessive (repeat|capacity)|takes more than \d+ steps|too (large|long)|shift count"
"""Our own limits, which the others do not have or have elsewhere."""


@pytest.fixture(scope="session", params=sorted(PACKAGES))
def peer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """The peer's name, and the Python that has it."""
    name = str(request.param)
    folder = tmp_path_factory.mktemp(name)
    subprocess.run([sys.executable, "-m", "venv", folder], check=True, timeout=120)
    python = folder / "bin" / "python"
    install = [python, "-m", "pip", "install", "--quiet", "--only-binary", ":all:", PACKAGES[name]]
    found = subprocess.run(install, capture_output=True, text=True, timeout=300, check=False)
    if found.returncode:
        pytest.skip(f"{PACKAGES[name]} cannot be had from the package index: {found.stderr[-300:]}")
    return name, python


def ours(program: str) -> dict[str, str]:
    try:
        compiled = compile_program(program.encode(), "program.star", MODULE, frozenset())
        return {"result": str(execute(compiled, {}, {}, Thread(limits=Limits(steps=300_000)))["result"])}
    except StarlarkError as error:
        return {"error": error.message}


def theirs(peer: tuple[str, Path], programs: list[str]) -> list[dict[str, str]]:
    """The peer's answers. One that dies of a program has no answer to it, and is started again for the rest."""
    name, python = peer
    answers: list[dict[str, str]] = []
    while len(answers) < len(programs):
        lines = "".join(json.dumps(program) + "\n" for program in programs[len(answers) :])
        told = subprocess.run(
            [python, PEER, name], input=lines, capture_output=True, text=True, timeout=300, check=False
        )
        answers += [json.loads(line) for line in told.stdout.splitlines()]
        if len(answers) < len(programs):
            answers.append({"died": told.stderr[-300:]})
    return answers


def plain(text: str | None, name: str) -> str | None:
    """Without the ways to write one number: starlark-go has `1e+06`, starlark-rust six digits and no sign of zero."""
    if text is None:
        return None

    def number(match: re.Match[str]) -> str:
        value = float(match[0])
        return repr(value) if name == "go" else f"{value + 0.0:.5g}"

    written = r"-?\d+\.?\d*e[+-]?\d+|-?\d+\.\d+"
    return re.sub(written, number, text)


def differences(peer: tuple[str, Path], seeds: range) -> list[str]:
    programs = [Program(seed).text() for seed in seeds]
    found = []
    for seed, program, answer in zip(seeds, programs, theirs(peer, programs), strict=True):
        mine = ours(program)
        same = plain(mine.get("result"), peer[0]) == plain(answer.get("result"), peer[0])
        if same or "died" in answer or re.search(BUDGETS, mine.get("error", "")):
            continue
        told = f"{mine.get('error', 'value')} | {answer.get('error', 'value')}"
        if not re.search(EXPLAINED[peer[0]], told):
            found.append(f"seed {seed}: {told}\n  {mine}\n  {answer}")
    return found


@pytest.mark.campaign
@pytest.mark.parametrize("batch", range(10))
def test_ten_batches_of_a_thousand_programs_agree(peer: tuple[str, Path], batch: int) -> None:
    assert differences(peer, range(1000 * batch, 1000 * batch + 1000)) == []


def test_most_programs_get_to_their_end() -> None:
    """Programs that fail at once would prove nothing."""
    reached = sum("result" in ours(Program(seed).text()) for seed in range(100))
    assert reached >= 45
