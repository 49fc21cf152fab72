from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[3] / "rules/python/tools/test_main.py"


class Ran:
    """What came of a test."""

    def __init__(self, folder: Path, text: str, *arguments: str, flags: tuple[str, ...] = ()) -> None:
        (folder / "check_it.py").write_text(text)
        command = [sys.executable, "-s", "-B", *flags, str(TOOL), "log", "xml", "check_it.py", "--", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=folder)
        self.code = done.returncode
        self.shown = done.stdout
        self.log = (folder / "log").read_text()
        self.xml = (folder / "xml").read_text()
        self.cases = ElementTree.fromstring(self.xml).findall(".//testcase")
        self.failed = [case.get("name") for case in self.cases if case.find("failure") is not None]


def test_a_file_with_test_functions_is_run_by_pytest(tmp_path: Path) -> None:
    ran = Ran(tmp_path, "def test_a():\n    assert True\ndef test_b():\n    assert 1 == 2\n")
    assert ran.code == 1
    assert [case.get("name") for case in ran.cases] == ["test_a", "test_b"]
    assert ran.failed == ["test_b"]
    assert "assert 1 == 2" in ran.log
    assert ran.shown == ran.log


def test_a_test_case_class_is_run_by_pytest(tmp_path: Path) -> None:
    ran = Ran(tmp_path, "import unittest\nclass Checks(unittest.TestCase):\n    def test_it(self):\n        pass\n")
    assert ran.code == 0
    assert len(ran.cases) == 1


def test_any_other_file_is_run_as_a_script(tmp_path: Path) -> None:
    ran = Ran(tmp_path, "import sys\nprint('hello', sys.argv[1:], __name__)\n", "x", "y")
    assert (ran.code, ran.log, ran.failed) == (0, "hello ['x', 'y'] __main__\n", [])


@pytest.mark.parametrize(
    ("text", "code"),
    [("import sys; sys.exit(3)", 3), ("import sys; sys.exit('no')", 1), ("1/0", 1), ("import os; os._exit(4)", 4),
     ("import os; os.kill(os.getpid(), 9)", 137), ("import os; os.close(1); os.close(2); raise SystemExit(5)", 5)],
)  # fmt: skip
def test_whatever_ends_a_script_there_is_a_log_and_a_report(tmp_path: Path, text: str, code: int) -> None:
    ran = Ran(tmp_path, text)
    assert ran.code == code
    assert ran.failed == ["check_it.py"]


def test_two_runs_leave_the_same_files(tmp_path: Path) -> None:
    text = "import time\ndef test_a(tmp_path):\n    time.sleep(0.02)\ndef test_b():\n    assert [1] == [2]\n"
    one, other = (Ran(tmp_path, text) for _ in range(2))
    assert one.xml == other.xml
    assert one.log == other.log
    assert "timestamp" not in one.xml


def test_tests_without_pytest_in_the_environment_do_not_pass_unseen(tmp_path: Path) -> None:
    ran = Ran(tmp_path, "def test_a():\n    pass\n", flags=("-S",))
    assert ran.code == 1
    assert ran.log == (
        "error: `check_it.py` defines tests, and the environment has no pytest: add `pytest` to its requirements\n"
    )


def test_a_file_whose_tests_are_all_deselected_fails(tmp_path: Path) -> None:
    ran = Ran(tmp_path, "def test_a():\n    pass\n", "-k", "nothing")
    assert ran.code == 5
    assert ran.log.endswith("error: no test was collected\n")


def test_control_characters_in_a_log_do_not_break_the_report(tmp_path: Path) -> None:
    ran = Ran(tmp_path, "print('\\x00\\x1b[31m\\ud800'.encode('utf-8', 'surrogatepass'))\nprint('\\x07')\n")
    assert ran.code == 0
    assert len(ran.cases) == 1


def test_the_traceback_of_a_script_begins_in_the_script(tmp_path: Path) -> None:
    ran = Ran(tmp_path, "1 / 0\n")
    assert ran.log.splitlines()[:2] == [
        "Traceback (most recent call last):",
        '  File "check_it.py", line 1, in <module>',
    ]
