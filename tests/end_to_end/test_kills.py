"""A build that is killed or interrupted at any point: the same command again gives the right result, and no more."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.end_to_end.command import Orphanage, mlbuild_ends, started, wait_until
from tests.end_to_end.conftest import Workspace, link_copy

STEPS = 6
COMMAND = "cat $(SRCS) > $@; sleep 0.0{}; wc -c < $@ >> $@"


def make(workspace: Workspace) -> Workspace:
    """Two chains of steps that take a moment each, a folder as an output, and many small outputs beside them."""
    steps = [
        f'genrule(name = "{chain}{number}", srcs = ["{source}"], outs = ["{chain}{number}.txt"], '
        f'cmd = "{COMMAND.format(number)}")'
        for chain in "ab"
        for number in range(STEPS)
        for source in [f":{chain}{number - 1}.txt" if number else f"{chain}.txt"]
    ]
    workspace.write("BUILD.ml", "\n".join(steps) + "\n")
    workspace.write("a.txt", "a" * 3_000_000)
    workspace.write("b.txt", "b\n" * 100)
    small = [
        f'write_file(name = "w{number}", out = "many/{number}.txt", content = ["{number}"])' for number in range(40)
    ]
    workspace.write("small/BUILD.ml", "\n".join(small) + "\n")
    return workspace


def outputs(workspace: Workspace) -> dict[str, bytes]:
    root = workspace.folder / "mlbuild-out"
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def sources(workspace: Workspace) -> dict[str, tuple[bytes, int]]:
    return {
        str(path): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(workspace.folder.rglob("*"))
        if path.is_file() and "mlbuild-out" not in path.parts
    }


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory, shell_cache: Path) -> dict[str, bytes]:
    """What an undisturbed build with another cache gives."""
    folder = tmp_path_factory.mktemp("reference")
    workspace = make(Workspace(folder / "workspace", link_copy(shell_cache, folder / "cache" / "mlbuild")))
    workspace.write("WORKSPACE.ml", 'workspace(name = "test")\n')
    done = workspace.build("//...")
    assert done.code == 0, done.errors + done.failures
    return outputs(workspace)


@pytest.fixture
def orphanage() -> Iterator[Orphanage]:
    with Orphanage() as orphanage:
        yield orphanage


def lines_of(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def recovers(workspace: Workspace, reference: dict[str, bytes], before: dict[str, tuple[bytes, int]]) -> None:
    """The same command again: right, nothing in the way, nothing of the killed one left over, and then nothing to do."""
    done = mlbuild_ends(workspace.folder, workspace.cache, "build", "//...")
    assert done.code == 0, done.said
    assert outputs(workspace) == reference
    assert sources(workspace) == before
    assert "damaged" not in done.said
    assert list((workspace.cache / "tmp").iterdir()) == []
    assert [name for name in os.listdir(workspace.cache / "staged" / "trees") if name.startswith(".")] == []
    verified = mlbuild_ends(workspace.folder, workspace.cache, "cache", "verify")
    assert (verified.code, verified.out.splitlines()[-1].endswith("; all is well")) == (0, True), verified.out
    assert mlbuild_ends(workspace.folder, workspace.cache, "build", "//...").ran == 0
    # What sandboxes left goes when one is needed again.
    workspace.write("b.txt", "other\n")
    assert mlbuild_ends(workspace.folder, workspace.cache, "build", "//:b0").ran == 1
    assert list((workspace.cache / "run" / "runs").iterdir()) == []


def kill_when(workspace: Workspace, orphanage: Orphanage, comes: Callable[[], bool], seconds: float = 2) -> bool:
    """Kills a build when it has come so far; whether it was still at work."""
    process = started(workspace.folder, workspace.cache, "build", "//...", "--build_event_json_file=../events")
    was_reached = wait_until(comes, process)
    process.kill()
    process.communicate()
    assert orphanage.left(within=seconds) == []
    return was_reached and process.returncode == -signal.SIGKILL


POINTS: dict[str, Callable[[Workspace], bool]] = {
    "at its start": lambda workspace: True,
    "when it begins to tell": lambda workspace: lines_of(workspace.folder.parent / "events") > 0,
    "when the cache is opened": lambda workspace: any((workspace.cache / "tmp").iterdir()),
    "when a blob is being written": lambda workspace: any((workspace.cache / "tmp").glob("*/*")),
    "when the first action runs": lambda workspace: any((workspace.cache / "run" / "runs").glob("*/*/stdout")),
    "after the first result": lambda workspace: results(workspace) >= 3,
    "after four results": lambda workspace: results(workspace) >= 6,
    "after eight results": lambda workspace: results(workspace) >= 10,
    "when the first output is placed": lambda workspace: (workspace.folder / "mlbuild-out").exists(),
    "when some outputs are placed": lambda workspace: (workspace.folder / "mlbuild-out/small/many/7.txt").exists(),
    "when the state is written": lambda workspace: any(state(workspace)),
}


def after(seconds: float) -> Callable[[], bool]:
    moment = time.monotonic() + seconds
    return lambda: time.monotonic() > moment


def results(workspace: Workspace) -> int:
    """Entries in the cache; the warm one begins with a few."""
    return sum(1 for _ in (workspace.cache / "ac").rglob("*/*"))


def state(workspace: Workspace) -> Iterator[Path]:
    return (workspace.cache / "state").glob("*/last-build*") if (workspace.cache / "state").exists() else iter(())


@pytest.mark.parametrize("point", POINTS)
def test_a_build_that_is_killed_is_taken_up_again(
    shell_workspace: Workspace, reference: dict[str, bytes], orphanage: Orphanage, point: str
) -> None:
    before = sources(make(shell_workspace))
    assert kill_when(shell_workspace, orphanage, lambda: POINTS[point](shell_workspace))
    recovers(shell_workspace, reference, before)


def test_a_build_that_is_killed_again_and_again_comes_to_its_end(
    shell_workspace: Workspace, reference: dict[str, bytes], orphanage: Orphanage
) -> None:
    before = sources(make(shell_workspace))
    kills = 0
    for number in range(8):
        kills += kill_when(shell_workspace, orphanage, after(0.06 * (number + 1)))
    assert kills >= 4
    recovers(shell_workspace, reference, before)


def test_the_interpreter_is_collected_anew_after_a_kill_in_the_middle(tmp_path: Path, orphanage: Orphanage) -> None:
    workspace = Workspace(tmp_path / "workspace", tmp_path / "cache" / "mlbuild")
    workspace.cache.mkdir(parents=True)
    workspace.write("WORKSPACE.ml", 'workspace(name = "test")\n')
    pattern = "@mlbuild//rules/python:interpreter"
    process = started(workspace.folder, workspace.cache, "build", pattern)
    assert wait_until(lambda: sum(1 for _ in (workspace.cache / "cas").glob("*/*")) > 100, process)
    process.kill()
    process.communicate()
    assert orphanage.left(within=2) == []
    done = mlbuild_ends(workspace.folder, workspace.cache, "build", pattern)
    assert (done.code, done.ran) == (0, 1), done.said
    (python,) = workspace.output("external/mlbuild/rules/python/interpreter.python/bin").glob("python3")
    assert python.stat().st_mode & 0o111
    assert mlbuild_ends(workspace.folder, workspace.cache, "cache", "verify").code == 0


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_build_leaves_nothing_running_and_goes_on_from_there(
    shell_workspace: Workspace, orphanage: Orphanage, sent: signal.Signals
) -> None:
    shell_workspace.write(
        "BUILD.ml",
        'genrule(name = "first", outs = ["first.txt"], cmd = "echo first > $@")\n'
        'genrule(name = "long", srcs = [":first.txt"], outs = ["long.txt"], cmd = """\n'
        "trap '' INT TERM HUP\n(setsid sleep 600 &)\nsleep 600 & cp $< $@; test -e stop.txt || wait\n"
        '""")\n',
    )
    process = started(shell_workspace.folder, shell_workspace.cache, "build", "//:long", "--subcommands")
    assert process.stderr is not None
    seen = b""
    while b"//:long" not in seen:
        seen += os.read(process.stderr.fileno(), 4096)
    runs = shell_workspace.cache / "run" / "runs"
    assert wait_until(lambda: any(runs.glob("*/*/work/mlbuild-out/long.txt")) or any(runs.rglob("long.txt")), process)
    began = time.monotonic()
    os.kill(process.pid, sent)
    said = seen + process.communicate()[1]
    assert (process.returncode, orphanage.left(within=2)) == (8, []), said
    assert time.monotonic() - began < 2
    assert said.decode().splitlines()[-1] == (
        "interrupted: what has finished is kept, and the same command goes on from there"
    )
    assert list(runs.iterdir()) == []
    shell_workspace.edit("BUILD.ml", "test -e stop.txt || wait", "true")
    done = mlbuild_ends(shell_workspace.folder, shell_workspace.cache, "build", "//:long")
    assert (done.code, done.ran, shell_workspace.output("long.txt").read_text()) == (0, 1, "first\n")
    assert "1 cached locally" in done.said


def test_the_terminals_ctrl_c_reaches_every_process_and_harms_nothing(
    shell_workspace: Workspace, reference: dict[str, bytes], orphanage: Orphanage
) -> None:
    before = sources(make(shell_workspace))
    process = started(shell_workspace.folder, shell_workspace.cache, "build", "//...")
    assert wait_until(lambda: results(shell_workspace) >= 4, process)
    os.killpg(process.pid, signal.SIGINT)
    os.killpg(process.pid, signal.SIGINT)
    said = process.communicate()[1]
    assert (process.returncode, orphanage.left(within=2)) == (8, []), said
    assert b"Traceback" not in said
    recovers(shell_workspace, reference, before)


def test_a_program_that_runs_dies_with_mlbuild_and_its_folder_goes_with_the_next_command(
    workspace: Workspace, orphanage: Orphanage
) -> None:
    workspace.write("BUILD.ml", 'py_binary(name = "wait", main = "wait.py", srcs = ["wait.py"])\n')
    workspace.write(
        "wait.py",
        "import os, pathlib, time\n"
        'pathlib.Path(os.environ["BUILD_WORKSPACE_DIRECTORY"], "started").touch()\n'
        "time.sleep(600)\n",
    )
    process = started(workspace.folder, workspace.cache, "run", "//:wait")
    assert wait_until(lambda: (workspace.folder / "started").exists(), process)
    process.kill()
    process.communicate()
    assert orphanage.left(within=2) == []
    runs = workspace.cache / "run" / "runs"
    assert len(list(runs.glob("*.lock"))) >= 1
    assert mlbuild_ends(workspace.folder, workspace.cache, "build", "//:wait").code == 0
    assert list(runs.iterdir()) == []
