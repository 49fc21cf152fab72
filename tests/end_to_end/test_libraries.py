"""The big libraries, from their wheels: each trains in a sandbox without a file of the host, and a build from nothing by
somebody else, elsewhere, under another umask, gives the same bytes of every environment and every model."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlbuild.files.remove import remove_tree
from mlbuild.reapi import decode_result
from tests.end_to_end.command import PASSED_ON, REPOSITORY, Ended, ended
from tests.end_to_end.house import ADA, PYTHON, House, packages

WORKSPACE = Path(__file__).parent / "libraries"
SYSTEM_PYTHON = Path("/usr/bin/python3")
SECONDS = 1500.0
TORCH = "torch==2.13.0+cpu"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    for each in (tmp_path, *tmp_path.parents[:2]):
        each.chmod(0o755)
    yield House(tmp_path)
    remove_tree(tmp_path)


def mlbuild(house: House, user: int, umask: int, folder: Path, *words: str) -> Ended:
    """As that user, who finds packages as this machine does."""
    passed = {name: value for name, value in os.environ.items() if PASSED_ON.match(name)}
    own = {"HOME": str(house.home(user)), "PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}
    who, python, paths = [], sys.executable, str(REPOSITORY)
    if user:
        assert PYTHON is not None
        who = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]
        python, paths = PYTHON, os.pathsep.join(map(str, packages()))
    done = subprocess.run(
        [*who, python, "-m", "mlbuild", *words], cwd=folder, env={**passed, **own, "PYTHONPATH": paths},
        capture_output=True, timeout=SECONDS, umask=umask,
    )  # fmt: skip
    return ended(done.returncode, done.stderr, done.stdout)


def results(cache: Path) -> dict[str, object]:
    """Every recorded result by key: outputs by digest, without how long it took."""
    found: dict[str, object] = {}
    for path in sorted((cache / "ac").rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            result = decode_result(content[content.index(b"\n", 60) + 1 :])
            found[path.name] = (result.exit_code, result.outputs)
    return found


@pytest.mark.slow
@pytest.mark.skipif(PYTHON is None, reason="needs root, setpriv, and mlbuild where every user may read it")
@pytest.mark.skipif(not SYSTEM_PYTHON.exists(), reason="needs an interpreter that every user may read")
def test_every_library_trains_for_everybody_and_gives_the_same_bytes(house: House) -> None:
    mine, theirs = house.folder / "mine", house.folder / "somewhere" / "else" / "theirs"
    shutil.copytree(WORKSPACE, mine)
    locked = mlbuild(house, 0, 0o022, mine, "lock", f"--disk_cache={house.folder}/cache", "//...")
    assert locked.code == 0, locked.said
    if TORCH not in (mine / "network.lock").read_text(encoding="utf-8"):
        pytest.skip(f"this machine's index has no {TORCH}: another build of it brings gigabytes")
    shutil.copytree(mine, theirs)
    house.give(house.folder / "somewhere", ADA)
    caches = house.folder / "cache", house.home(ADA) / "cache"
    one = mlbuild(house, 0, 0o022, mine, "build", f"--disk_cache={caches[0]}", "//...")
    assert one.code == 0, one.said
    two = mlbuild(house, ADA, 0o077, theirs, "build", f"--disk_cache={caches[1]}", "//...")
    assert two.code == 0, two.said
    first, second = (results(cache) for cache in caches)
    assert first == second
    assert len(first) > 40
    for name in ("boosting", "xgb", "network", "tables"):
        assert (theirs / f"mlbuild-out/{name}.txt").read_bytes() == (mine / f"mlbuild-out/{name}.txt").read_bytes()
