"""Who may depend on a target."""

import pytest

from mlbuild.terms import Label
from mlbuild.terms.visibility import is_visible

TARGET = Label("", "lib", "x")


@pytest.mark.parametrize(
    ("visibility", "viewer", "expected"),
    [
        ("//visibility:private", Label("", "lib", "y"), True),
        ("//visibility:private", Label("", "app", "y"), False),
        ("//visibility:public", Label("", "app", "y"), True),
        ("//app:__pkg__", Label("", "app", "y"), True),
        ("//app:__pkg__", Label("", "app/inner", "y"), False),
        ("//app:__subpackages__", Label("", "app/inner", "y"), True),
        ("//app:__subpackages__", Label("", "application", "y"), False),
        ("//:__subpackages__", Label("", "anything", "y"), True),
        ("//app:__pkg__", Label("other", "app", "y"), False),
    ],
)
def test_who_sees_a_target(visibility: str, viewer: Label, expected: bool) -> None:
    assert is_visible((visibility,), TARGET, viewer) is expected
