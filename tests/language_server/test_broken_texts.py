"""Questions about texts that are cut and patched at random: each has an answer, none raises."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from mlbuild.lang import ProgramCache
from mlbuild.language_server import calls, complete, definition, diagnose, hover, symbols
from mlbuild.language_server.text import Text
from mlbuild.language_server.workspace import EditedWorkspace, Texts

ROOT = Path(__file__).parents[2]
FLIGHTS = ROOT / "examples" / "flights"
FILES = (FLIGHTS / "models" / "BUILD.ml", FLIGHTS / "WORKSPACE.ml", ROOT / "rules" / "core" / "genrule.bzl")
PATCHES = ("", '"', "(", ".", ",", "[", "{", "\n", "'''", "é😀", "x.", " = ", "@", '"//')


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_question_about_a_broken_text_has_an_answer(file: Path) -> None:
    texts = Texts()
    workspace = EditedWorkspace(FLIGHTS, ROOT / "rules", texts, ProgramCache(None))
    path = workspace.path_of(str(file))
    assert path is not None
    whole = file.read_text(encoding="utf-8")
    chance = random.Random(7)
    for _ in range(40):
        start = chance.randrange(len(whole) + 1)
        text = Text(whole[:start] + chance.choice(PATCHES) + whole[start + chance.choice((0, 1, 5, 40, 400)) :])
        texts.open[str(file)] = text
        workspace.edited(path)
        offset = min(len(text.code), start + chance.choice((0, 1, 2)))
        complete.complete(workspace, path, text, offset, snippets=True)
        hover.hover(workspace, path, text, offset)
        calls.signature_help(workspace, path, text, offset)
        definition.definition(workspace, path, text, offset)
        symbols.of_file(workspace, path, text)
        symbols.folds(text)
        for each in diagnose.shown(diagnose.diagnose(workspace, path), text, path):
            assert each.range.start.line <= text.code.count("\n")
