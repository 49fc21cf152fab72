"""The command as a process, in surroundings that lack something: a right answer or one clear message, never a traceback."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from mlbuild.config import build_request

REPOSITORY = Path(__file__).parents[2]
MLBUILD = (sys.executable, "-P", "-m", "mlbuild")


def may_unshare(*namespaces: str) -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run(["unshare", *namespaces, "true"], capture_output=True, timeout=30).returncode == 0


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "WORKSPACE.ml").write_text('workspace(name = "process")\n')
    (folder / "BUILD.ml").write_text('filegroup(name = "group", srcs = ["file.txt"])\n')
    (folder / "file.txt").write_text("file\n")
    return folder


def environ(workspace: Path, **more: str) -> Mapping[str, str]:
    home = str(workspace.parent)
    return {"HOME": home, "PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY), "LANG": "C.UTF-8", **more}


def ended(command: str, workspace: Path, **more: str) -> tuple[int, str]:
    """A shell line in the workspace, with `$mlbuild` as the command; its code, and what it says on stderr."""
    done = subprocess.run(
        ["bash", "-c", command.replace("$mlbuild", " ".join(MLBUILD))], cwd=workspace, env=environ(workspace, **more),
        capture_output=True, timeout=60,
    )  # fmt: skip
    said = done.stderr.decode("utf-8", "backslashreplace")
    assert "Traceback" not in said and "Exception ignored" not in said, said
    return done.returncode, said


def test_a_reader_that_has_had_enough_is_no_failure(workspace: Path) -> None:
    assert ended("set -o pipefail; $mlbuild help build | head -1", workspace) == (0, "")
    assert ended("{ sleep 0.1; $mlbuild help; } | true; exit ${PIPESTATUS[0]}", workspace) == (0, "")


def test_a_full_disk_behind_stdout_is_said(workspace: Path) -> None:
    code, said = ended("$mlbuild info > /dev/full", workspace)
    assert (code, "full" in said or "could not be written" in said) == (36, True)


def test_closed_streams_harm_nothing(workspace: Path) -> None:
    assert ended("$mlbuild version >&- 2>&- <&-", workspace)[0] == 0
    assert ended("$mlbuild build //:group 2>&-", workspace)[0] == 0
    assert ended("$mlbuild build //:nothing >&- 2>&-", workspace)[0] == 1


def test_a_folder_that_is_gone_is_said(workspace: Path) -> None:
    code, said = ended("mkdir gone; cd gone; rmdir ../gone; $mlbuild build //...", workspace)
    assert (code, said.partition("\n")[0]) == (
        36, "error[no-folder]: the folder that you stand in has been deleted",
    )  # fmt: skip


@pytest.mark.parametrize("locale", ["C", "POSIX", "xx_XX.nothing"])
def test_any_locale_will_do(workspace: Path, locale: str) -> None:
    (workspace / "BUILD.ml").write_text('filegroup(name = "größe")\n', encoding="utf-8")
    plain = f"PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 LANG={locale} LC_ALL={locale} $mlbuild"
    assert ended(f"{plain} help build", workspace) == (0, "")
    code, said = ended(f"{plain} build //:group", workspace)
    assert (code, "BUILD.ml:1:1: error[bad-name]" in said) == (1, True)


def test_arguments_that_are_no_text_are_shown_as_what_they_are(workspace: Path) -> None:
    code, said = ended(r"$mlbuild build $'//:a\xff\xfeb\x1b[31m'", workspace)
    assert code in (1, 2)
    assert "\x1b" not in said and said.startswith("error[")


def test_many_arguments_are_read_in_no_time(workspace: Path) -> None:
    request = build_request(("build", *["//x"] * 100_000, "--jobs=2"), {"HOME": str(workspace)}, workspace)
    assert (len(request.words), request.jobs) == (100_000, 2)


def test_a_command_that_may_not_wait_ends_with_9_while_another_is_at_work(workspace: Path) -> None:
    request = build_request(("build",), environ(workspace), workspace)
    request.state_folder.mkdir(parents=True)
    with (request.state_folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        code, said = ended("$mlbuild build //:group --noblock_for_lock", workspace)
    assert (code, said.startswith("error[lock-held]: another mlbuild command is at work")) == (9, True)


def test_doctor_needs_no_workspace(tmp_path: Path, workspace: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = subprocess.run(
        [*MLBUILD, "doctor"], cwd=elsewhere, env=environ(workspace), capture_output=True, text=True, timeout=60
    )
    assert "sandbox: " in done.stdout
    assert done.returncode in (0, 36), done.stderr


@pytest.mark.skipif(not may_unshare("--mount"), reason="mounts a small disk")
def test_a_full_cache_disk_is_said_and_nothing_wrong_is_kept(workspace: Path) -> None:
    (workspace / "BUILD.ml").write_text('genrule(name = "big", srcs = ["big.bin"], outs = ["x"], cmd = "cp $< $@")\n')
    (workspace / "big.bin").write_bytes(bytes(range(256)) * 65536)
    script = 'mkdir ../disk && mount -t tmpfs -o size=20m none ../disk && exec "$@"'
    command = ("unshare", "--mount", "sh", "-c", script, "sh", *MLBUILD, "build", "//:big", "--disk_cache=../disk/c")
    done = subprocess.run(command, cwd=workspace, env=environ(workspace), capture_output=True, text=True, timeout=120)
    assert (done.returncode, "Traceback" in done.stderr) == (36, False), done.stderr
    assert "disk" in done.stderr and "full" in done.stderr


@pytest.mark.skipif(not may_unshare("--user", "--map-root-user"), reason="user namespaces are needed to take them away")
def test_a_machine_without_user_namespaces_is_told_so(workspace: Path) -> None:
    (workspace / "BUILD.ml").write_text('genrule(name = "text", outs = ["text.txt"], cmd = "echo hello > $@")\n')
    script = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
    command = ("unshare", "--user", "--map-root-user", "sh", "-c", script, "sh", *MLBUILD, "build", "//:text")
    done = subprocess.run(command, cwd=workspace, env=environ(workspace), capture_output=True, text=True, timeout=120)
    assert (done.returncode, "Traceback" in done.stderr) == (36, False), done.stderr
    assert done.stderr.startswith("error[no-sandbox]: actions cannot be run hermetically on this machine: ")
