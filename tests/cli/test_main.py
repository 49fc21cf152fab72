"""Exit codes and words of the command line itself."""

from collections.abc import Callable
from pathlib import Path

import pytest

import mlbuild.cli.version
from mlbuild.cli import main
from mlbuild.cli.reference import MEANINGS, page
from mlbuild.diagnostics import ExitCode


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version"], {}) == 0
    assert capsys.readouterr().out == f"mlbuild {mlbuild.__version__}\n"


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([], {}) == 0
    shown = capsys.readouterr().out
    for name in ("build", "test", "run", "lock", "clean", "info", "doctor", "help", "version"):
        assert f"\n  {name} " in shown


def test_help_of_a_command_has_each_of_its_flags(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "--help"], {}) == 0
    shown = capsys.readouterr().out
    assert "--[no]keep_going, -k (default: no)" in shown
    assert "--disk_cache=FOLDER" in shown


def raising(error: BaseException) -> Callable[[tuple[str, ...]], int]:
    def run(arguments: tuple[str, ...]) -> int:
        raise error

    return run


def test_a_bug_of_ours_is_told_as_one_and_its_traceback_is_kept_in_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(mlbuild.cli.version, "run", raising(KeyError("gone")))
    assert main(["version"], {"HOME": str(tmp_path)}) == 37
    shown = capsys.readouterr().err
    assert "this is a bug in mlbuild (KeyError: 'gone')" in shown
    assert "Traceback" not in shown
    (kept,) = (tmp_path / ".cache/mlbuild/bugs").iterdir()
    assert str(kept) in shown
    assert "\nmlbuild version\n\nTraceback" in kept.read_text()


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (OSError(28, "No space left on device"), 36, "the disk is full"),
        (OSError(24, "Too many open files"), 36, "too many open files"),
        (KeyboardInterrupt(), 8, "interrupted"),
        (MemoryError(), 36, "no memory left"),
        (RuntimeError("can't start new thread"), 36, "raise the limit (`ulimit -u`)"),
    ],
)
def test_what_the_machine_does_is_told_in_words(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], error: BaseException, code: int, words: str
) -> None:
    monkeypatch.setattr(mlbuild.cli.version, "run", raising(error))
    assert main(["version"], {}) == code
    assert words in capfd.readouterr().err


def test_the_reference_page_is_what_the_table_says() -> None:
    written = (Path(mlbuild.__file__).parents[1] / "docs/reference/commands.md").read_text(encoding="utf-8")
    assert written == page(), "python -m mlbuild.cli.reference > docs/reference/commands.md"


def test_every_exit_code_that_can_occur_is_on_the_reference_page() -> None:
    assert {code for code in vars(ExitCode).values() if isinstance(code, ExitCode)} == set(MEANINGS)
