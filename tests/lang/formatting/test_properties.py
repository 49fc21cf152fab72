"""What holds for every text: a second formatting changes nothing, the text says the same, and no comment goes."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from mlbuild.lang.formatting import Kind, format_text
from mlbuild.lang.scan import scan
from tests.lang.formatting.golden import Case, all_cases
from tests.lang.formatting.meaning import meaning
from tests.lang.formatting.mutations import mutated

ROOT = Path(__file__).parents[3]


def own_texts() -> list[str]:
    """Short files of this repository, and the golden cases."""
    files = [*sorted(ROOT.glob("rules/**/*.bzl")), *sorted(ROOT.glob("examples/**/BUILD.ml"))]
    texts = [file.read_text() for file in files]
    return [text for text in texts if len(text) < 3000] + [case.text for case in all_cases()]


TEXTS = own_texts()


def comments_of(text: str) -> list[str]:
    tokens = scan(text)
    return sorted(token.strip() for token in tokens.texts if token.startswith("#"))


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("seed", range(40))
def test_any_layout_gets_a_stable_form_that_says_the_same(seed: int, kind: Kind) -> None:
    chance = random.Random(f"{seed} {kind}")
    text = mutated(chance.choice(TEXTS), chance)
    formatted = format_text(text, kind)
    assert format_text(formatted, kind) == formatted
    if not re.search(r'"\\d"|a\\\.b', text):
        assert meaning(formatted, kind) == meaning(text, kind)
    joined = "\n".join(comments_of(formatted))
    assert [comment for comment in comments_of(text) if comment not in joined] == []


@pytest.mark.parametrize("case", all_cases(), ids=[case.name for case in all_cases()])
def test_a_golden_case_says_the_same_before_and_after(case: Case) -> None:
    if "without meaning" not in case.name:
        assert meaning(case.formatted, case.kind) == meaning(case.text, case.kind)
