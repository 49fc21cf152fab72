"""What holds for every text: a second formatting changes nothing, the text says the same, and no comment goes."""

from __future__ import annotations

import random

import pytest

from mlbuild.lang.formatting import Kind, format_text, kind_of
from tests.lang.formatting.golden import Case, all_cases
from tests.lang.formatting.meaning import meaning
from tests.lang.formatting.mutations import mutated
from tests.lang.formatting.texts import ROOT, TEXTS, comments_of, own_files

WITHOUT_MEANING = ('"\\d"', "'a\\.b'")


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("seed", range(40))
def test_any_layout_gets_a_stable_form_that_says_the_same(seed: int, kind: Kind) -> None:
    chance = random.Random(f"{seed} {kind}")
    text = mutated(chance.choice(TEXTS), chance)
    formatted = format_text(text, kind)
    assert format_text(formatted, kind) == formatted
    if not any(escape in text for escape in WITHOUT_MEANING):
        assert meaning(formatted, kind) == meaning(text, kind)
    joined = "\n".join(comments_of(formatted))
    assert [comment for comment in comments_of(text) if comment not in joined] == []


@pytest.mark.parametrize("case", all_cases(), ids=[case.name for case in all_cases()])
def test_a_golden_case_says_the_same_before_and_after(case: Case) -> None:
    if not any(escape in case.text for escape in WITHOUT_MEANING):
        assert meaning(case.formatted, case.kind) == meaning(case.text, case.kind)


def test_our_own_files_are_formatted() -> None:
    changed = [
        str(file.relative_to(ROOT))
        for file in own_files()
        if format_text(text := file.read_text(encoding="utf-8"), kind_of(file.name)) != text
    ]
    assert changed == [], "`python -m mlbuild fmt` formats them"


@pytest.mark.parametrize("written", ["x = (1).z\n", "x = 1 .z\n"])
def test_a_field_of_a_number_stays_one(written: str) -> None:
    assert format_text(written, Kind.BUILD) == "x = 1 .z\n"
