"""The published suites: what differs is exactly what `differences.json` explains, and the recorded figures are these.

Bazel's suite comes from the package index. The others run where `MLBUILD_STARLARK_SUITES` names a folder with clones of their repositories;
elsewhere each test is skipped and says how to get them.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from tests.lang.suite_chunks import Style, chunks, official, quoted, run_files
from tests.lang.suite_rust import unit_tests
from tests.lang.suites import RESULTS, SUITES, figures, verdicts

DIFFERENCES = json.loads(Path(__file__).with_name("differences.json").read_text())
JAVA = Style(official("java"), judges_messages=True)
GO = Style(quoted, modules=True)


@pytest.mark.parametrize("name", SUITES)
def test_what_differs_is_exactly_what_is_explained(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    found = verdicts(name, tmp_path_factory.mktemp(name))
    differences, explained = found.all_differences(), DIFFERENCES["cases"][name]
    assert {case: said for case, said in differences.items() if case not in explained} == {}
    assert sorted(set(explained) - set(differences)) == [], "explained, and no longer different"
    assert figures(found) == json.loads(RESULTS.read_text())["suites"][name]


def test_every_reason_is_some_case_s_and_every_case_has_a_reason() -> None:
    used = Counter(reason for cases in DIFFERENCES["cases"].values() for reason in cases.values())
    assert sorted(used) == sorted(DIFFERENCES["reasons"])
    assert list(DIFFERENCES["cases"]) == list(SUITES)


# The runner itself: it must see what is wrong.
def test_an_assertion_that_does_not_hold_is_a_difference() -> None:
    found = run_files({"a.star": "assert_eq(1, 1)\n\nassert_eq(1, 2)\n"}, JAVA)
    assert found.cases == {"a.star:1", "a.star:3"}
    assert found.differences == {"a.star:3": "1 != 2"}


def test_a_statement_that_fails_is_one_difference_and_what_follows_is_judged() -> None:
    text = "x = [][0]\nassert_eq(x, None)\nassert_eq(2, 3)\n---\nassert_(True)\n"
    found = run_files({"a.star": text}, JAVA)
    assert found.cases == {"a.star:1", "a.star:2", "a.star:3", "a.star:5"}
    assert sorted(found.differences) == ["a.star:1", "a.star:3"]


def test_a_statement_that_cannot_be_read_costs_only_itself() -> None:
    found = run_files({"a.star": 'x = [\n  "\\360",\n]\ny = 1 +\nassert_eq(x, None)\nassert_eq(2, 3)\n'}, JAVA)
    assert sorted(found.differences) == ["a.star:2", "a.star:4", "a.star:6"]


def test_an_expected_error_is_judged_by_its_message_and_its_line() -> None:
    text = "x = 1\n[][0] ### out of range\n---\n[][0] ### no such thing\n---\nx = 1 ### anything\n---\ny = [\n][0]\nz = 1 ### out of range\n"
    found = run_files({"a.star": text}, JAVA)
    assert found.cases == found.errors == {"a.star:2", "a.star:4", "a.star:6", "a.star:10"}
    assert list(found.messages) == ["a.star:4"]
    assert list(found.differences) == ["a.star:6"]
    assert list(found.lines) == ["a.star:10"]


def test_the_mark_of_another_implementation_expects_nothing() -> None:
    found = run_files({"a.star": "assert_(True) ### go: never\n"}, JAVA)
    assert (found.cases, found.differences) == ({"a.star:1"}, {})


def test_a_failure_that_is_expected_of_a_function_is_judged_by_its_message() -> None:
    text = 'assert_fails(lambda: [][0], "out of range")\nassert_fails(lambda: [][0], "other")\nassert_fails(lambda: 1, "x")\n'
    found = run_files({"a.star": text}, JAVA)
    assert list(found.messages) == ["a.star:2"]
    assert list(found.differences) == ["a.star:3"]


def test_chunks_of_starlark_go_load_their_assertions_and_choose_their_options() -> None:
    text = 'load("assert.star", "assert")\n# option:toplevelcontrol\nfor x in [1, 2]:\n  assert.eq(x, 1) # two turns\n'
    assert run_files({"a.star": text}, GO).differences == {"a.star:4": "2 != 1"}
    assert [line for line, _ in chunks("a\n---\nb\n---\nc\n")] == [1, 3, 5]


def test_programs_are_read_out_of_rust() -> None:
    text = (
        'assert::eq("1 + 1", "2");\nassert::is_true("x = 1; x == 2");\nassert::all_true(r#"\n1 == 1\n1 == 2\n"#);\n'
        'assert::fail("1 + 1", "message");\nassert::pass("x = [\\n1]\\ny = x");\nassert::eq(computed, "2");\n'
        'assert::eq("record()", "1");\n'
    )
    found = unit_tests({"a.rs": text})
    assert found.cases == {"a.rs:1", "a.rs:2", "a.rs:3:1", "a.rs:3:2", "a.rs:7", "a.rs:8"}
    assert sorted(found.differences) == ["a.rs:2", "a.rs:3:2", "a.rs:7"]
    assert found.skipped == {"library extensions": 1}
