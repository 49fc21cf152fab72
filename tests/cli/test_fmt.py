"""`mlbuild fmt`: which files it takes, what it does with them, and how it ends."""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path
from types import SimpleNamespace

import pytest

from mlbuild.cli import main

UGLY = "filegroup(srcs=['b','a'],name='x')\n"
NICE = 'filegroup(\n    name = "x",\n    srcs = [\n        "a",\n        "b",\n    ],\n)\n'


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for path, text in {
        "WORKSPACE.ml": 'workspace(name = "w")\n',
        "BUILD.ml": UGLY,
        "a/BUILD.ml": UGLY,
        "a/x.bzl": "x=1\n",
        "a/b/BUILD.ml": UGLY,
        "a/notes.txt": "x=1\n",
        "other/WORKSPACE.ml": "",
        "other/BUILD.ml": UGLY,
        ".hidden/BUILD.ml": UGLY,
        "ignored/BUILD.ml": UGLY,
        "mlbuild-out/BUILD.ml": UGLY,
        ".mlbuildignore": "ignored\n",
    }.items():
        place = tmp_path / path
        place.parent.mkdir(exist_ok=True, parents=True)
        place.write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def fmt(*arguments: str) -> int:
    return main(["fmt", *arguments], {"HOME": os.devnull, "XDG_CACHE_HOME": str(Path.cwd())})


def told(capfd: pytest.CaptureFixture[str]) -> list[str]:
    return capfd.readouterr().out.splitlines()


def test_all_files_of_the_workspace_are_formatted(workspace: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert fmt() == 0
    assert told(capfd) == ["formatted BUILD.ml", "formatted a/BUILD.ml", "formatted a/b/BUILD.ml", "formatted a/x.bzl"]
    assert (workspace / "a/b/BUILD.ml").read_text() == NICE
    assert (workspace / "a/x.bzl").read_text() == "x = 1\n"
    for other in ("other", ".hidden", "ignored", "mlbuild-out"):
        assert (workspace / other / "BUILD.ml").read_text() == UGLY
    assert fmt() == 0
    assert told(capfd) == []


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["//a/..."], ["a/BUILD.ml", "a/b/BUILD.ml", "a/x.bzl"]),
        (["//a/...", "-//a/b/..."], ["a/BUILD.ml", "a/x.bzl"]),
        (["//a:all"], ["a/BUILD.ml", "a/x.bzl"]),
        (["//a:x"], ["a/BUILD.ml"]),
        (["//a:x.bzl"], ["a/x.bzl"]),
        (["//a"], ["a/BUILD.ml"]),
        (["//:x"], ["BUILD.ml"]),
        (["a"], ["a/BUILD.ml", "a/b/BUILD.ml", "a/x.bzl"]),
        (["other", "a/x.bzl"], ["a/x.bzl", "other/BUILD.ml"]),
        (["a/notes.txt"], ["a/notes.txt"]),
        (["ignored/BUILD.ml"], ["ignored/BUILD.ml"]),
    ],
)
def test_paths_and_patterns_name_files(
    workspace: Path, capfd: pytest.CaptureFixture[str], words: list[str], expected: list[str]
) -> None:
    assert fmt("--mode=check", *words) == 4
    assert told(capfd) == [f"{path} # reformat" for path in expected]


def test_patterns_are_seen_from_the_folder_that_one_stands_in(
    workspace: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workspace / "a")
    assert fmt("--mode=check", ":x", "b/...") == 4
    assert told(capfd) == ["BUILD.ml # reformat", "b/BUILD.ml # reformat"]


def test_check_changes_nothing(workspace: Path) -> None:
    assert fmt("--mode=check") == 4
    assert (workspace / "BUILD.ml").read_text() == UGLY


def test_diff_shows_what_would_change_and_changes_nothing(workspace: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert fmt("--mode=diff", "a/x.bzl") == 4
    assert told(capfd) == ["--- a/a/x.bzl", "+++ b/a/x.bzl", "@@ -1 +1 @@", "-x=1", "+x = 1"]
    assert (workspace / "a/x.bzl").read_text() == "x=1\n"


def test_print_if_changed_prints_the_formatted_file(workspace: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert fmt("--mode=print_if_changed", "a/x.bzl", "WORKSPACE.ml") == 0
    assert capfd.readouterr().out == "x = 1\n"
    assert (workspace / "a/x.bzl").read_text() == "x=1\n"


def test_the_kind_of_a_file_may_be_said(workspace: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert fmt("--mode=print_if_changed", "--type=bzl", "a/BUILD.ml") == 0
    assert capfd.readouterr().out == 'filegroup(srcs = ["b", "a"], name = "x")\n'


def test_a_file_that_is_not_starlark_is_told_and_left_and_others_go_on(
    workspace: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (workspace / "a/bad.bzl").write_text("def f(:\n")
    assert fmt("a") == 1
    captured = capfd.readouterr()
    assert captured.err.splitlines()[0] == "a/bad.bzl:1:7: error[syntax]: syntax error at ':': expected `)` or a name"
    assert captured.out.splitlines() == ["formatted a/BUILD.ml", "formatted a/b/BUILD.ml", "formatted a/x.bzl"]
    assert (workspace / "a/bad.bzl").read_text() == "def f(:\n"


def test_a_file_that_is_not_text_is_told(workspace: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (workspace / "a/bad.bzl").write_bytes(b"x = '\xff'\n")
    assert fmt("a/bad.bzl") == 1
    assert "error[not-utf-8]" in capfd.readouterr().err


def test_a_file_that_cannot_be_read_is_told(workspace: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (workspace / "a/gone.bzl").symlink_to("nowhere")
    assert fmt("a/gone.bzl") == 2
    (workspace / "a/folder.bzl").mkdir()
    assert fmt("--mode=check", "a") == 4
    assert "gone" not in capfd.readouterr().out


@pytest.mark.parametrize(
    ("word", "code"), [("nope", 2), ("//nope/...", 2), ("@mlbuild//rules/...", 2), ("//a b:c:d", 2)]
)
def test_a_word_that_names_nothing_is_told(
    workspace: Path, capfd: pytest.CaptureFixture[str], word: str, code: int
) -> None:
    assert fmt(word) == code
    assert "hint: " in capfd.readouterr().err


def test_mode_bits_and_links_stay(workspace: Path) -> None:
    file = workspace / "a/x.bzl"
    file.chmod(0o640)
    (workspace / "a/link.bzl").symlink_to("x.bzl")
    assert fmt("a/link.bzl") == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert (workspace / "a/link.bzl").is_symlink()
    assert file.read_text() == "x = 1\n"
    assert sorted(each.name for each in (workspace / "a").iterdir()) == [
        "BUILD.ml",
        "b",
        "link.bzl",
        "notes.txt",
        "x.bzl",
    ]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["-"], "f(b = 1, a = 2)\n"),
        (["-", "--path=x/BUILD.ml"], "f(\n    a = 2,\n    b = 1,\n)\n"),
        (["-", "--type=build"], "f(\n    a = 2,\n    b = 1,\n)\n"),
    ],
)
def test_what_comes_in_goes_out_formatted(
    workspace: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    expected: str,
) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"f(b=1,a=2)\n")))
    assert fmt(*arguments) == 0
    assert capfd.readouterr().out == expected


def test_what_comes_in_is_named_in_messages(
    workspace: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"f(\n")))
    assert fmt("-", "--path=x/BUILD.ml") == 1
    captured = capfd.readouterr()
    assert captured.err.startswith("x/BUILD.ml:1:2: error[unclosed-bracket]: '(' was never closed")
    assert captured.out == ""


def test_what_comes_in_is_formatted_alone(workspace: Path) -> None:
    assert fmt("-", "BUILD.ml") == 2
