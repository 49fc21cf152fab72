"""Runs a test file: by pytest when it defines tests, else as a script. Leaves a log and JUnit XML, free of times.

test_main.py LOG XML FILE... [-- ARGUMENTS]

The first file is the test; it is not ours, so it runs in a child process and cannot end this one.
"""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import runpy
import sys
import xml.etree.ElementTree as ElementTree

NO_TESTS = 5


def main(log: str, report: str, files: list[str], arguments: list[str]) -> int:
    tests = [path for path in files if defines_tests(path)]
    has_pytest = importlib.util.find_spec("pytest") is not None
    if tests and not has_pytest and not all(is_script(path) for path in tests):
        text = (
            f"error: `{tests[0]}` defines tests, and the environment has no pytest: add `pytest` to its requirements\n"
        )
        with open(log, "w", encoding="utf-8") as file:  # noqa: PTH123
            file.write(text)
        write_report(report, files[0], 1, text)
        sys.stdout.write(text)
        return 1
    is_pytest = bool(tests) and has_pytest
    status = in_child(log, lambda: by_pytest(tests, report, arguments) if is_pytest else as_script(files[0], arguments))
    with open(log, encoding="utf-8", errors="replace") as file:  # noqa: PTH123
        text = file.read()
    if is_pytest:
        text = without_times(text)
    if is_pytest and status == NO_TESTS:
        text += "error: no test was collected\n"
    with open(log, "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write(text)
    if not is_pytest or not normalised(report):
        write_report(report, files[0], status, text)
    sys.stdout.write(text)
    return min(status, 125) if status >= 0 else 128 - status


def defines_tests(path: str) -> bool:
    """Whether pytest would find something in it: functions `test…`, classes `Test…`, subclasses of a `TestCase`."""
    return any(
        (isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test"))
        or (isinstance(node, ast.ClassDef) and (node.name.startswith("Test") or any(map(is_test_case, node.bases))))
        for node in parsed(path)
    )


def is_script(path: str) -> bool:
    """Whether it does something when it is run: `if __name__ == "__main__":`."""
    return any(isinstance(node, ast.If) and "__main__" in ast.dump(node.test) for node in parsed(path))


def parsed(path: str) -> list[ast.stmt]:
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            return ast.parse(file.read(), path).body
    except (SyntaxError, ValueError):
        return []  # running it will say so, with the place


def is_test_case(base: ast.expr) -> bool:
    name = base.attr if isinstance(base, ast.Attribute) else base.id if isinstance(base, ast.Name) else ""
    return name.endswith("TestCase")


def by_pytest(tests: list[str], report: str, arguments: list[str]) -> int:
    import pytest

    options = [
        "-q",
        "--color=no",
        "-p",
        "no:cacheprovider",
        "--rootdir=.",
        "--import-mode=importlib",
        f"--junitxml={report}",
    ]
    return int(pytest.main([*options, *arguments, *tests]))


def as_script(path: str, arguments: list[str]) -> int:
    sys.argv = [path, *arguments]
    sys.path[0] = os.path.dirname(path)
    runpy.run_path(path, run_name="__main__")
    return 0


def in_child(log: str, run: object) -> int:
    """The exit code of `run`, or minus the signal that ended it; all that it writes goes to the log."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    status = 1
    try:
        target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o644)
        os.dup2(target, 1)
        os.dup2(target, 2)
        status = run()  # type: ignore[operator]
    except SystemExit as error:
        status = exit_code(error)
    except BaseException as error:
        print_from_user_code(error)
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(status)


def print_from_user_code(error: BaseException) -> None:
    """The traceback without the frames of this file and of `runpy`, which stand first."""
    import traceback

    frame = error.__traceback__
    while frame is not None and (
        os.path.isabs(name := frame.tb_frame.f_code.co_filename) or name.startswith("<frozen")
    ):
        frame = frame.tb_next
    traceback.print_exception(type(error), error, frame or error.__traceback__)


def exit_code(error: SystemExit) -> int:
    if error.code is None:
        return 0
    if isinstance(error.code, int):
        return error.code & 0xFF
    print(error.code, file=sys.stderr)
    return 1


def without_times(log: str) -> str:
    """How long pytest took is not what the test says: two runs must leave the same log."""
    return re.sub(
        r"(?m)^(.*\b(?:passed|failed|error|errors|skipped|deselected|xfailed|xpassed|warnings?|ran)\b.*?) in [\d.]+s(?: \([\d:]+\))?",
        r"\1",
        log,
    )


def normalised(report: str) -> bool:
    """Takes times and names of the machine out of pytest's report; says whether there is one."""
    try:
        document = ElementTree.parse(report)
    except (OSError, ElementTree.ParseError):
        return False
    for element in document.iter():
        for name in ("timestamp", "hostname"):
            element.attrib.pop(name, None)
        if "time" in element.attrib:
            element.attrib["time"] = "0"
    document.write(report, encoding="utf-8", xml_declaration=True)
    return True


def write_report(report: str, name: str, status: int, log: str) -> None:
    failed = status != 0
    suites = ElementTree.Element("testsuites")
    counts = {"tests": "1", "failures": str(int(failed)), "errors": "0", "skipped": "0"}
    suite = ElementTree.SubElement(suites, "testsuite", {"name": name, **counts, "time": "0"})
    case = ElementTree.SubElement(suite, "testcase", {"classname": name, "name": name, "time": "0"})
    printable = re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "?", log)
    if failed:
        what = f"exit code {status}" if status > 0 else f"ended by signal {-status}"
        ElementTree.SubElement(case, "failure", {"message": what}).text = printable
    else:
        ElementTree.SubElement(case, "system-out").text = printable
    ElementTree.ElementTree(suites).write(report, encoding="utf-8", xml_declaration=True)


if __name__ == "__main__":
    words = sys.argv[1:]
    split = words.index("--") if "--" in words else len(words)
    sys.exit(main(words[0], words[1], words[2:split], words[split + 1 :]))
