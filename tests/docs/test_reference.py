"""The reference pages are what the code says."""

from __future__ import annotations

import pytest

from docs import make_reference
from docs.made import errors, rules
from mlbuild.lang.runtime.signatures import signature, value

PAGES = make_reference.pages()


@pytest.mark.parametrize("path", PAGES)
def test_a_page_made_from_code_is_up_to_date(path: str) -> None:
    written = (make_reference.ROOT / path).read_text(encoding="utf-8")
    assert written == PAGES[path], "run `python -m docs.make_reference`"


def test_rules_are_shown_as_their_macros_take_them() -> None:
    features = rules.documented(make_reference.ROOT / "rules")["features"]
    kinds = {each.name: each.kind for each in features.attributes}
    assert (kinds["fn"], kinds["fit"], kinds["data"]) == ("function", "function", "label_list")
    assert "function" not in kinds and not any(name.startswith("_") for name in kinds)


def test_errors_are_found_wherever_they_are_made() -> None:
    found = {each.code: each for each in errors.messages(make_reference.ROOT)}
    assert {"glob-matches-nothing", "no-sandbox", "contract-broken", "not-starlark"} <= found.keys()


def test_a_signature_is_written_as_starlark_has_it() -> None:
    def function(thread, a, /, b=(), *, c="x", d=None, **rest): ...  # type: ignore[no-untyped-def]

    assert signature("f", function) == 'f(a, /, b = [], *, c = "x", d = None, **rest)'
    assert value(["", "\t"]) == '["", "\\t"]'
