"""Spawns as ordinary processes: the same outputs for honest commands, and none of the walls."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlbuild.diagnostics import UserError
from mlbuild.execution import action_key
from mlbuild.execution.caching import CachingRunner
from mlbuild.sandbox import SALT, Limits, PlainRunner
from mlbuild.store import MemoryActionCache
from mlbuild.terms import FileValue
from tests.sandbox.test_limits import DISK_FILLER, FORKS, MEMORY_HOG


@pytest.fixture
def plain(workshop, tmp_path) -> Iterator[PlainRunner]:
    made = PlainRunner(workshop.store, workshop.trees, tmp_path / "plain")
    yield made
    made.close()
    assert not any((tmp_path / "plain" / "runs").iterdir())


def sh(workshop, script: str, contents=None, **more):
    return workshop.spawn((*workshop.shell_command, "-c", script), contents or {}, **more)


def test_an_honest_command_gives_what_it_gives_in_a_sandbox(workshop, plain):
    spawn = sh(
        workshop, "cat a b/c > out/x; mkdir out/y; echo 1 > out/y/z; echo said", {"a": b"1\n", "b/c": b"2\n"},
        output_paths=("out/x", "out/y"), output_directories=("out/y",),
    )  # fmt: skip
    ours, theirs = plain.run(spawn), workshop.runner.run(spawn)
    assert ours.is_success
    assert (ours.outputs, ours.stdout) == (theirs.outputs, theirs.stdout)
    assert (ours.runner, theirs.runner) == ("no-sandbox", "linux-sandbox")


def test_it_reaches_what_a_sandbox_keeps_out(workshop, plain, tmp_path):
    (tmp_path / "secret").write_text("secret")
    spawn = sh(workshop, f"cat {tmp_path}/secret")
    assert workshop.text(plain.run(spawn).stdout) == "secret"
    assert not workshop.runner.run(spawn).is_success


def test_what_it_does_to_its_inputs_the_store_never_sees(workshop, plain):
    root = workshop.input_root({"a": b"right\n"})
    spoiled = plain.run(
        sh(workshop, "chmod 644 a; echo wrong > a; chmod 755 ../shell/bin/cat; echo x > ../shell/bin/cat")
    )
    assert spoiled.exit_code == 0
    assert workshop.text(workshop.runner.run(sh(workshop, "cat a", {"a": b"right\n"})).stdout) == "right\n"
    assert workshop.input_root({"a": b"right\n"}) == root


def test_its_environment_is_what_it_declares_with_the_mounts_where_they_are(workshop, plain):
    os.environ["MLBUILD_TEST_SECRET"] = "secret"
    try:
        result = plain.run(sh(workshop, "env"))
    finally:
        del os.environ["MLBUILD_TEST_SECRET"]
    found = dict(line.split("=", 1) for line in workshop.text(result.stdout).splitlines())
    assert set(found) - {"_"} <= {"HOME", "TMPDIR", "PWD", "LD_LIBRARY_PATH", "PATH"}
    assert Path(found["PATH"]).name == "bin"
    assert Path(found["PATH"]).is_absolute()
    assert found["PATH"] != "/shell/bin"


@pytest.mark.parametrize(
    ("script", "more", "failure"),
    [
        ("exec sleep 60", {"timeout_seconds": 1}, "timed out after 1 s"),
        ("kill -SEGV $$", {}, "killed by SIGSEGV"),
        (":", {"output_paths": ("out",)}, "it ended well but did not write `out`"),
    ],
)
def test_a_failure_is_told_in_the_same_words(workshop, plain, script, more, failure):
    assert plain.run(sh(workshop, script, **more)).failure == failure


def test_an_interrupted_one_begins_nothing(workshop, tmp_path):
    runner = PlainRunner(workshop.store, workshop.trees, tmp_path / "plain")
    runner.interrupt()
    assert runner.run(sh(workshop, ":")).failure == "interrupted"
    runner.close()


def test_its_results_are_never_taken_for_those_of_a_sandbox(workshop, plain):
    cache = MemoryActionCache(workshop.store)
    spawn = sh(workshop, "echo 1 > out", output_paths=("out",))
    unshared = CachingRunner(cache, plain, SALT)
    assert unshared.run(spawn).is_success
    assert unshared.lookup(spawn)[1] is not None
    assert CachingRunner(cache, workshop.runner).lookup(spawn) == (action_key(spawn), None)
    assert isinstance(dict(unshared.run(spawn).outputs)["out"], FileValue)


@pytest.mark.parametrize(
    ("program", "limits", "failure"),
    [
        (MEMORY_HOG, Limits(memory_mib=128), "out of memory: the action used more than 128 MiB (`memory_mib`)"),
        (
            FORKS,
            Limits(processes=30),
            "too many processes: the action wanted more than 30 processes and threads at once",
        ),
        (DISK_FILLER, Limits(written_mib=16), "too much written: the action's working folder held more than 16 MiB"),
    ],
)
def test_what_it_uses_is_watched(workshop, tmp_path, program, limits, failure):
    for kept, rest, expected in ((limits, 60, failure), (Limits(), 0.2, None)):
        runner = PlainRunner(workshop.store, workshop.trees, tmp_path / str(rest), limits=kept)
        command = (*workshop.python_command, "-c", program.format(rest=rest))
        outputs = ("out",) if "out" in program else ()
        assert runner.run(workshop.spawn(command, {}, output_paths=outputs)).failure == expected
        runner.close()


def test_limits_that_only_the_kernel_may_keep_are_refused(workshop, tmp_path):
    with pytest.raises(UserError) as told:
        PlainRunner(workshop.store, workshop.trees, tmp_path, enforcement="kernel")
    assert told.value.diagnostics[0].code == "no-limits"
    assert told.value.diagnostics[0].message == (
        "the kernel's limits for memory and processes are not to be had without a sandbox"
    )
