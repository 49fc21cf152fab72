"""What formatting does, claim by claim: the golden cases in `cases/`."""

from __future__ import annotations

import pytest

from mlbuild.lang.formatting import format_text
from tests.lang.formatting.golden import Case, all_cases


@pytest.mark.parametrize("case", all_cases(), ids=[case.name for case in all_cases()])
def test_a_text_gets_its_one_form(case: Case) -> None:
    assert format_text(case.text, case.kind) == case.formatted


@pytest.mark.parametrize("case", all_cases(), ids=[case.name for case in all_cases()])
def test_a_formatted_text_stays_as_it_is(case: Case) -> None:
    assert format_text(case.formatted, case.kind) == case.formatted
