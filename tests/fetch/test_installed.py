from __future__ import annotations

from pathlib import Path

import pytest

from mlbuild.fetch.installed import OddInstallation, installed_pieces
from mlbuild.fetch.tree import HostFile, Made


def put(root: Path, path: str, content: str, mode: int = 0o644) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(content)
    (root / path).chmod(mode)


def test_what_the_installer_says_of_itself_and_the_moment_is_dropped(tmp_path: Path) -> None:
    for name in ("INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "METADATA"):
        put(tmp_path, f"a-1.dist-info/{name}", "x")
    put(tmp_path, ".lock", "")
    put(tmp_path, "a/__pycache__/b.cpython-311.pyc", "")
    put(tmp_path, "a/old.pyc", "")
    put(tmp_path, "a/INSTALLER", "the package's own")
    assert sorted(installed_pieces(str(tmp_path))) == ["a-1.dist-info/METADATA", "a/INSTALLER"]


@pytest.mark.parametrize(
    "start", ["#!/home/me/venv/bin/python3.11\n", "#!/bin/sh\n'''exec' \"/a path/python\" \"$0\" \"$@\"\n' '''\n"]
)
def test_scripts_start_the_sandboxs_interpreter(tmp_path: Path, start: str) -> None:
    put(tmp_path, "bin/tool", start + "import tool\n", 0o755)
    assert installed_pieces(str(tmp_path))["bin/tool"] == Made(b"#!/python/bin/python3\nimport tool\n", True)


def test_programs_and_shell_scripts_stay_as_they_are(tmp_path: Path) -> None:
    put(tmp_path, "bin/run.sh", "#!/bin/sh\ntrue\n", 0o755)
    put(tmp_path, "bin/program", "\x7fELF", 0o755)
    assert set(installed_pieces(str(tmp_path)).values()) == {
        HostFile(f"{tmp_path}/bin/run.sh", True),
        HostFile(f"{tmp_path}/bin/program", True),
    }


def test_the_record_is_sorted_and_says_what_is_there(tmp_path: Path) -> None:
    put(tmp_path, "z.py", "")
    put(tmp_path, "bin/tool", "#!/x/python\n", 0o755)
    record = "z.py,sha256=abc,0\na-1.dist-info/INSTALLER,sha256=q,2\na-1.dist-info/RECORD,,\n../../bin/tool,sha256=old,9\nz.pyc,,\n"
    put(tmp_path, "a-1.dist-info/RECORD", record)
    piece = installed_pieces(str(tmp_path))["a-1.dist-info/RECORD"]
    assert isinstance(piece, Made)
    assert piece.content.decode() == (
        "a-1.dist-info/RECORD,,\nbin/tool,sha256=lZph7z3W3IziyUNeqJnNpbFwQaO0jbsGqIud2WRlFcM,22\nz.py,sha256=abc,0\n"
    )


def test_a_link_is_odd(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/passwd")
    with pytest.raises(OddInstallation, match="`link` is no ordinary file"):
        installed_pieces(str(tmp_path))
