"""Locks end with their process; nobody removes one by hand."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mlbuild.diagnostics import ExitCode, UserError
from mlbuild.files.locks import WorkspaceLock

HOLD = """
import sys
from pathlib import Path
from mlbuild.files.locks import WorkspaceLock
with WorkspaceLock(Path(sys.argv[1]), block=False):
    print("held", flush=True)
    sys.stdin.read()
"""


def hold(path: Path) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    return process


def end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_a_lock_that_is_held_names_its_holder(tmp_path: Path) -> None:
    process = hold(tmp_path / "lock")
    try:
        with pytest.raises(UserError) as caught, WorkspaceLock(tmp_path / "lock", block=False):
            pass
    finally:
        end(process)
    assert caught.value.exit_code is ExitCode.LOCK_HELD
    assert caught.value.diagnostics[0].code == "lock-held"
    assert caught.value.diagnostics[0].message == (
        f"another mlbuild command is at work in this workspace (process {process.pid})"
    )


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    end(hold(tmp_path / "lock"))
    with WorkspaceLock(tmp_path / "lock", block=False):
        assert (tmp_path / "lock").read_text() == str(os.getpid())


def test_a_lock_can_be_waited_for_and_says_so(tmp_path: Path) -> None:
    process = hold(tmp_path / "lock")
    said: list[str] = []

    def note(line: str) -> None:
        said.append(line)
        end(process)

    with WorkspaceLock(tmp_path / "lock", block=True, on_wait=note):
        pass
    assert said == [f"another mlbuild command is at work in this workspace (process {process.pid}): waiting"]


def test_a_lock_can_be_taken_again(tmp_path: Path) -> None:
    lock = WorkspaceLock(tmp_path / "lock", block=False)
    for _ in range(2):
        with lock:
            pass


def test_a_lock_file_removed_by_its_holder_does_not_let_two_in(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    waiting = threading.Event()
    entered = threading.Event()

    def wait() -> None:
        with WorkspaceLock(path, block=True, on_wait=lambda _: waiting.set()):
            entered.set()
            with pytest.raises(UserError), WorkspaceLock(path, block=False):
                pass

    with WorkspaceLock(path, block=True):
        thread = threading.Thread(target=wait)
        thread.start()
        assert waiting.wait(10)
        path.unlink()
    thread.join(10)
    assert entered.is_set()
    assert path.exists()


def test_a_link_in_the_place_of_the_lock_is_not_written(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("text")
    (tmp_path / "lock").symlink_to(tmp_path / "precious")
    with pytest.raises(UserError) as caught, WorkspaceLock(tmp_path / "lock", block=True):
        pass
    assert caught.value.diagnostics[0].code == "lock-unusable"
    assert (tmp_path / "precious").read_text() == "text"
