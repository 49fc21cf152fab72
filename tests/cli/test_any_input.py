"""Whatever is on a command line or in an rc file: a request, or an error with code 2 or 36 that a terminal can show."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlbuild.config import build_request
from mlbuild.diagnostics import UserError, render
from mlbuild.flags import COMMANDS

NAMES = sorted({flag.name for command in COMMANDS.values() for flag in command.flags})
PIECES = st.one_of(
    st.sampled_from(["--", "-", "-k", "-j", "--config=ci", "--config", "--define=a=b", "//...", "-//a", "--no", "=", "--="]),
    st.builds("--{}{}".format, st.sampled_from(NAMES), st.sampled_from(["", "=", "=1", "=yes", "=auto", "=\x1b[0m"])),
    st.builds("--no{}".format, st.sampled_from(NAMES)),
    st.text(max_size=8),
)  # fmt: skip
LINES = st.one_of(
    st.builds("{} {}".format, st.sampled_from(["build", "common", "build:ci", "test", "info", "x:y", ":"]), PIECES),
    st.sampled_from(["import %workspace%/.mlbuildrc", "try-import %workspace%/x", "import", "# x", "\\", "'", "a\\"]),
    st.text(max_size=20),
)
ALWAYS = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "WORKSPACE.ml").write_text("")
    return tmp_path


def ask(workspace: Path, *argv: str) -> None:
    try:
        build_request(argv, {"HOME": str(workspace)}, workspace)
    except UserError as error:
        assert int(error.exit_code) in (2, 36)
        for diagnostic in error.diagnostics:
            assert not any(char < " " and char not in "\n\t" for char in render(diagnostic))


@ALWAYS
@given(command=st.sampled_from([*COMMANDS, "bild", ""]), words=st.lists(PIECES, max_size=6))
def test_any_command_line(workspace: Path, command: str, words: list[str]) -> None:
    ask(workspace, command, *words)


@ALWAYS
@given(lines=st.lists(LINES, max_size=6))
def test_any_rc_file(workspace: Path, lines: list[str]) -> None:
    (workspace / ".mlbuildrc").write_text("\n".join(lines), encoding="utf-8", errors="backslashreplace")
    ask(workspace, "build", "--config=ci", "//x")


@ALWAYS
@given(content=st.binary(max_size=40))
def test_any_bytes_in_an_rc_file(workspace: Path, content: bytes) -> None:
    (workspace / ".mlbuildrc").write_bytes(content)
    ask(workspace, "build", "//x")
