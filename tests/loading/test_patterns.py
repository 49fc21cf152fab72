"""How target patterns are read."""

import pytest

from mlbuild.diagnostics import ExitCode, UserError
from mlbuild.loading.patterns import Pattern, Scope, parse_pattern
from mlbuild.terms import BadLabel, Label


def read(text: str, folder: str = "") -> tuple[str, Scope, bool, bool]:
    pattern: Pattern = parse_pattern(text, folder)
    return str(pattern.label), pattern.scope, pattern.is_recursive, pattern.is_subtracted


def test_one_target() -> None:
    assert read("//a:b") == ("//a:b", Scope.ONE, False, False)
    assert read("//a") == ("//a:a", Scope.ONE, False, False)
    assert read("@mlbuild//rules/shell:host") == ("@mlbuild//rules/shell:host", Scope.ONE, False, False)


def test_whole_packages_and_trees() -> None:
    assert read("//a:all") == ("//a:all", Scope.RULES, False, False)
    assert read("//a:*") == ("//a:all", Scope.EVERYTHING, False, False)
    assert read("//a/...") == ("//a:all", Scope.RULES, True, False)
    assert read("//...") == ("//:all", Scope.RULES, True, False)
    assert read("//a/...:*") == ("//a:all", Scope.EVERYTHING, True, False)


def test_a_minus_subtracts() -> None:
    assert read("-//a:b") == ("//a:b", Scope.ONE, False, True)


def test_relative_patterns_begin_in_the_folder_where_one_stands() -> None:
    assert read(":b", "a/c") == ("//a/c:b", Scope.ONE, False, False)
    assert read("d:b", "a") == ("//a/d:b", Scope.ONE, False, False)
    assert read("...", "a") == ("//a:all", Scope.RULES, True, False)
    assert read("c/...", "a") == ("//a/c:all", Scope.RULES, True, False)


@pytest.mark.parametrize("text", ["//a:b:c", "//a/...:b", "//a/../b"])
def test_what_is_no_pattern_is_an_error_of_the_command_line(text: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_pattern(text)
    assert caught.value.exit_code is ExitCode.COMMAND_LINE
    assert caught.value.diagnostics[0].code == "bad-pattern"


def test_labels_are_values() -> None:
    assert parse_pattern("//a:b").label == Label("", "a", "b")


def test_a_repository_alone_is_its_target_of_that_name() -> None:
    assert Label.parse("@tools") == Label("tools", "", "tools")


@pytest.mark.parametrize("text", ["@tools:x", "@tools/x", "@"])
def test_a_repository_with_half_a_label_is_none(text: str) -> None:
    with pytest.raises(BadLabel):
        Label.parse(text)
