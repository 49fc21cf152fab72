"""What a failed action should have declared."""

import time

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


def test_an_input_that_was_to_be_written_is_named() -> None:
    written = "inputs are read-only (`in.txt`): write to a declared output or to a file under `/tmp`"
    assert hint(": 1: cannot create in.txt: Permission denied", declared=("in.txt",)) == (written,)
    assert hint("PermissionError: [Errno 13] Permission denied: 'in.txt'", declared=("in.txt",)) == (written,)
    assert hint(": 1: cannot create secret: Permission denied", declared=("in.txt",)) == ()


def test_a_log_of_one_endless_word_is_read_at_once() -> None:
    began = time.process_time()
    assert hint("x" * 20_000_000 + ": no") == ()
    assert time.process_time() - began < 2


def test_a_file_of_the_root_package_is_named_as_its_targets_name_it() -> None:
    log = "cat: missing.txt: No such file or directory"
    (only,) = hints(log, Label.parse("//:t"), (), lambda path: path == "missing.txt", "/home/ada/flights")
    assert 'add "missing.txt" to its' in only


def test_a_library_of_the_system_is_named_with_where_to_declare_it() -> None:
    log = "ImportError: libGL.so.1: cannot open shared object file: No such file or directory\n"
    assert hint(log) == (
        "`libGL.so.1` is a library of the system, which no package brings along: name it in `libraries` of the `py_env`, and it is "
        "taken from the machine that builds",
    )
