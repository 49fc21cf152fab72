"""The tiny programs that we write ourselves, run on this machine."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from mlbuild.sandbox.starter import nothing, starter

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in {"x86_64", "aarch64"}, reason="not for this machine"
)


def run(tmp_path, program: bytes) -> subprocess.CompletedProcess[bytes]:
    path = tmp_path / "program"
    path.write_bytes(program)
    path.chmod(0o755)
    return subprocess.run([path], capture_output=True, env={"HOST": "secret"}, cwd=tmp_path)


def test_nothing_ends_well(tmp_path):
    result = run(tmp_path, nothing(platform.machine()))
    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")


def test_a_starter_gives_the_command_line_and_environment_it_holds(tmp_path):
    words = ["/bin/sh", "-c", 'printf "%s|" "$0" "$@"; env', "zero", "", "zwei zwei", "dr\u00e9i"]
    result = run(tmp_path, starter(platform.machine(), words, (("A", "1"), ("B", ""))))
    first, _, environment = result.stdout.rpartition(b"|")
    assert first.decode() == "zero||zwei zwei|dr\u00e9i"
    assert {line for line in environment.split() if not line.startswith((b"PWD=", b"_=", b"SHLVL=", b"OLDPWD"))} == {
        b"A=1",
        b"B=",
    }


def test_a_starter_whose_program_is_missing_says_so(tmp_path):
    result = run(tmp_path, starter(platform.machine(), ["./none"], ()))
    assert (result.returncode, result.stderr) == (
        127,
        b"mlbuild: the command cannot be started: not found, not a program, or too long\n",
    )


def test_the_code_for_aarch64_is_as_written_by_hand():
    # movz/movk x0, 0; movz/movk x8, 94; svc 0
    assert nothing("aarch64")[120:].hex() == "000080d20000a0f2c80b80d20800a0f2010000d4"
