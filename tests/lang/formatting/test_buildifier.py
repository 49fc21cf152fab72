"""mlbuild's format is buildifier's, byte for byte: with the program itself, where npm can install it."""

from __future__ import annotations

import os
import random
from collections import Counter
from pathlib import Path

import pytest

from mlbuild.diagnostics import UserError
from mlbuild.lang.formatting import Kind, format_text, kind_of
from mlbuild.lang.syntax.parse import parse
from tests.docs.page import blocks
from tests.lang.formatting.buildifier import Buildifier
from tests.lang.formatting.golden import all_cases
from tests.lang.formatting.mutations import mutated
from tests.lang.formatting.texts import TEXTS, comments_of, own_files

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("kind", Kind)
def test_a_golden_case_is_what_buildifier_writes(buildifier: Buildifier, kind: Kind) -> None:
    cases = [case for case in all_cases() if case.kind is kind]
    assert buildifier.formatted([case.text for case in cases], kind) == [case.formatted for case in cases]


@pytest.mark.parametrize("kind", Kind)
def test_files_of_this_repository_are_formatted_alike(buildifier: Buildifier, kind: Kind) -> None:
    files = [file for file in own_files() if kind_of(file.name) is kind]
    texts = [file.read_text(encoding="utf-8") for file in files]
    assert buildifier.formatted(texts, kind) == texts


@pytest.mark.parametrize("kind", Kind)
def test_texts_of_pages_and_tests_are_formatted_alike(buildifier: Buildifier, kind: Kind) -> None:
    pages = [page.read_text(encoding="utf-8") for page in sorted(ROOT.glob("docs/**/*.md"))]
    shown = [block.text for page in pages for block in blocks(page) if block.words[:1] == ("starlark",)]
    chunks = [
        chunk for file in sorted(ROOT.glob("tests/lang/cases/*.star")) for chunk in file.read_text().split("---\n")
    ]
    # buildifier reads `0in` as a name, and so cannot put a blank there.
    texts = [text.replace("0in", "0 in") for text in (*shown, *chunks)]
    assert differences(buildifier, texts, kind) == []


@pytest.mark.parametrize("kind", Kind)
def test_any_layout_is_formatted_alike(buildifier: Buildifier, kind: Kind) -> None:
    chance = random.Random(1)
    texts = [mutated(chance.choice(TEXTS), chance, with_comments=False) for _ in range(400)]
    assert differences(buildifier, texts, kind) == []


@pytest.mark.parametrize("kind", Kind)
def test_comments_anywhere_are_placed_alike_unless_buildifier_breaks_or_loses_something(
    buildifier: Buildifier, kind: Kind
) -> None:
    chance = random.Random(2)
    texts = [mutated(chance.choice(TEXTS), chance) for _ in range(400)]
    assert differences(buildifier, texts, kind) == []


@pytest.mark.skipif("MLBUILD_FORMAT_TEXTS" not in os.environ, reason="MLBUILD_FORMAT_TEXTS names no folder of texts")
@pytest.mark.parametrize("kind", Kind)
def test_texts_of_others_are_formatted_alike(buildifier: Buildifier, kind: Kind) -> None:
    """For example the suite `parse` of starlark-rust, and buildtools' `build/testdata`."""
    places = sorted(Path(os.environ["MLBUILD_FORMAT_TEXTS"]).rglob("*"))
    texts = [place.read_text(encoding="utf-8", errors="replace") for place in places if place.is_file()]
    assert differences(buildifier, texts, kind) == []


def differences(buildifier: Buildifier, texts: list[str], kind: Kind) -> list[tuple[str, str | None, str]]:
    """What is formatted otherwise than by buildifier without a reason: the text, its form, ours. Prints how often which."""
    pairs = [(text, ours) for text in texts if (ours := formatted(text, kind)) is not None]
    first = buildifier.formatted([text for text, _ in pairs], kind)
    settled = buildifier.settled([text for text, _ in pairs], kind)
    counts: Counter[str] = Counter()
    found = []
    for (text, ours), once, last in zip(pairs, first, settled, strict=True):
        if once is None:
            counts["refused by buildifier"] += 1
        elif ours == once:
            counts["equal"] += 1
        elif ours == last:
            counts["equal to what buildifier writes in the end"] += 1
        elif last is None or formatted(last, kind) is None:
            counts["buildifier's is not Starlark, or never settles"] += 1
        elif lost(text, last) and not lost(text, ours):
            counts["buildifier loses a comment"] += 1
        else:
            found.append((text, last, ours))
    print(kind.name, dict(counts), "different:", len(found))
    return found


def formatted(text: str, kind: Kind) -> str | None:
    try:
        return format_text(text, kind)
    except UserError:
        return None


def lost(text: str, formatted: str) -> bool:
    parse(formatted, "")
    joined = "\n".join(comments_of(formatted))
    return any(comment not in joined for comment in comments_of(text))
