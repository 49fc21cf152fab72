"""What is read of bubblewrap's own account of a sandbox, also where it was killed while it wrote."""

from __future__ import annotations

import pytest

from mlbuild.sandbox.spawning import SandboxOutcome

STARTED = '{ "child-pid": 7, "net-namespace": 4026532200, "pid-namespace": 4026532201 }\n'


def outcome(report: str) -> SandboxOutcome:
    return SandboxOutcome(status=-9, reason="interrupted", report=report, seconds=0.1, is_log_cut=(False, False))


def test_a_command_that_ended_has_a_code_and_namespaces() -> None:
    told = outcome(STARTED + '{ "exit-code": 3 }\n')
    assert told.exit_code == 3
    assert told.namespaces == {"net": 4026532200, "pid": 4026532201}


@pytest.mark.parametrize("end", range(len(STARTED)))
def test_one_that_was_killed_while_it_was_told_of_has_neither(end: int) -> None:
    told = outcome(STARTED[:end])
    assert told.exit_code is None
    assert told.namespaces == {}


@pytest.mark.parametrize("end", range(len('{ "exit-code": 3 }')))
def test_a_code_without_its_end_is_none(end: int) -> None:
    told = outcome(STARTED + '{ "exit-code": 3 }\n'[:end])
    assert told.exit_code is None
    assert told.namespaces == {"net": 4026532200, "pid": 4026532201}
