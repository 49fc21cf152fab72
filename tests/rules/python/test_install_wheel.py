"""A wheel of the workspace is laid out as an installer would, and one that is none is refused in words."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[3] / "rules/python/tools/install_wheel.py"
INFO = "tiny-1.0.dist-info"
TAG = "py3-none-any"


def install(folder: Path, members: dict[str, str], tag: str = TAG) -> tuple[int, dict[str, str], str]:
    """(exit code, text by path, what was said). The wheel has these members and the usual ones."""
    usual = {
        f"{INFO}/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
        f"{INFO}/WHEEL": f"Wheel-Version: 1.0\nTag: {tag}\n",
        f"{INFO}/RECORD": "lies,,\n",
    }
    with zipfile.ZipFile(folder / "tiny.whl", "w") as archive:
        for name, text in (usual | members).items():
            archive.writestr(name, text)
    out = folder / "out"
    out.mkdir()
    done = subprocess.run(
        [sys.executable, str(TOOL), str(folder / "tiny.whl"), str(out)], capture_output=True, text=True, timeout=60
    )
    found = {str(path.relative_to(out)): path.read_text() for path in sorted(out.rglob("*")) if path.is_file()}
    return done.returncode, found, done.stderr


def test_modules_scripts_and_data_have_their_places(tmp_path: Path) -> None:
    members = {
        "tiny.py": "x = 1\n",
        "tiny-1.0.data/purelib/more.py": "",
        "tiny-1.0.data/scripts/run": "#!python\nprint(1)\n",
        "tiny-1.0.data/data/share/text": "t",
        "tiny-1.0.data/headers/tiny.h": "",
        f"{INFO}/entry_points.txt": "[console_scripts]\ntiny-say = tiny.words : Say.now\n",
    }
    code, found, said = install(tmp_path, members)
    assert (code, said) == (0, "")
    assert sorted(found) == [
        "bin/run", "bin/tiny-say", "more.py", "share/text", f"{INFO}/METADATA", f"{INFO}/RECORD", f"{INFO}/WHEEL",
        f"{INFO}/entry_points.txt", "tiny.py",
    ]  # fmt: skip
    assert found["bin/run"] == "#!/python/bin/python3\nprint(1)\n"
    assert found["bin/tiny-say"] == (
        "#!/python/bin/python3\nimport sys\nfrom tiny.words import Say\n"
        'if __name__ == "__main__":\n    sys.exit(Say.now())\n'
    )


def test_the_record_says_what_is_there(tmp_path: Path) -> None:
    _, found, _ = install(tmp_path, {"tiny.py": "x = 1\n"})
    assert found[f"{INFO}/RECORD"].splitlines()[-2:] == [
        "tiny-1.0.dist-info/WHEEL,sha256=c2sCN4vvlZhk3BchbhFJEfhyDSOwBajfTYQ5XgvNqOA,37",
        "tiny.py,sha256=nia_NpkRxFwkPGhBR7I_yeHc_PJX0pmhxjIBam_NM_Q,6",
    ]


@pytest.mark.parametrize(
    ("members", "tag", "says"),
    [
        ({"../tiny.py": ""}, TAG, "its member `../tiny.py` would lie elsewhere"),
        ({"/tiny.py": ""}, TAG, "its member `/tiny.py` would lie elsewhere"),
        ({"tiny-1.0.data/nothing/x": ""}, TAG, "is of a kind that nobody knows"),
        ({"tiny.py": "", "tiny-1.0.data/purelib/tiny.py": ""}, TAG, "two of its files would lie at `tiny.py`"),
        ({"other-1.dist-info/x": ""}, TAG, "a wheel has one folder `NAME-VERSION.dist-info`, and this has 2"),
        ({f"{INFO}/entry_points.txt": "[console_scripts]\n../x = a:b\n"}, TAG, "its entry point `../x = a:b` is none"),
        ({f"{INFO}/entry_points.txt": "no section\n"}, TAG, "its `entry_points.txt` cannot be read"),
        ({}, "cp27-cp27m-linux_x86_64", "it is for cp27-cp27m-linux_x86_64, not for Python 3."),
        ({}, "py3-none-win_amd64", "it is for py3-none-win_amd64, not for"),
    ],
    ids=["up", "root", "scheme", "twice", "two", "entry", "unreadable", "version", "system"],
)
def test_a_wheel_that_cannot_be_installed_says_why(
    members: dict[str, str], tag: str, says: str, tmp_path: Path
) -> None:
    code, _, said = install(tmp_path, members, tag)
    assert (code, "Traceback" in said) == (1, False)
    assert said.startswith("error: `tiny.whl` cannot be installed: ")
    assert says in said


def test_a_file_that_is_no_wheel_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.whl").write_text("no zip")
    done = subprocess.run(
        [sys.executable, str(TOOL), str(tmp_path / "x.whl"), str(tmp_path)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: `x.whl` cannot be installed: ")
