"""What ends a command from outside."""

import signal
import subprocess
import sys

import pytest

from mlbuild.cli import ending
from mlbuild.session.deferring import uninterrupted


def test_a_second_signal_does_not_disturb_what_the_first_has_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(ending.time, "monotonic", lambda: now[0])
    handler = ending.Ending()
    with pytest.raises(KeyboardInterrupt):
        handler(signal.SIGINT, None)
    handler(signal.SIGINT, None)
    now[0] += ending.SETTLING + 0.1
    with pytest.raises(KeyboardInterrupt):
        handler(signal.SIGTERM, None)


def test_a_signal_waits_for_work_that_must_not_be_interrupted() -> None:
    done: list[str] = []
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), uninterrupted():
        signal.raise_signal(signal.SIGINT)
        done.append("all of it")
    assert done == ["all of it"]
    assert signal.getsignal(signal.SIGINT) is before


def test_a_signal_that_python_cannot_raise_where_it_comes_ends_the_command_all_the_same() -> None:
    """In a destructor an exception is printed, and what runs goes on."""
    program = """
import os, signal, sys, time
from mlbuild.cli.ending import listen
listen()
class Held:
    def __del__(self):
        signal.raise_signal(signal.SIGTERM)
        len("the handler has run")
try:
    Held()
    os.write(1, b"goes on\\n")
    time.sleep(20)
except KeyboardInterrupt:
    print("interrupted")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=15)
    assert (done.stdout, done.stderr, done.returncode) == ("goes on\ninterrupted\n", "", 0)
