"""What a failed action should have declared."""

from mlbuild.execution.hints import hints
from mlbuild.terms import Label

OWNER = Label.parse("//features:route")


def hint(log: str, exists: tuple[str, ...] = (), declared: tuple[str, ...] = ()) -> tuple[str, ...]:
    return hints(log, OWNER, declared, lambda path: path in exists, "/home/ada/flights")


def test_a_workspace_file_that_is_not_declared_is_named_with_the_label_to_add() -> None:
    log = "FileNotFoundError: [Errno 2] No such file or directory: 'features/holidays.csv'"
    assert hint(log, exists=("features/holidays.csv",)) == (
        "`features/holidays.csv` exists in the workspace but is not a declared input of `//features:route`, so the "
        'action cannot see it: add "holidays.csv" to its `srcs`, `data` or `deps`',
    )


def test_a_path_relative_to_the_package_is_found_too() -> None:
    log = "FileNotFoundError: [Errno 2] No such file or directory: 'holidays.csv'"
    assert 'add "holidays.csv"' in hint(log, exists=("features/holidays.csv",))[0]


def test_an_absolute_path_into_the_workspace_is_recognised() -> None:
    log = "FileNotFoundError: [Errno 2] No such file or directory: '/home/ada/flights/data/x.csv'"
    assert 'add "//data:x.csv"' in hint(log, exists=("data/x.csv",))[0]


def test_a_host_file_cannot_be_seen() -> None:
    log = "cat: /usr/share/dict/words: No such file or directory"
    assert hint(log) == (
        "`/usr/share/dict/words` lies outside the workspace, and an action sees nothing of the host: put the file into "
        "the workspace and declare it, or fetch it with a pinned digest (`http_file`, `wheel_file`)",
    )


def test_the_network_is_not_there() -> None:
    (only,) = hint("urllib.error.URLError: <urlopen error [Errno -3] Temporary failure in name resolution>")
    assert only.startswith("actions have no network")


def test_a_file_that_an_action_makes_up_has_no_hint() -> None:
    assert hint("FileNotFoundError: [Errno 2] No such file or directory: 'model.txt'") == ()


def test_a_declared_file_has_no_hint() -> None:
    log = "cat: features/a.csv: No such file or directory"
    assert hint(log, exists=("features/a.csv",), declared=("features/a.csv",)) == ()
