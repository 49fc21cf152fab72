from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[3] / "rules/python/tools/member.py"


def read(archive: Path, name: str) -> tuple[int, bytes, str]:
    """(exit code, what was written, what was said)."""
    output = archive.parent / "output"
    command = [sys.executable, str(TOOL), str(archive), name, str(output)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return done.returncode, output.read_bytes() if output.exists() else b"", done.stderr


def a_zip(folder: Path, *members: tuple[str, str]) -> Path:
    with zipfile.ZipFile(folder / "archive", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members:
            archive.writestr(name, text)
    return folder / "archive"


def a_tar(folder: Path, *members: tarfile.TarInfo, mode: str = "w:gz") -> Path:
    with tarfile.open(folder / "archive", mode) as archive:  # type: ignore[call-overload]
        for member in members:
            member.size = 5 if member.isreg() else 0
            archive.addfile(member, io.BytesIO(b"hello") if member.isreg() else None)
    return folder / "archive"


def entry(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def test_one_member_of_a_wheel_is_read(tmp_path: Path) -> None:
    assert read(a_zip(tmp_path, ("data/f.csv", "hello"), ("g", "no")), "data/f.csv") == (0, b"hello", "")


@pytest.mark.parametrize("mode", ["w:gz", "w:bz2", "w:xz", "w"])
def test_one_member_of_a_tar_is_read(tmp_path: Path, mode: str) -> None:
    assert read(a_tar(tmp_path, entry("p-1.0/f.csv"), mode=mode), "p-1.0/f.csv") == (0, b"hello", "")


def test_a_name_that_leads_out_is_only_a_name(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    archive = a_zip(tmp_path / "in", ("../escaped", "x"))
    assert read(archive, "../escaped")[:2] == (0, b"x")
    assert not (tmp_path / "escaped").exists()


def test_near_names_are_said_when_there_is_no_such_member(tmp_path: Path) -> None:
    code, _, said = read(a_zip(tmp_path, ("pkg/data/flights.csv.gz", ""), ("pkg/x.py", "")), "data/flights.csv.gz")
    assert code == 1
    assert said == "error: the archive has no `data/flights.csv.gz`; near to it are `pkg/data/flights.csv.gz`\n"


@pytest.mark.parametrize(
    "member", [entry("x", tarfile.SYMTYPE, "/etc/passwd"), entry("x", tarfile.LNKTYPE, "y"), entry("x", tarfile.DIRTYPE), entry("x", tarfile.FIFOTYPE)]
)  # fmt: skip
def test_only_ordinary_files_are_read(tmp_path: Path, member: tarfile.TarInfo) -> None:
    assert read(a_tar(tmp_path, member), "x") == (1, b"", "error: `x` is no ordinary file in the archive\n")


def test_a_name_that_stands_twice_is_refused(tmp_path: Path) -> None:
    code, written, said = read(a_tar(tmp_path, entry("x"), entry("x")), "x")
    assert (code, written) == (1, b"")
    assert said == "error: the archive has `x` 2 times: nobody can say which is meant\n"


def test_what_is_no_archive_is_said(tmp_path: Path) -> None:
    (tmp_path / "archive").write_text("hello")
    assert read(tmp_path / "archive", "x")[2] == "error: it is neither a wheel (zip) nor a tar file\n"


def test_a_broken_archive_is_said_without_a_traceback(tmp_path: Path) -> None:
    archive = a_zip(tmp_path, ("x", "hello" * 100))
    content = bytearray(archive.read_bytes())
    content[40] ^= 0xFF
    archive.write_bytes(content)
    code, _, said = read(archive, "x")
    assert code == 1
    assert said.startswith("error: the archive is broken: ")
