"""A wheel is built from source by the project's backend, with the same bytes each time; what cannot be built says why.

The program is made to work at a place of the test's own: in a sandbox it is `/tmp/source`.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[3] / "rules/python/tools/build_wheel.py"
BACKEND = """\
import os, time, zipfile
def build_wheel(folder, config_settings=None, metadata_directory=None):
    with zipfile.ZipFile(os.path.join(folder, "tiny-1.0-py3-none-any.whl"), "w") as wheel:
        for name in {names}:
            wheel.writestr(zipfile.ZipInfo(name, time.localtime()[:6]), "x")
    return "tiny-1.0-py3-none-any.whl"
"""
PROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'


def build(folder: Path, source: Path, *files: Path) -> tuple[int, bytes, str]:
    """(exit code, the wheel, what was said)."""
    tool = folder / "build_wheel.py"
    place = folder / "source"
    text = TOOL.read_text(encoding="utf-8").replace('"/tmp/source"', repr(str(place)))
    assert str(place) in text
    tool.write_text(text, encoding="utf-8")
    wheel = folder / "out.whl"
    command = [sys.executable, str(tool), str(wheel), str(source), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return done.returncode, wheel.read_bytes() if wheel.exists() else b"", done.stderr


def sdist(folder: Path, members: dict[str, str]) -> Path:
    folder.mkdir(exist_ok=True)
    with tarfile.open(folder / "tiny-1.0.tar.gz", "w:gz") as archive:
        for name, text in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    return folder / "tiny-1.0.tar.gz"


def test_what_a_wheel_holds_decides_its_bytes(tmp_path: Path) -> None:
    wheels = []
    for number, names in enumerate((["b.py", "a.py"], ["a.py", "b.py"])):
        folder = tmp_path / str(number)
        files = {"tiny-1.0/pyproject.toml": PROJECT, "tiny-1.0/backend.py": BACKEND.format(names=names)}
        code, wheel, said = build(folder, sdist(folder, files))
        assert (code, said) == (0, "")
        wheels.append(wheel)
    assert wheels[0] == wheels[1]
    with zipfile.ZipFile(io.BytesIO(wheels[0])) as opened:
        assert [(each.filename, each.date_time) for each in opened.infolist()] == [
            ("a.py", (1980, 1, 2, 0, 0, 0)),
            ("b.py", (1980, 1, 2, 0, 0, 0)),
        ]


def test_a_project_that_lies_about_is_not_written_to(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
    backend = BACKEND.format(names=["a.py"]) + "open('left', 'w').close()\n"
    (project / "backend.py").write_text(backend, encoding="utf-8")
    code, _, said = build(tmp_path, project / "pyproject.toml", project / "backend.py")
    assert (code, said) == (0, "")
    assert sorted(path.name for path in project.iterdir()) == ["backend.py", "pyproject.toml"]


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"one/x": "", "two/x": ""}, "an sdist has one folder at its top, and this has 2 entries"),
        ({"../x": ""}, "would be extracted to"),
        ({"t/pyproject.toml": "[build"}, "cannot be built: Expected"),
        ({"t/pyproject.toml": '[build-system]\nrequires = ["no-such-thing >= 2"]\n'}, "its build wants `no-such-thing >= 2`"),
        ({"t/pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "nobody"\n'}, "its build failed (ModuleNotFoundError"),
    ],
    ids=["two", "outside", "broken", "absent", "backend"],
)  # fmt: skip
def test_what_cannot_be_built_says_why(members: dict[str, str], says: str, tmp_path: Path) -> None:
    code, wheel, said = build(tmp_path, sdist(tmp_path, members))
    assert (code, wheel) == (1, b"")
    last = said.splitlines()[-1]
    assert last.startswith("error: `tiny-1.0.tar.gz` cannot be built: ")
    assert says in last


def test_a_file_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tiny.tar.gz").write_text("nothing", encoding="utf-8")
    code, _, said = build(tmp_path, tmp_path / "tiny.tar.gz")
    assert (code, said) == (1, "error: `tiny.tar.gz` cannot be built: it is neither a tar nor a zip file\n")
