"""The conversation itself: positions, changes, ends, and questions that are taken back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.language_server.editor import ROOT, Editor, Refused, Server


def span(line: int, start: int, end: int, last: int | None = None) -> dict[str, dict[str, int]]:
    last = line if last is None else last
    return {"start": {"line": line, "character": start}, "end": {"line": last, "character": end}}


def test_columns_are_units_of_utf_16(editor: Editor) -> None:
    editor.open("BUILD.ml", 'x = ["😀é", nothing]\n')
    assert editor.mistakes("BUILD.ml") == ["1:13 undefined-name name 'nothing' is not defined"]
    assert "genrule" in editor.completions("BUILD.ml", 'x = ["😀é", gen‸]\n')


def test_an_editor_may_count_otherwise(tmp_path: Path) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    server = Server(folder, tmp_path / "cache", encodings=["utf-32", "utf-16"])
    assert server.capabilities["positionEncoding"] == "utf-32"
    editor = Editor(server, folder)
    editor.open("BUILD.ml", 'x = ["😀é", nothing]\n')
    assert editor.mistakes("BUILD.ml") == ["1:12 undefined-name name 'nothing' is not defined"]
    assert server.close() == 0


def test_changes_are_made_in_their_order(editor: Editor) -> None:
    editor.open("BUILD.ml", "x = 1\r\ny = 2\r\nz = 3\r\n")
    editor.change(
        "BUILD.ml",
        {"range": span(1, 4, 5), "text": "nothing"},
        {"range": span(0, 0, 0, 1), "text": ""},
        {"range": span(1, 5, 5), "text": "\u2028"},
        {"range": span(1, 5, 6), "text": ""},
    )
    assert editor.mistakes("BUILD.ml") == ["1:5 undefined-name name 'nothing' is not defined"]


def test_lines_may_end_as_on_windows(editor: Editor) -> None:
    editor.open("BUILD.ml", "a = 1\r\n\r\nb = [\r\n    nothing,\r\n]\r\n")
    assert editor.mistakes("BUILD.ml") == ["4:5 undefined-name name 'nothing' is not defined"]
    assert editor.places("definition", "BUILD.ml", "a = 1\r\n\r\nb = ‸a\r\n") == ["BUILD.ml:1:1"]


def test_files_of_other_languages_and_unknown_ones_are_left_alone(editor: Editor) -> None:
    editor.open("train.py", "import nothing\n")
    asked = {"textDocument": {"uri": editor.uri("train.py")}, "position": {"line": 0, "character": 0}}
    assert editor.ask("textDocument/hover", asked) is None
    asked["textDocument"] = {"uri": "untitled:Untitled-1"}
    assert editor.ask("textDocument/hover", asked) is None
    assert editor.ask("textDocument/completion", asked)["items"] == []


def test_a_position_outside_of_the_text_is_its_end(editor: Editor) -> None:
    editor.open("BUILD.ml", "x = 1\n")
    asked = {"textDocument": {"uri": editor.uri("BUILD.ml")}, "position": {"line": 90, "character": 7}}
    assert editor.ask("textDocument/completion", asked)["items"] != []


def test_a_bug_in_an_answer_does_not_end_the_conversation(tmp_path: Path) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    broken = (
        "from mlbuild.language_server import diagnose, hover\n"
        "def bug(*_): raise ZeroDivisionError('a bug')\n"
        "diagnose.diagnose = hover.hover = bug\n"
        "from mlbuild.__main__ import run\n"
        "run()\n"
    )
    server = Server(folder, tmp_path / "cache", program=("-c", broken))
    editor = Editor(server, folder)
    editor.open("BUILD.ml", "x = le\n")
    with pytest.raises(Refused, match="a bug"):
        editor.hover("BUILD.ml", "x = ‸len([])\n")
    with pytest.raises(Refused):
        editor.ask("textDocument/noSuchThing", {})
    assert "len" in editor.completions("BUILD.ml", "x = le‸\n")
    assert server.close() == 0


def test_a_question_can_be_taken_back(editor: Editor) -> None:
    for number in range(300):
        editor.write(f"p{number}/BUILD.ml", 'filegroup(name = "x")\n')
    editor.open("BUILD.ml", "")
    number = editor.server.send("workspace/symbol", {"query": "p299:x"})
    editor.tell("$/cancelRequest", {"id": number})
    with pytest.raises(Refused, match="cancel"):
        editor.server.answer(number)


def test_the_editor_s_end_is_the_server_s_end(tmp_path: Path) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    server = Server(folder, tmp_path / "cache")
    assert server.end() == 1


def test_without_its_packages_the_command_says_what_to_install(tmp_path: Path) -> None:
    for name in ("pygls", "lsprotocol"):
        (tmp_path / f"{name}.py").write_text(f'raise ModuleNotFoundError("no", name="{name}")\n')
    found = subprocess.run(
        [sys.executable, "-m", "mlbuild", "lsp"],
        env={"PYTHONPATH": f"{tmp_path}:{ROOT}", "HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert found.returncode == 36
    assert found.stdout == ""
    assert "hint: install it with `pip install 'mlbuild[lsp]'`" in found.stderr
