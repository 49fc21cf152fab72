"""JUnit XML of test targets."""

import xml.etree.ElementTree as ET

from mlbuild.execution.junit import junit_xml
from mlbuild.execution.outcome import TestOutcome
from mlbuild.terms import Label


def test_a_failed_case_says_so_and_keeps_its_log_readable() -> None:
    log = b'a < b & "c"\x00\xff\n'
    suite = ET.fromstring(junit_xml(Label.parse("//p:t"), (TestOutcome(False, False, False, 0.25, log),)))[0]
    assert suite.attrib == {"name": "//p:t", "tests": "1", "failures": "1", "errors": "0"}
    case = suite[0]
    assert case.attrib == {"name": "//p:t", "classname": "p", "time": "0.250"}
    assert case[0].attrib == {"message": "failed"}
    assert case[1].text == 'a < b & "c"\ufffd\ufffd\n'


def test_each_of_several_actions_is_a_case() -> None:
    outcomes = (TestOutcome(True, True, False, 0.0, b""), TestOutcome(False, False, True, 1.0, b""))
    suite = ET.fromstring(junit_xml(Label.parse("//p:t"), outcomes))[0]
    assert [case.get("name") for case in suite] == ["//p:t 1", "//p:t 2"]
    failure = suite[1].find("failure")
    assert failure is not None and failure.get("message") == "timed out"
