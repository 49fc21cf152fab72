"""What a killed build leaves goes with the next one, also when that has nothing to do."""

import secrets

from tests.end_to_end.command import mlbuild_ends
from tests.end_to_end.conftest import Workspace


def test_a_null_build_removes_what_a_killed_one_left(shell_workspace: Workspace) -> None:
    shell_workspace.write("BUILD.ml", 'genrule(name = "a", outs = ["a.txt"], cmd = "echo > $@")\n')
    while "(null)" not in (said := is_null(shell_workspace)):
        assert "0 ran" in said or "1 ran" in said
    name = secrets.token_hex(16)
    runs, tmp = shell_workspace.cache / "run" / "runs", shell_workspace.cache / "tmp"
    (runs / name / "inside").mkdir(parents=True)
    (runs / f"{name}.lock").touch()
    (tmp / name).mkdir()
    (tmp / name / "0").write_bytes(b"half")
    assert "(null)" in is_null(shell_workspace)
    assert (list(runs.iterdir()), list(tmp.iterdir())) == ([], [])


def is_null(workspace: Workspace) -> str:
    """What a build says; whether it asked the last one alone, which then leaves its state as it was."""
    state = next(iter((workspace.cache / "state").glob("*/last-build")), None)
    before = state.stat().st_ino if state else None
    done = mlbuild_ends(workspace.folder, workspace.cache, "build", "//:a")
    assert done.code == 0, done.said
    state = next(iter((workspace.cache / "state").glob("*/last-build")), None)
    return done.said + ("(null)" if state and state.stat().st_ino == before else "")
